from lemsite.lib.api_paths import api_path
from runs.api import views

urlpatterns = [
    *api_path("runs", views.RunList.as_view(), "run-list"),
    *api_path("runs/<word:key>", views.RunDetail.as_view(), "run"),
    *api_path("runs/<word:key>/events", views.RunEvents.as_view(), "run-events"),
]
