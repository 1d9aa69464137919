"""How the lists of moderators can be narrowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from leaderboard.models import Submission, SubmissionStatus
from leaderboard.queries.community import active_moderators
from leaderboard.queries.need import waiting

ALL = "all"


class WaitingFilter(admin.SimpleListFilter):
    """A list that shows what waits unless it is asked for more; a search looks everywhere."""

    title = "state"
    parameter_name = "state"
    waiting_label = "Waits for a moderator"

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        is_searched = bool(changelist.query)
        yield {
            "selected": self.value() is None and not is_searched,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": self.waiting_label,
        }
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == str(value),
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset if request.GET.get("q") else self.what_waits(queryset)
        return queryset if self.value() == ALL else self.chosen(queryset, str(self.value()))

    def what_waits(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        raise NotImplementedError

    def chosen(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(state=value)


class SubmissionStateFilter(WaitingFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*SubmissionStatus.choices, (ALL, "All")]

    def what_waits(self, queryset: QuerySet[Submission]) -> QuerySet[Submission]:
        return waiting(queryset)

    def chosen(self, queryset: QuerySet[Submission], value: str) -> QuerySet[Submission]:
        return queryset.filter(status=value)


class AssigneeFilter(admin.SimpleListFilter):
    title = "assignee"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Mine"), ("nobody", "Nobody's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "mine":
            return queryset.filter(assignee=request.user.pk)
        return queryset.filter(assignee=None) if self.value() == "nobody" else queryset


class ModeratorFilter(admin.SimpleListFilter):
    """Lines of the audit log by who decided."""

    title = "moderator"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(moderator.pk), str(moderator)) for moderator in active_moderators()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        value = self.value() or ""
        return queryset.filter(actor=int(value)) if value.isdecimal() and len(value) < 19 else queryset
