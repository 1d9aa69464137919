"""What every template knows."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.encoding import iri_to_uri

from lemsite import __version__

SITE_NAME = "lemsite"


#: parameters that say where a reader came from, and nothing of the page
TRACKING = ("utm_", "fbclid", "gclid", "ref")


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "site_name": SITE_NAME,
        "site_url": settings.SITE_URL,
        "canonical_url": canonical_url(request),
        "has_github": settings.GITHUB_SIGN_IN,
        "version": __version__,
    }


def canonical_url(request: HttpRequest) -> str:
    """The one address of this page: on the public site, with its state, without what only tracks."""
    query = request.GET.copy()
    for name in [name for name in query if name.startswith(TRACKING)]:
        del query[name]
    return f"{settings.SITE_URL}{iri_to_uri(request.path)}{'?' if query else ''}{query.urlencode()}"
