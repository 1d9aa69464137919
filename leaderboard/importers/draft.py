"""A result while it is being read: each value with where it comes from, then the figures that follow from others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from leaderboard.importers.base import ImportRefused
from leaderboard.importers.fields import Fields
from leaderboard.normal import BIGGEST_NUMBER, SMALLEST_NUMBER, NormalResult, Origin, ParsedResult
from leaderboard.redaction import is_local_path, redact_value

NOT_IN_FILE = "The file does not give this value."
NAIVE_TIME = "The file gives a time without a zone; it is taken as UTC."
MAX_WARNINGS = 50


def ratio(top: float | None, bottom: float | None) -> float | None:
    """Return top / bottom where that can be a measurement, else None: a figure that cannot be is not shown."""
    if not top or not bottom:
        return None
    value = top / bottom
    return value if SMALLEST_NUMBER <= value <= BIGGEST_NUMBER else None


@dataclass(slots=True)
class Draft:
    """Collects fields by name; `finish` derives, validates and returns the ParsedResult."""

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    #: input + output tokens where the file gives only their sum
    total_tokens: int | None = None

    def given(self, name: str, value: Any, note: str | None = None) -> None:
        """Keep a value as the file has it. None is ignored, so the first source that has the value wins."""
        self._keep(name, value, Origin.FILE, note)

    def computed(self, name: str, value: Any, note: str) -> None:
        self._keep(name, value, Origin.COMPUTED, note)

    def missing(self, name: str, note: str) -> None:
        if name not in self.values:
            self.notes[name] = note

    def _keep(self, name: str, value: Any, origin: Origin, note: str | None) -> None:
        if value is None or name in self.values:
            return
        self.values[name] = value
        self.origins[name] = origin
        self.notes.pop(name, None)
        if note:
            self.notes[name] = note

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        return None if value is None else float(value)

    def times(self, fields: Fields, *, start: str = "start_time", end: str = "end_time") -> float | None:
        """Read both times and return the seconds between them, None unless positive."""
        started, ended = fields.moment(start), fields.moment(end)
        if started:
            self.given("started_at", started.at, NAIVE_TIME if started.was_naive else None)
        if ended:
            self.given("ended_at", ended.at, NAIVE_TIME if ended.was_naive else None)
        if not started or not ended:
            return None
        seconds = (ended.at - started.at).total_seconds()
        if seconds < 0:
            raise fields.refuse(end, f"is before {start}")
        return seconds or None

    def finish(
        self, *, identity: str = "", config: dict[str, Any] | None = None, environment: dict[str, Any] | None = None
    ) -> ParsedResult:
        derive(self)
        self._shorten_local_names()
        values = self._validated()
        for name in NormalResult.model_fields:
            if name not in self.values:
                self.origins[name] = Origin.MISSING
                self.notes.setdefault(name, NOT_IN_FILE)
        return ParsedResult(
            values=values,
            origins=self.origins,
            file=self.file,
            notes=self.notes,
            warnings=[str(item) for item in redact_value(self.warnings[:MAX_WARNINGS])[0]],
            config=config or {},
            environment=environment or {},
            identity=identity,
        )

    def _shorten_local_names(self) -> None:
        """A model or data set loaded from a local folder must not publish the path, which often names a person."""
        for name in ("model", "dataset"):
            text = self.values.get(name)
            if isinstance(text, str) and is_local_path(text):
                last = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
                self.values[name] = last or "local folder"
                self.notes[name] = "The tool read it from a local folder; only the folder's name is kept."

    def _validated(self) -> NormalResult:
        try:
            return NormalResult(**self.values)
        except ValidationError as error:
            raise refusal(self.file, error.errors(include_url=False)[0]) from None


def refusal(file: str, fault: ErrorDetails) -> ImportRefused:
    """Turn one complaint of pydantic's into one plain sentence."""
    place = ".".join(str(step) for step in fault["loc"])
    problem = fault["msg"].replace("Input should be", "must be").replace("Field required", "is missing")
    if fault["type"] == "extra_forbidden":
        problem = "is not a field of this site's own form; its fields are listed in the documentation"
    return ImportRefused.for_field(file, place or "the file", problem[:200])


def derive(draft: Draft) -> None:
    """Fill in what follows from other values, as docs/metrics.md defines it. Values of the file are left alone."""
    output, incoming = draft.number("output_tokens"), draft.number("input_tokens")
    both = output + incoming if output is not None and incoming is not None else draft.total_tokens
    duration, energy = draft.number("duration_s"), draft.number("total_energy_j")
    for name, top, bottom, note in (
        ("throughput_tokens_per_s", output, duration, "Output tokens divided by the measured time."),
        ("total_throughput_tokens_per_s", both, duration, "Input and output tokens divided by the measured time."),
        ("energy_per_output_token_j", energy, output, "Total energy divided by output tokens."),
        ("energy_per_total_token_j", energy, both, "Total energy divided by input and output tokens."),
        ("tokens_per_joule", output, energy, "Output tokens divided by total energy."),
        ("total_tokens_per_joule", both, energy, "Input and output tokens divided by total energy."),
        ("avg_power_w", energy, duration, "Total energy divided by the measured time, all GPUs together."),
    ):
        draft.computed(name, ratio(top, bottom), note)
