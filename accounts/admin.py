"""People, their tokens, bans, and what was decided about people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, Ban, User
from accounts.services.bans import BanRefused, ban, lift_ban, refuse_unbannable
from lemsite.lib.moderating import ReadOnly, Step, TakesSteps, is_moderator


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """People; moderators are staff with the permission "Can review submissions"."""


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """Tokens to look at; made on the account page, revoked by deleting or there."""

    list_display = ("name", "key_id", "user", "scopes", "expires_at", "last_used_at", "revoked_at")
    readonly_fields = ("key_id", "user", "name", "scopes", "expires_at", "last_used_at", "revoked_at")
    fields = readonly_fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BanForm(forms.ModelForm[Ban]):
    """Whom to keep from writing. A name is typed: moderators see no list of people."""

    username = forms.CharField(max_length=150, label="User name")
    until = forms.SplitDateTimeField(required=False, widget=AdminSplitDateTime, help_text="UTC. Empty: for good.")

    class Meta:
        model = Ban
        fields = ("reason",)

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        user = User.objects.filter(username=name).first()
        if user is None:
            raise forms.ValidationError(f"There is no user {name!r}.")
        try:
            refuse_unbannable(user)
        except BanRefused as refused:
            raise forms.ValidationError(str(refused)) from refused
        self.instance.user = user
        return name

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until is not None and until <= timezone.now():
            raise forms.ValidationError("It lies in the past: choose a later time, or none for good.")
        return until


class InForceFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in-force", "In force"), ("over", "Lifted or over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "in-force":
            return queryset.filter(pk__in=Ban.objects.in_force())
        return queryset.exclude(pk__in=Ban.objects.in_force()) if self.value() == "over" else queryset


def _lift(row: Ban, by: User, reason: str) -> None:
    if not lift_ban(ban=row, by=by, reason=reason):
        raise BanRefused("It was lifted before.")


@admin.register(Ban)
class BanAdmin(TakesSteps[Ban]):
    """Bans are made and lifted by the service, which tells the person and writes the audit line."""

    form = BanForm
    fields = ("username", "reason", "until")
    list_display = ("user", "reason", "by", "created_at", "until", "lifted_at")
    list_filter = (InForceFilter,)
    list_select_related = ("user", "by")
    search_fields = ("user__username", "reason")
    steps = {"lift": Step("Lift", "Lifted", _lift)}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_moderator(request)

    def get_fields(self, request: HttpRequest, obj: Ban | None = None) -> tuple[str, ...]:
        return ("user", "reason", "by", "created_at", "until", "lifted_at") if obj else self.fields

    def steps_for(self, row: Ban) -> Mapping[str, Step]:
        return {} if row.lifted_at else self.steps

    def save_model(self, request: HttpRequest, obj: Ban, form: Any, change: bool) -> None:
        made = ban(
            user=obj.user,
            by=cast(User, request.user),
            reason=form.cleaned_data["reason"],
            until=form.cleaned_data["until"],
        )
        obj.pk, obj.created_at = made.pk, made.created_at


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin[AuditEvent]):
    """The audit log of decisions about people and what they wrote."""

    list_display = ("created_at", "action", "actor", "person", "subject", "reason")
    list_filter = ("action", "created_at")
    list_select_related = ("actor", "person")
    search_fields = ("reason",)
    search_help_text = "The id of a line, who decided, whom it is about, the subject, or words of the reason"
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(reason__icontains=term) | Q(subject__iexact=term)
        wanted |= Q(actor__username__iexact=term) | Q(person__username__iexact=term)
        if term.isdecimal() and len(term) < 19:
            wanted |= Q(pk=int(term))
        return queryset.filter(wanted), False


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, admin.ModelAdmin[LogEntry]):
    """What was changed in the admin itself, permissions of people among it: for superusers to read."""

    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag", "change_message")
    list_filter = ("action_flag", "action_time")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "object_id", "change_message", "user__username")
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser
