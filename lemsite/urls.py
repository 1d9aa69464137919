from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path

from lemsite import crawlers, health, icons, sitemaps
from lemsite.api_pages import ApiRoot
from lemsite.lib import converters  # noqa: F401 - registers <word:…>
from lemsite.observing.views import status_page
from runs.api.schemas import schema

handler400 = "lemsite.views.bad_request"
handler403 = "lemsite.views.forbidden"
handler404 = "lemsite.views.not_found"
handler500 = "lemsite.views.server_error"

urlpatterns = [
    re_path(r"^health/?$", health.watched, name="health"),
    re_path(r"^ready/?$", health.watched, name="ready"),
    re_path(r"^metrics/?$", health.watched, name="metrics"),
    path("robots.txt", crawlers.robots, name="robots"),
    path("llms.txt", crawlers.llms, name="llms"),
    path(".well-known/security.txt", crawlers.security, name="security_txt"),
    path("sitemap.xml", sitemaps.sitemap_index, name="sitemap"),
    path("sitemap-<slug:section>.xml", sitemaps.sitemap_part, name="sitemap_part"),
    path("schemas/<word:name>.schema.json", schema, name="schema"),
    path("api", ApiRoot.as_view(), name="api-root"),
    path("api/", include("lemsite.api_urls")),
    path("", include("leaderboard.urls")),
    path("", include("runs.urls")),
    path("", include("jobs.urls")),
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path(f"{settings.ADMIN_PATH}status/", status_page, name="status"),
    path(settings.ADMIN_PATH, admin.site.urls),
    # Pages name their icon; browsers ask for this one on pages of others, such as the admin's.
    path("favicon.ico", icons.favicon),
]
