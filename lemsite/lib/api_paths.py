"""API paths have no trailing slash and accept one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from lemsite.lib import converters  # noqa: F401 - registers <word:…>

Endpoint = tuple[str, str, str, Any]


def api_path(route: str, view: Callable[..., HttpResponseBase], name: str) -> list[URLPattern]:
    """The path itself, which `reverse` gives, and the same with a slash behind it."""
    return [path(route, view, name=name), path(f"{route}/", view)]


def without_trailing_slashes(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Leaves the second spelling of each path out of the OpenAPI schema."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]
