"""Moderation: what waits, decisions with a reason, the catalogue with its unknown names, and the audit log."""

from django.contrib import admin

from leaderboard.admin import answers, audit, catalogue, community, queue, results, scores

__all__ = ["answers", "audit", "catalogue", "community", "queue", "results", "scores"]

admin.site.site_header = "lemsite moderation"
admin.site.site_title = "lemsite"
admin.site.index_title = "Review, catalogue and accounts"
