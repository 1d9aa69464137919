"""Which addresses are on the public internet."""

from __future__ import annotations

import pytest

from lemsite.lib.public_address import is_public

INSIDE = """
127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.254 192.0.0.8
192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 192.88.99.1
::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 fec0::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe
64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001::1 ::127.0.0.1 2001:db8::1 100::1
localhost 127.1 0x7f000001 2130706433 017700000001 fe80::1%eth0
"""
OUTSIDE = """
8.8.8.8 1.1.1.1 140.82.112.3 2606:4700:4700::1111 2a00:1450:4001:81b::200e ::ffff:8.8.8.8 64:ff9b::808:808
"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_an_address_inside_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE.split())
def test_an_address_on_the_internet_is_public(address):
    assert is_public(address)
