from django.contrib import admin
from django.urls import include, path, re_path

from lemsite import crawlers, health, icons, sitemaps
from lemsite.api_pages import ApiRoot
from lemsite.lib import converters  # noqa: F401 - registers <word:…>
from runs.api.schemas import schema

handler400 = "lemsite.views.bad_request"
handler403 = "lemsite.views.forbidden"
handler404 = "lemsite.views.not_found"
handler500 = "lemsite.views.server_error"

urlpatterns = [
    re_path(r"^health/?$", health.health, name="health"),
    path("robots.txt", crawlers.robots, name="robots"),
    path("llms.txt", crawlers.llms, name="llms"),
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
    path("admin/", admin.site.urls),
    # Pages name their icon; browsers ask for this one on pages of others, such as the admin's.
    path("favicon.ico", icons.favicon),
]
