"""Nothing that a page does is done for a form from another site: each POST without the site's CSRF token is refused."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.permissions.cast import Cast, ask
from tests.permissions.routes import ADMIN, all_routes, area_of_first, by_area

PAGES = [route for route in all_routes() if not route.path.startswith("/api")]


@pytest.fixture
def cast(db, small_catalogue, stored_files, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    return Cast.assemble()


@pytest.mark.parametrize("routes", by_area(PAGES), ids=area_of_first)
def test_a_post_from_another_site_is_refused(routes, cast):
    taken = [route for route in routes if _answer(cast, route, checks_csrf=False) == "yes"]

    unprotected = [route.path for route in taken if _answer(cast, route, checks_csrf=True) != "403"]

    assert unprotected == []


def test_the_walk_meets_what_it_is_about(cast):
    """A walk that is answered 404 everywhere would prove nothing."""
    wanted = ("/submit/", "/account/delete/", "/submissions/<uuid:pk>/delete/", "/account/webhooks/<uuid:pk>/secret/")
    routes = [route for route in PAGES if route.path in wanted]

    assert [_answer(cast, route, checks_csrf=False) for route in routes] == ["yes"] * len(wanted)


def _answer(cast, route, *, checks_csrf):
    role = "moderator" if route.path.startswith(ADMIN) else "owner"
    with transaction.atomic():
        try:
            return ask(cast, route, "POST", role, checks_csrf=checks_csrf)
        finally:
            transaction.set_rollback(True)
