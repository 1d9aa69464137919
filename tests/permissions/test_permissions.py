"""Walks every path with every method as every role and compares with the table in docs/permissions.md."""

import pytest
from django.db import transaction

from tests.permissions.cast import Cast, ask
from tests.permissions.routes import ADMIN, RAW, all_routes, area_of_first, by_area
from tests.permissions.table import ROLES, read_rules

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: pages of allauth and redirects to them: its class views take PUT for POST, which changes nothing about who may
LIBRARY = "/accounts/"
RULES = read_rules()
ROUTES = [route for route in all_routes() if not route.path.startswith(ADMIN)]
ADMIN_ROUTES = [route for route in all_routes() if route.path.startswith(ADMIN)]
#: what a method may answer that no row names
REFUSALS = {"405", "404", "401", "403", "sign in"}


@pytest.fixture
def cast(db, small_catalogue, stored_files, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    github = {**settings.SOCIALACCOUNT_PROVIDERS["github"], "APPS": [{"client_id": "one", "secret": "two"}]}
    settings.SOCIALACCOUNT_PROVIDERS = {"github": github}
    return Cast.assemble()


def test_every_path_has_a_row_and_every_row_a_path():
    named = {path for path, _ in RULES}

    assert {path for path in named if not path.startswith(ADMIN)} == {route.path for route in ROUTES} | set(RAW)
    assert {path for path in named if path.startswith(ADMIN)} <= {route.path for route in ADMIN_ROUTES}


@pytest.mark.parametrize("routes", by_area(ROUTES), ids=area_of_first)
def test_each_role_is_answered_as_the_table_says(routes, cast):
    seen, expected = {}, {}
    for route in routes:
        for method in METHODS[:2] if route.path.startswith(LIBRARY) else METHODS:
            rule = RULES.get((route.path, method))
            for role in ROLES:
                answer = _ask_and_roll_back(cast, route, method, role)
                if rule is not None:
                    seen[route.path, method, role], expected[route.path, method, role] = answer, rule.answers[role]
                elif answer not in REFUSALS:
                    seen[route.path, method, role] = answer

    assert seen == expected


@pytest.mark.parametrize("routes", by_area(ADMIN_ROUTES), ids=area_of_first)
def test_the_admin_answers_as_the_table_says(routes, cast):
    unexpected = {}
    for route in routes:
        rule = _admin_rule(route)
        for role in ROLES:
            answer = _ask_and_roll_back(cast, route, "GET", role)
            # Django's admin leads from a row that is not there, and from short addresses, to a page of the table.
            less = {"403", "404", "405", "elsewhere"} if role == "moderator" else set()
            if answer not in {rule.answers[role], *less}:
                unexpected[route.path, role] = answer

    assert unexpected == {}


def _admin_rule(route):
    """The row with the longest path that this one lies below; the bare /admin/ counts for what is below no other."""
    above = [path for path, _ in RULES if path.startswith(ADMIN) and route.path.startswith(path)]
    if not above or (above == [ADMIN] and route.path.count("/") > 3 and "<" not in route.path):
        pytest.fail(f"docs/permissions.md has no row for {route.path}")
    return RULES[max(above, key=len), "GET"]


def _ask_and_roll_back(cast, route, method, role):
    with transaction.atomic():
        try:
            return ask(cast, route, method, role)
        finally:
            transaction.set_rollback(True)
