"""Reads settings from the environment. A value that is missing or odd stops the start and says what would be right."""

import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


# The length that Django's own deployment check asks for.
MIN_SECRET_KEY_LENGTH = 50


class BadSetting(ImproperlyConfigured):
    """One environment variable is wrong; the message names it and says what would be right."""

    def __init__(self, name: str, fault: str, right: str) -> None:
        super().__init__(f"{name} {fault}; {right}.")
        self.name = name


def read_file(path: Path) -> None:
    """Take the `NAME=value` lines of a file into the environment; a variable that is already there wins."""
    if not path.is_file():
        return
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise BadSetting(f"line {number} of {path.name}", "is not a setting", "write NAME=value or a # comment")
        os.environ.setdefault(name.strip(), _plain(value.strip()))


def text(name: str, default: str = "") -> str:
    """An empty variable counts as one that is not set, as in a compose file that passes everything through."""
    return os.environ.get(name, "").strip() or default


def choice(name: str, default: str, allowed: Sequence[str]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadSetting(name, f"is {value!r}", f"use one of {', '.join(allowed)}")
    return value


def flag(name: str, *, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in TRUE | FALSE:
        raise BadSetting(name, f"is {value!r}", "use 1 or 0")
    return value in TRUE


def integer(name: str, default: int, *, low: int, high: int) -> int:
    value = text(name, str(default))
    number = int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else low - 1
    if not low <= number <= high:
        raise BadSetting(name, f"is {value!r}", f"use a whole number from {low} to {high}")
    return number


def names(name: str, default: Sequence[str] = ()) -> list[str]:
    """A list separated by commas."""
    value = text(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(default)


def numbers(name: str) -> dict[str, float]:
    """Pairs such as `lease_s=2,offer_s=0.5`."""
    found = {}
    for part in names(name):
        key, _, value = part.partition("=")
        try:
            found[key.strip()] = float(value)
        except ValueError:
            raise BadSetting(name, f"has {part!r} in it", "pairs such as lease_s=2,offer_s=0.5") from None
    return found


def origin(name: str, default: str) -> str:
    value = text(name, default)
    _check_origin(name, value)
    return value


def origins(name: str, default: Sequence[str] = ()) -> list[str]:
    values = names(name, default)
    for value in values:
        _check_origin(name, value)
    return values


def secure_origin(name: str, default: str) -> str:
    """An https origin; http is for this machine alone, where nobody listens in."""
    value = origin(name, default)
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise BadSetting(name, f"is {value!r}", "use https; http only for 127.0.0.1, [::1] and localhost")
    return value


def repository(name: str) -> str:
    """`owner/name`, or empty."""
    value = text(name)
    if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise BadSetting(name, f"is {value!r}", "use owner/name, as in lemsite/results")
    return value


def hosts_with_ports(name: str) -> list[str]:
    """A list of `host:port`."""
    values = names(name)
    for value in values:
        host, _, port = value.rpartition(":")
        if not host or "/" in host or not port.isdecimal():
            raise BadSetting(name, f"has {value!r}", "use host:port, as in hooks.internal:8080")
    return [value.lower() for value in values]


def path_prefix(name: str, default: str) -> str:
    """A path below the site's root, such as `admin/`: without a slash before it and with one behind it."""
    value = text(name, default).strip("/")
    if not re.fullmatch(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", value):
        raise BadSetting(name, f"is {value!r}", "use letters, digits, - and _, as in staff-door/")
    return f"{value}/"


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks, such as `10.0.0.0/8,192.0.2.7`."""
    found = []
    for value in names(name):
        try:
            found.append(ip_network(value))
        except ValueError:
            raise BadSetting(name, f"has {value!r}", "use addresses and networks, as in 10.0.0.0/8") from None
    return found


def contact(name: str) -> str:
    """An e-mail address, or the https address of a page, as a URL; or empty."""
    value = text(name)
    if "@" in value and ":" not in value:
        value = f"mailto:{value}"
    if value and not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+|https://[^\s/]+\S*", value):
        raise BadSetting(name, f"is {value!r}", "use an e-mail address, or an https address")
    return value


def url(name: str, default: str, *, schemes: Sequence[str], example: str) -> SplitResult:
    """A URL of one of the schemes. The fault never repeats the value, since it may hold a password."""
    value = text(name, default)
    if not value:
        raise BadSetting(name, "is not set", f"use something like {example}")
    try:
        parts = urlsplit(value)
        # The port is read here because urlsplit only checks it when asked for.
        faulty = parts.scheme not in schemes or parts.port == 0
    except ValueError as error:
        raise BadSetting(name, "is not a URL", f"use something like {example}") from error
    if faulty:
        raise BadSetting(name, f"has the scheme {parts.scheme!r}", f"use something like {example}")
    return parts


def folder(name: str, default: str, *, base: Path) -> Path:
    """A folder that is there afterwards; a relative path counts from `base`."""
    path = base / Path(text(name, default)).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(
            name, f"names {path}, which cannot be made ({error.strerror})", "use a writable folder"
        ) from error
    return path


def secret_from_file(path: Path) -> str:
    """The secret kept in this file; the first caller makes it, readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii", delete=False) as draft:
            draft.write(secrets.token_urlsafe(64))
        try:
            # A link is atomic and refuses to replace: of several processes that start together, one wins.
            os.link(draft.name, path)
        except FileExistsError:
            pass
        finally:
            Path(draft.name).unlink()
    return path.read_text(encoding="ascii").strip()


def require_production_values(*, debug: bool, secret_key: str, allowed_hosts: list[str], site_url: str) -> None:
    """Refuse what is convenient on a developer's machine and unsafe on the internet."""
    if debug:
        raise BadSetting("DEBUG", "is on in production", "leave it out: its error pages show settings and source")
    if len(secret_key) < MIN_SECRET_KEY_LENGTH or len(set(secret_key)) < 10:
        fault = "is too short or too simple" if secret_key else "is not set"
        raise BadSetting(
            "SECRET_KEY", fault, "use the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    if not allowed_hosts or "*" in allowed_hosts:
        fault = "allows every host" if allowed_hosts else "is not set"
        raise BadSetting("ALLOWED_HOSTS", fault, "list the site's host names, as in bench.example.org")
    if not site_url.startswith("https://"):
        raise BadSetting("SITE_URL", f"is {site_url!r}", "use the public address, as in https://bench.example.org")


def _plain(value: str) -> str:
    """Without quotes around it; without quotes, a comment may follow."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #", maxsplit=1)[0].rstrip()


def _check_origin(name: str, value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise BadSetting(name, f"has {value!r}", "use scheme and host without a path, as in https://bench.example.org")
