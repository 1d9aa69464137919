"""Whether an IP address is on the public internet. `ipaddress.is_private` alone passes too much: see its test."""

from __future__ import annotations

import ipaddress

#: an IPv4 address inside an IPv6 one
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: carrier NAT, protocol assignments, and every way to write an IPv4 address as an IPv6 one that leads to it
DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


def is_public(text: str) -> bool:
    """False for what is no address, too."""
    try:
        address = _unwrapped(ipaddress.ip_address(text))
    except ValueError:
        return False
    if any(address in network for network in DENIED if network.version == address.version):
        return False
    is_special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not (is_special or address.is_loopback or address.is_link_local)


def _unwrapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
