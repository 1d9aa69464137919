"""What the admin pages of moderators share: who may look, and steps that are taken with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

MAX_REASON = 2000
#: before the id of a row in the name of a hidden input
SEEN = "seen-"
Row = TypeVar("Row", bound=Model)


def is_moderator(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated and getattr(request.user, "is_moderator", False))


class ForModerators:
    """What a moderator sees without any right beside "Can review submissions"."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_moderator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_moderator(request)


def as_person(model: type[Model], name: Any) -> Any:
    """What shows the field `name`: of a person their public page, as moderators may not open the one of the admin."""
    field = next((field for field in model._meta.concrete_fields if field.name == name), None)
    if field is None or field.related_model is not get_user_model():
        return name

    @admin.display(description=field.verbose_name.capitalize())
    def shown(row: Any) -> str:
        person = getattr(row, name)
        if person is None or person.deleted_at is not None or not person.is_active:
            return str(person or "-")
        return format_html('<a href="{}">{}</a>', reverse("leaderboard:person", args=[person.username]), person)

    return shown


class ReadOnly(ForModerators):
    """Rows that services write and the admin only shows."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]  # mixed into ModelAdmin
        if self.has_change_permission(request, obj) or (obj is None and self.has_add_permission(request)):
            return fieldsets
        model: type[Model] = self.model  # type: ignore[attr-defined]  # mixed into ModelAdmin
        return [
            (title, {**options, "fields": [as_person(model, name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Answer:
    """A reason that is given often; `step` is the decision it belongs to."""

    pk: int
    step: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: what its button says, what to say when it is done, and the service that carries it out.

    `run` takes the row, the actor and the reason; it raises ValueError with a sentence where it cannot be.
    """

    verb: str
    done: str
    run: Callable[[Any, Any, str], object]
    needs_reason: bool = True
    #: False where there is nothing to say, so that a list takes the step at once
    asks_reason: bool = True


class ReasonForm(forms.Form):
    """Why a moderator decides so."""

    reason = forms.CharField(
        required=False, max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3, "cols": 80}), label="Reason"
    )


class TakesSteps(ReadOnly, admin.ModelAdmin[Row]):
    """Rows that change by steps alone: from the list for many, from the page of one."""

    change_form_template = "admin/step_form.html"
    steps: Mapping[str, Step] = {}

    def steps_for(self, row: Any) -> Mapping[str, Step]:
        """The steps that are possible for a row as it stands."""
        return self.steps

    def answers(self, steps: Sequence[str]) -> Sequence[Answer]:
        """Reasons to choose from."""
        return ()

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of one row shows beside the form."""
        return {}

    def seen(self, row: Any) -> str:
        """What a decision is about. A form carries it, and is refused when the row says something else by then."""
        return ""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if not is_moderator(request):
            return {}
        return {name: (_ask_reason, name, step.verb) for name, step in self.steps.items()}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one row; a POST from its form is a step, nothing else is changed."""
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if row is None or not self.has_view_permission(request):
            return super().changeform_view(request, object_id, form_url, extra_context)
        if request.method == "POST":
            self.post_step(request, row)
            return HttpResponseRedirect(request.get_full_path())
        steps = self.steps_for(row)
        context = {
            "form": ReasonForm(),
            "steps": steps.items(),
            "answers": self.answers(list(steps)),
            "seen": _seen(self, [row]),
        }
        context |= {**self.page_context(request, row), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def post_step(self, request: HttpRequest, row: Any) -> None:
        self.take(request, [row], request.POST.get("decision", ""))

    def take(self, request: HttpRequest, rows: Sequence[Any] | QuerySet[Any], name: str) -> None:
        """One by one: a row that cannot take the step does not keep the others."""
        step = self.steps.get(name)
        if step is None:
            return self._say(request, "Choose a decision.", messages.ERROR)
        reason = self._reason(request, name)
        if reason is None:
            return self._say(request, f"reason: at most {MAX_REASON:,} characters.", messages.ERROR)
        if step.needs_reason and not reason:
            return self._say(request, "Give a reason: whom it is about reads it, and it stays.", messages.ERROR)
        done = 0
        for row in rows:
            if request.POST.get(f"{SEEN}{row.pk}", self.seen(row)) != self.seen(row):
                self._say(request, f"{row}: it has changed since you looked: look again.", messages.ERROR)
                continue
            try:
                step.run(row, request.user, reason)
                done += 1
            except ValueError as refused:
                self._say(request, f"{row}: {refused}", messages.ERROR)
        if done:
            self._say(request, f"{step.done}: {done}.", messages.SUCCESS)
        return None

    def _reason(self, request: HttpRequest, name: str) -> str | None:
        """What was written, else the text of the answer that was chosen; None when it is too long."""
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return None
        written: str = form.cleaned_data["reason"].strip()
        chosen = request.POST.get("answer", "")
        return written or next((each.text for each in self.answers([name]) if str(each.pk) == chosen), "")

    def _say(self, request: HttpRequest, text: str, level: int) -> None:
        messages.add_message(request, level, text)


def _seen(shown: Any, rows: Sequence[Any]) -> list[tuple[str, str]]:
    """Hidden inputs of a form that decides on these rows."""
    return [(f"{SEEN}{row.pk}", shown.seen(row)) for row in rows if shown.seen(row)]


def _ask_reason(shown: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """The action of a list: first a page that asks for the reason, then the step for every chosen row."""
    name = request.POST["action"]
    if "reason" in request.POST or not shown.steps[name].asks_reason:
        shown.take(request, queryset.order_by(), name)
        return None
    step = shown.steps[name]
    rows = list(queryset)
    context = {
        **shown.admin_site.each_context(request),
        "title": f"{step.verb}: {len(rows):,}",
        "form": ReasonForm(),
        "rows": rows,
        "action_name": name,
        "step": step,
        "answers": shown.answers([name]),
        "seen": _seen(shown, rows),
        "opts": shown.model._meta,
    }
    return TemplateResponse(request, "admin/steps_form.html", context)
