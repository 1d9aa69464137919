"""The catalogue in the admin, and the names that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.db import models
from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, When
from django.http import HttpRequest

from accounts.models import User
from leaderboard import format as fmt
from leaderboard.models import (
    Backend,
    BackendAlias,
    Hardware,
    HardwareAlias,
    LanguageModel,
    ModelAlias,
    Result,
    UnknownName,
)
from leaderboard.services.catalogue import MappingRefused, map_name, reprice
from leaderboard.services.ranking import bump_data_version
from lemsite.lib.moderating import ForModerators, is_moderator

#: an address that is typed without a scheme is meant to be https
HTTPS_URLS: Mapping[type[models.Field[Any, Any]], Mapping[str, Any]] = {models.URLField: {"assume_scheme": "https"}}


@admin.register(UnknownName)
class UnknownNameAdmin(ForModerators, admin.ModelAdmin[UnknownName]):
    """Names to map. Saving with a target maps the name and attaches every waiting result."""

    list_display = ("written_as", "kind", "first_seen_at", "waiting", "mapped_at")
    list_filter = (("mapped_at", admin.EmptyFieldListFilter), "kind")
    search_fields = ("written_as",)
    readonly_fields = ("kind", "written_as", "first_seen_at", "mapped_at")
    autocomplete_fields = ("model", "hardware", "backend")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_moderator(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownName]:
        counts = [When(kind=kind, then=_waiting_results(kind)) for kind in UnknownName.Kind.values]
        return super().get_queryset(request).annotate(waiting_total=Case(*counts, default=0))

    def get_fields(self, request: HttpRequest, obj: UnknownName | None = None) -> tuple[str, ...]:
        target = (obj.kind,) if obj else ()
        return ("kind", "written_as", "first_seen_at", *target, "mapped_at")

    @admin.display(description="Waiting results")
    def waiting(self, unknown: UnknownName) -> int:
        return int(getattr(unknown, "waiting_total", None) or 0)

    def save_model(self, request: HttpRequest, obj: UnknownName, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        try:
            attached = map_name(unknown=obj, by=cast(User, request.user))
        except MappingRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            waited = fmt.count(attached, "waiting result")
            self.message_user(request, f"Mapped; {waited} attached.", messages.SUCCESS)


def _waiting_results(kind: str) -> Subquery:
    waiting = Result.objects.filter(**{kind: None, f"{kind}_name__iexact": OuterRef("written_as")})
    return Subquery(waiting.order_by().values(kind).annotate(n=Count("pk")).values("n"))


class InCatalogue(ForModerators):
    """A row of the catalogue: what readers see of it is on pages that are cached by data version."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]  # mixed into ModelAdmin
        if isinstance(obj, Hardware) and "usd_per_gpu_hour" in form.changed_data:
            reprice(obj)
        bump_data_version()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)  # type: ignore[misc]  # mixed into ModelAdmin
        bump_data_version()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)  # type: ignore[misc]  # mixed into ModelAdmin
        bump_data_version()


class ModelAliasInline(admin.TabularInline[ModelAlias, LanguageModel]):
    model = ModelAlias
    extra = 0


class HardwareAliasInline(admin.TabularInline[HardwareAlias, Hardware]):
    model = HardwareAlias
    extra = 0


class BackendAliasInline(admin.TabularInline[BackendAlias, Backend]):
    model = BackendAlias
    extra = 0


@admin.register(LanguageModel)
class LanguageModelAdmin(InCatalogue, admin.ModelAdmin[LanguageModel]):
    formfield_overrides = HTTPS_URLS
    list_display = ("name", "family", "parameters_total_b", "parameters_active_b", "licence")
    list_filter = ("family",)
    search_fields = ("name", "title", "aliases__name")
    inlines = (ModelAliasInline,)


@admin.register(Hardware)
class HardwareAdmin(InCatalogue, admin.ModelAdmin[Hardware]):
    list_display = ("name", "slug", "memory_gb", "bandwidth_gb_per_s", "tdp_w", "usd_per_gpu_hour")
    search_fields = ("name", "slug", "aliases__name")
    inlines = (HardwareAliasInline,)


@admin.register(Backend)
class BackendAdmin(InCatalogue, admin.ModelAdmin[Backend]):
    formfield_overrides = HTTPS_URLS
    list_display = ("name", "slug", "url")
    search_fields = ("name", "slug", "aliases__name")
    inlines = (BackendAliasInline,)
