"""Connects this host to a site: a code that an operator made there becomes a token in the agent's folder."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from gpuagent.host.api import Api, Away, Refused
from gpuagent.host.folders import Home


class CannotEnrol(Exception):
    """The text says why."""


def enrol(home: Home, url: str, code: str, *, simulate: bool, allow_http: bool) -> str:
    """The agent's id at the site. Raises CannotEnrol; a code that was used is spent, whatever comes of it."""
    url = _checked(url, allow_http=allow_http)
    home.take()
    try:
        api = Api(url, None)
        try:
            given = api.enroll(code.strip(), {"simulated": simulate})
        except Refused as refused:
            raise CannotEnrol(f"{url} refuses: {refused.detail}") from None
        except Away as away:
            raise CannotEnrol(f"{url} does not answer as a lemsite: {away}") from None
        finally:
            api.close()
        home.enrol(url, given.agent, given.token)
        return given.agent
    finally:
        home.release()


def _checked(url: str, *, allow_http: bool) -> str:
    """A token must not travel in the clear, except within this machine."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise CannotEnrol(f"{url} is not the address of a site.")
    if parts.scheme == "http" and not allow_http and not _is_this_machine(parts.hostname):
        raise CannotEnrol("The site's address begins with http: the token would travel in the clear. Use https.")
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
