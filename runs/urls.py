from django.urls import path

from lemsite.lib import converters  # noqa: F401 - registers <word:…>
from runs import views

app_name = "runs"

urlpatterns = [
    # live/
    path("live/", views.live, name="live"),
    path("live/strip/", views.live_strip_fragment, name="strip"),
    # runs/
    path("runs/", views.run_list, name="list"),
    path("runs/<word:key>/", views.run_detail, name="detail"),
    path("runs/<word:key>/replay/", views.run_replay, name="replay"),
    path("runs/<word:key>/series.json", views.run_series, name="series"),
    path("runs/<word:key>/card.png", views.run_card, name="card"),
    path("runs/<word:key>/events.<slug:ending>", views.run_download, name="download"),
    # compare/
    path("compare/", views.run_compare, name="compare"),
]
