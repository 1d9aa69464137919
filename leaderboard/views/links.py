"""Short addresses: /l/<code>/ leads to a view, /l/ makes one."""

from __future__ import annotations

import time

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from leaderboard.models import ShortLink
from leaderboard.services.short_links import MAX_URL, NotAPageToLinkTo, check_url, find_link, short_link

#: links that one address may ask for in a window
ASKED, WINDOW_S = 60, 3600


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link_new(request: HttpRequest) -> HttpResponse:
    """A form that makes the link of `url`, and the link once it is there; JSON where a script asks."""
    given = request.POST if request.method == "POST" else request.GET
    url = given.get("url", "")[: MAX_URL + 1]
    error, status, link = "", 200, None
    if request.method == "POST" and _asks_too_often(request):
        error, status = "Too many links were asked for from this address. Try again in an hour.", 429
    elif url or request.method == "POST":
        try:
            check_url(url)
            link = short_link(url) if request.method == "POST" else find_link(url)
        except NotAPageToLinkTo as refusal:
            error, status = str(refusal), 422 if request.method == "POST" else 400
    address = settings.SITE_URL + reverse("leaderboard:link", args=[link.code]) if link else ""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": error} if error else {"url": address}, status=status)
    context = {"url": url, "error": error, "address": address}
    return render(request, "leaderboard/link_new.html", context, status=status)


@require_safe
def link(request: HttpRequest, code: str) -> HttpResponse:
    target = get_object_or_404(ShortLink, code=code).url
    try:
        check_url(target)
    except NotAPageToLinkTo as error:
        raise Http404(target) from error
    response = HttpResponseRedirect(target)
    response["Cache-Control"] = "no-cache"
    return response


def _asks_too_often(request: HttpRequest) -> bool:
    """One counter per address in the cache: it stops a loop gone wild and is no security measure."""
    key = f"short-links:{request.META.get('REMOTE_ADDR', '')}:{int(time.time() // WINDOW_S)}"
    cache.add(key, 0, 2 * WINDOW_S)
    try:
        return cache.incr(key) > ASKED
    except ValueError:  # evicted in between
        return False
