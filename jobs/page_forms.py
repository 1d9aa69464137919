"""What people type into the pages of jobs and hosts."""

from __future__ import annotations

from django import forms

from jobs.models import JobKind, JobState
from jobs.queries.jobs import JobFilter

MAX_TEXT = 100
MAX_REASON = 200
MAX_PRIORITY = 100
MAX_ID = 2**63 - 1
STATES = (("", "any"), ("open", "open"), *JobState.choices)


class JobFilterForm(forms.Form):
    """The filters of the history. A value that is not offered filters nothing, and the field says so."""

    q = forms.CharField(label="Search", required=False, max_length=MAX_TEXT)
    state = forms.ChoiceField(label="State", required=False, choices=STATES)
    kind = forms.ChoiceField(label="Kind", required=False, choices=(("", "any"), *JobKind.choices))
    owner = forms.CharField(label="Ordered by", required=False, max_length=MAX_TEXT)
    host = forms.CharField(label="Host", required=False, max_length=MAX_TEXT)
    measured = forms.BooleanField(label="Without simulated jobs", required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=MAX_ID)

    @property
    def texts(self) -> list[forms.BoundField]:
        return [self["q"], self["owner"], self["host"]]

    @property
    def selects(self) -> list[forms.BoundField]:
        return [self["state"], self["kind"]]

    def filter(self) -> JobFilter:
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if name not in ("measured", "before")}
        return JobFilter(**given, simulated=not self.cleaned_data.get("measured"))

    @property
    def before_id(self) -> int | None:
        self.is_valid()
        before: int | None = self.cleaned_data.get("before")
        return before


class WatchForm(forms.Form):
    """What a page that is open already has, and which attempt it shows."""

    attempt = forms.IntegerField(required=False, min_value=1, max_value=32_767)
    at = forms.CharField(required=False, max_length=300)
    pinned = forms.BooleanField(required=False)


class StretchForm(forms.Form):
    """From where a log or a series goes on."""

    after = forms.IntegerField(required=False, min_value=0, max_value=MAX_ID)
    download = forms.BooleanField(required=False)


class ReasonForm(forms.Form):
    """Why somebody decides so."""

    reason = forms.CharField(required=False, max_length=MAX_REASON)


class PriorityForm(ReasonForm):
    priority = forms.IntegerField(min_value=-MAX_PRIORITY, max_value=MAX_PRIORITY)


class EnrolForm(forms.Form):
    """A host that is about to be connected."""

    name = forms.CharField(
        label="Name of the host", max_length=80, help_text="Everybody reads it. Letters, digits, dots and dashes."
    )
