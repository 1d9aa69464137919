from django.urls import path

from leaderboard.views import (
    advice,
    analysis,
    batches,
    board,
    catalogue,
    charts,
    comments,
    comparisons,
    data,
    digests,
    disputes,
    embeds,
    feeds,
    links,
    owning,
    people,
    results,
    share_cards,
    submissions,
    watches,
)
from lemsite.lib import converters  # noqa: F401 - registers <word:…>

app_name = "leaderboard"

# /results/<id>/
result_urls = [
    path("results/<uuid:pk>/", results.result_detail, name="result"),
    path("results/<uuid:pk>/comments/", comments.comment_add, name="comment_add"),
    path("results/<uuid:pk>/disputes/", disputes.dispute_open, name="dispute_open"),
]

# /comments/<id>/, /disputes/
community_urls = [
    path("comments/<int:pk>/", comments.comment_detail, name="comment"),
    path("comments/<int:pk>/edit/", comments.comment_edit, name="comment_edit"),
    path("comments/<int:pk>/delete/", comments.comment_delete, name="comment_delete"),
    path("comments/<int:pk>/report/", comments.comment_report, name="comment_report"),
    path("disputes/", disputes.dispute_list, name="dispute_list"),
    path("disputes/<int:pk>/retract/", disputes.dispute_retract, name="dispute_retract"),
]

# /models/, /hardware/
catalogue_urls = [
    path("models/", catalogue.model_list, name="model_list"),
    path("models/<word:organisation>/<word:name>/", catalogue.model_detail, name="model"),
    path("models/<word:organisation>/<word:name>/watch/", watches.model_watch, name="model_watch"),
    path("hardware/", catalogue.hardware_list, name="hardware_list"),
    path("hardware/<slug:slug>/", catalogue.hardware_detail, name="hardware"),
    path("hardware/<slug:slug>/watch/", watches.hardware_watch, name="hardware_watch"),
]

# /submissions/<id>/
submission_urls = [
    path("submit/", submissions.submission_new, name="submit"),
    path("submissions/<uuid:pk>/", submissions.submission_detail, name="submission"),
    path("submissions/<uuid:pk>/state/", submissions.submission_state, name="submission_state"),
    path("submissions/<uuid:pk>/confirm/", submissions.submission_confirm, name="submission_confirm"),
    path("submissions/<uuid:pk>/forget/", submissions.submission_forget, name="submission_forget"),
    path("submissions/<uuid:pk>/share/", owning.submission_share, name="submission_share"),
    path("submissions/<uuid:pk>/unshare/", owning.submission_unshare, name="submission_unshare"),
    path("submissions/<uuid:pk>/note/", owning.submission_note, name="submission_note"),
    path("submissions/<uuid:pk>/replace/", owning.submission_replace, name="submission_replace"),
    path("submissions/<uuid:pk>/recall/", owning.submission_recall, name="submission_recall"),
    path("submissions/<uuid:pk>/withdraw/", owning.submission_withdraw, name="submission_withdraw"),
    path("submissions/<uuid:pk>/delete/", owning.submission_delete, name="submission_delete"),
    path("submissions/<uuid:submission_id>/files/<int:pk>/", results.raw_file, name="raw_file"),
]

# /batches/<id>/
batch_urls = [
    path("batches/<uuid:pk>/", batches.batch_detail, name="batch"),
    path("batches/<uuid:pk>/refused.csv", batches.batch_refused, name="batch_refused"),
]

# /u/<name>/
people_urls = [
    path("u/<word:name>/", people.person_detail, name="person"),
]

# /charts/<slug>
chart_urls = [
    path("charts/", charts.chart_list, name="charts"),
    path("charts/<slug:slug>/", charts.chart_detail, name="chart"),
    path("charts/<slug:slug>.csv", charts.chart_csv, name="chart_csv"),
    path("charts/<slug:slug>.json", charts.chart_json, name="chart_json"),
]

# /embed/…, /oembed, /badges/…
embed_urls = [
    path("embed/charts/<slug:slug>/", embeds.chart_embed, name="chart_embed"),
    path("embed/results/<uuid:pk>/", embeds.result_embed, name="result_embed"),
    path("embed/table/", embeds.table_embed, name="table_embed"),
    path("oembed", embeds.oembed, name="oembed"),
    path("badges/results/<uuid:pk>.svg", embeds.result_badge, name="result_badge"),
    path("badges/models/<word:organisation>/<word:name>.svg", embeds.model_badge, name="model_badge"),
]

# /analysis/, /l/<code>/
analysis_urls = [
    path("analysis/", analysis.analysis, name="analysis"),
    path("l/", links.link_new, name="link_new"),
    path("l/<slug:code>/", links.link, name="link"),
]

# /feed.…, /account/watches/
following_urls = [
    path("feed.atom", feeds.atom, name="feed_atom"),
    path("feed.rss", feeds.rss, name="feed_rss"),
    path("account/watches/", watches.watch_list, name="watches"),
]

# /account/comparisons/
comparison_urls = [
    path("account/comparisons/", comparisons.comparison_list, name="comparisons"),
    path("account/comparisons/<int:pk>/rename/", comparisons.comparison_rename, name="comparison_rename"),
    path("account/comparisons/<int:pk>/delete/", comparisons.comparison_delete, name="comparison_delete"),
]

# card.png of what links elsewhere show
card_urls = [
    path("card.png", share_cards.site, name="site_card"),
    path("results/<uuid:pk>/card.png", share_cards.result, name="result_card"),
    path("models/<word:organisation>/<word:name>/card.png", share_cards.model, name="model_card"),
    path("hardware/<slug:slug>/card.png", share_cards.hardware, name="hardware_card"),
]

# /data/, /digest/
data_urls = [
    path("data/", data.data, name="data"),
    path("data/latest.<slug:ending>", data.latest, name="dump_latest"),
    path("data/<word:version>.parquet", data.dump_parquet, name="dump_parquet"),
    path("data/<word:version>.md", data.dump_card, name="dump_card"),
    path("data/<word:version>.schema.json", data.dump_schema, name="dump_schema"),
    path("data/<word:version>.sha256", data.dump_checksum, name="dump_checksum"),
    path("digest/", digests.digest_list, name="digests"),
    path("digest/feed.atom", digests.digest_feed, name="digest_feed"),
    path("digest/<int:year>-W<int:week>/", digests.digest_detail, name="digest"),
]

urlpatterns = [
    path("", board.result_list, name="list"),
    *result_urls,
    *community_urls,
    *catalogue_urls,
    *analysis_urls,
    *chart_urls,
    *embed_urls,
    *following_urls,
    *submission_urls,
    *batch_urls,
    *people_urls,
    *comparison_urls,
    *card_urls,
    *data_urls,
    path("advice/", advice.advice, name="advice"),
    path("methodology/", catalogue.methodology, name="methodology"),
]
