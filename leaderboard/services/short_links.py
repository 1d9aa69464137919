"""Short addresses of views: /l/<code>/ leads to a page of this site with its query.

The code is the beginning of the address's hash, so that the same view has the same link, whoever asks for it. Only
pages of a list are led to, and only by their path: a link never leaves this site.
"""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import urlsplit

from django.db import DatabaseError, transaction
from django.urls import Resolver404, resolve

from leaderboard.models import ShortLink

MAX_URL = 4_000
#: of the hash's 52 characters; two views that share ten get longer codes
SHORTEST, LONGEST = 10, 16
#: pages that are a view of public data and say in their address which
PAGES = re.compile(r"/(?:(?:advice|analysis|charts|compare|hardware|models|results)/(?:[^\s\\]*/)?)?\Z")
_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+\Z")


class NotAPageToLinkTo(ValueError):
    """The address is no page of this site that has short links; says why."""


@transaction.atomic
def short_link(url: str) -> ShortLink:
    """The link to `url`, a path of this site with its query; made when it is first asked for.

    Raises NotAPageToLinkTo.
    """
    check_url(url)
    for code in _codes(url):
        # Two requests at once make one row: the loser of the race reads the winner's.
        link, _ = ShortLink.objects.get_or_create(code=code, defaults={"url": url})
        if link.url == url:
            return link
    raise DatabaseError(f"{LONGEST} characters of the hash of {url!r} belong to another address.")


def find_link(url: str) -> ShortLink | None:
    """The link to `url` if somebody asked for it before."""
    return ShortLink.objects.filter(code__in=_codes(url), url=url).first()


def _codes(url: str) -> list[str]:
    """From the shortest on; nearly always the first."""
    full = base64.b32encode(hashlib.sha256(url.encode()).digest()).decode().lower()
    return [full[:length] for length in range(SHORTEST, LONGEST + 1)]


def check_url(url: str) -> None:
    """Raises NotAPageToLinkTo for all but the path and query of a page in the list."""
    if len(url) > MAX_URL:
        raise NotAPageToLinkTo(f"The address is longer than {MAX_URL:,} characters.")
    parts = urlsplit(url) if _PLAIN.match(url) else None
    if parts is None or parts.scheme or parts.netloc or parts.fragment or not PAGES.match(parts.path):
        raise NotAPageToLinkTo("A short link leads to a page of this site that shows public data, by its path.")
    try:
        resolve(parts.path)
    except Resolver404:
        raise NotAPageToLinkTo(f"There is no page {parts.path}.") from None
