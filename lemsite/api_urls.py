"""Everything under /api/. Paths have no trailing slash and accept one."""

from django.urls import include, path

from lemsite import api_pages
from lemsite.leak_reports import LeakReports
from lemsite.lib.api_paths import api_path

app_name = "api"
urlpatterns = [
    path("", api_pages.ApiRoot.as_view()),
    *api_path("schema", api_pages.ApiSchema.as_view(), "schema"),
    *api_path("leaks", LeakReports.as_view(), "leaks"),
    *api_path("docs", api_pages.ApiDocs.as_view(), "docs"),
    path("", include("jobs.api.urls")),
    path("", include("runs.api.urls")),
    path("", include("leaderboard.api.urls")),
    path("", include("accounts.api.urls")),
]
