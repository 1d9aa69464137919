"""What every template knows."""

from django.conf import settings
from django.http import HttpRequest

from lemsite import __version__

SITE_NAME = "lemsite"


def site(request: HttpRequest) -> dict[str, object]:
    return {"site_name": SITE_NAME, "has_github": settings.GITHUB_SIGN_IN, "version": __version__}
