"""What programs ask of a site before they read it: robots.txt, llms.txt and security.txt."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from leaderboard.metrics import BY_NAME
from leaderboard.models import Trust
from leaderboard.presenting.common import TRUST_TITLES
from lemsite.context import SITE_NAME

#: the standard asks for less than a year
SECURITY_TXT_LASTS = timedelta(days=180)
#: they fetch one page that a person links to, and its picture
PREVIEWERS = ("Twitterbot", "facebookexternalhit", "LinkedInBot", "Slackbot", "Discordbot", "Mastodon")
#: each state of the filters is a page of its own, and there is no end of states
CLOSED = ("/account/", "/accounts/", "/admin/", "/embed/", "/submit/", "/l/", "/api/benchmarks", "/api/runs/", "/*?")
OPEN = ("/sitemap-", "/api/docs", "/api/schema")
#: the figures that llms.txt explains
DEFINED = (
    "tokens_per_joule", "energy_per_output_token_j", "throughput_tokens_per_s", "ttft_ms_p50", "itl_ms_p50",
    "tpot_ms_mean", "avg_power_w", "peak_memory_mb", "cost_per_million_tokens_usd", "co2_g_per_million_tokens",
)  # fmt: skip


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = [
        *(f"User-agent: {name}" for name in PREVIEWERS),
        "Allow: /",
        "",
        "User-agent: *",
        *(f"Allow: {path}" for path in OPEN),
        *(f"Disallow: {path}" for path in CLOSED),
        "",
        f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}",
    ]
    return _text("\n".join(lines) + "\n")


@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    """What this site is, for a language model that answers somebody's question with it (llmstxt.org)."""
    context = {
        "name": SITE_NAME,
        "site": settings.SITE_URL,
        "metrics": [BY_NAME[name] for name in DEFINED],
        "trust": [(level.code, TRUST_TITLES[level]) for level in Trust if level != Trust.DRAFT],
    }
    return _text(render(request, "llms.txt", context).content.decode())


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Where to tell of a hole in this site (RFC 9116); not there without SECURITY_CONTACT."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    # Rounded, so that all answers of a day are the same.
    expires = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + SECURITY_TXT_LASTS
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL}{reverse('security_txt')}",
    ]
    return _text("\n".join(lines) + "\n")


def _text(content: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    return response
