"""What people type to order a race."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from pydantic import ValidationError

from jobs.models import Agent
from jobs.race_config import MAX_LANES, USE_CASES, RaceOrder

#: in place of a regular expression
PLAIN = {
    "label": "must be plain text of one line",
    "model": "must be the name of a model, such as Qwen/Qwen2.5-7B-Instruct",
}
USE_CASE_CHOICES = [(name, f"{name}: {about}") for name, about in USE_CASES.items()]


class RaceForm(forms.Form):
    """The fields of a RaceOrder, which says what of them is right."""

    label = forms.CharField(label="Name of the race", max_length=120, help_text="Shown above its lanes.")
    model = forms.CharField(
        label="Model",
        max_length=200,
        help_text="As the hosts' servers call it, such as Qwen/Qwen2.5-7B-Instruct.",
    )
    use_cases = forms.MultipleChoiceField(
        label="Use cases, 12 test cases each",
        choices=USE_CASE_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        initial=["question-answering", "extraction"],
    )
    agents = forms.MultipleChoiceField(
        label="Hosts, a lane each",
        widget=forms.CheckboxSelectMultiple,
        help_text=f"Up to {MAX_LANES}. Simulated hosts race among themselves.",
    )
    max_tokens = forms.IntegerField(label="Tokens per answer, at most", min_value=16, max_value=1024, initial=256)
    concurrency = forms.IntegerField(label="Requests at the same time, per lane", min_value=1, max_value=64, initial=4)
    starts_at = forms.DateTimeField(
        label="Start, UTC",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Leave it empty to start as soon as all hosts are ready.",
    )

    def __init__(self, *args: Any, hosts: Sequence[tuple[Agent, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hosts = {str(agent.pk): agent for agent, _ in hosts}
        choices = [(str(agent.pk), words) for agent, words in hosts]
        self.fields["agents"].choices = choices  # type: ignore[attr-defined]  # it is the field above

    @property
    def checks(self) -> list[forms.BoundField]:
        return [self["use_cases"], self["agents"]]

    @property
    def figures(self) -> list[forms.BoundField]:
        return [self["max_tokens"], self["concurrency"], self["starts_at"]]

    def order(self) -> RaceOrder | None:
        """None where a field is wrong, which then says so."""
        if not self.is_valid():
            return None
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        chosen = [self._hosts[pk] for pk in given["agents"]]
        given["simulate"] = all(agent.is_simulated for agent in chosen)
        given["starts_at"] = _aware(given.get("starts_at"))
        try:
            return RaceOrder.model_validate(given)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False, include_input=False):
                field = str(problem["loc"][0]) if problem["loc"] else ""
                plain = PLAIN.get(field) if problem["type"] == "string_pattern_mismatch" else None
                sentence = plain or problem["msg"].removeprefix("Value error, ")[:200]
                self.add_error(field if field in self.fields else None, sentence)
            return None


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
