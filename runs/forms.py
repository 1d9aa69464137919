"""What people type into the pages of runs."""

from __future__ import annotations

from typing import Any

from django import forms

from runs.history import RunFilter, lane_types

MAX_TEXT = 100
STATES = (("", "any"), ("live", "live"), ("finished", "finished"), ("failed", "failed"), ("stopped", "stopped"))


class RunFilterForm(forms.Form):
    """The filters of the history. A value that is not offered filters nothing, and the field says so."""

    q = forms.CharField(label="Search", required=False, max_length=MAX_TEXT)
    model = forms.CharField(label="Model", required=False, max_length=MAX_TEXT)
    lane = forms.ChoiceField(label="Lane type", required=False)
    state = forms.ChoiceField(label="State", required=False, choices=STATES)
    simulated = forms.BooleanField(label="Simulated runs too", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "any"), *((name, name) for name in lane_types())]
        self.fields["lane"].choices = choices  # type: ignore[attr-defined]  # it is the ChoiceField above

    @property
    def selects(self) -> list[forms.BoundField]:
        return [self["lane"], self["state"]]

    def filter(self) -> RunFilter:
        self.is_valid()
        return RunFilter(**self.cleaned_data)


class CompareForm(forms.Form):
    """Which models, and whether simulated runs count."""

    simulated = forms.BooleanField(label="Simulated runs too", required=False)
