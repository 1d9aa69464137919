"""What every importer shares: documents in, measurements out, one refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from leaderboard.normal import ParsedResult

if TYPE_CHECKING:
    from leaderboard.importers.telemetry import Reading

#: what is read, for the sentence that refuses everything else
SHAPES_IN_WORDS = (
    "results and study folders of the llem CLI, reports of AIPerf, GuideLLM, inference-perf, llm-d, LocalScore, "
    "ML.ENERGY, optimum-benchmark and vLLM bench serve, and this site's own form as JSON or CSV"
)


class ImportRefused(ValueError):
    """A file cannot be imported: one plain sentence naming the file, the field, and what would be right."""

    def __init__(self, message: str, *, file: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.field = field

    @classmethod
    def for_field(cls, file: str, field: str, problem: str) -> ImportRefused:
        return cls(f"{file}: {field} {problem}.", file=file, field=field)


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON value or one CSV row, and where it lies in the upload."""

    #: path inside the upload; values of an array carry their place, as in "results.json[3]"
    path: str
    data: Any
    #: path of the uploaded file itself
    source: str

    @property
    def folder(self) -> str:
        return self.source.rpartition("/")[0]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.data) if isinstance(self.data, dict) else frozenset()


@dataclass(frozen=True, slots=True)
class Sides:
    """The files that a tool writes beside a result, already matched to it; empty where there is none."""

    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    #: benchmark_config.json of optimum-benchmark
    run_config: dict[str, Any] = field(default_factory=dict)
    #: gpu_telemetry_export.jsonl of AIPerf
    telemetry: Sequence[Reading] = ()


@dataclass(slots=True)
class Measurement:
    """One measured cycle. Cycles with an equal `repeat_key` become one result; None never merges."""

    parsed: ParsedResult
    shape: str
    repeat_key: tuple[str, ...] | None = None


#: takes what cannot be read, so that the rest is; where there is none, the first refusal ends the import
Refused = list[ImportRefused]


def refuse_or_collect(refused: Refused | None, error: ImportRefused) -> None:
    """Note the refusal where they are collected, else raise it."""
    if refused is None:
        raise error
    refused.append(error)


class Importer(Protocol):
    """Reads one family of shapes. It never raises anything but ImportRefused."""

    @property
    def shapes(self) -> tuple[str, ...]: ...

    def detect(self, keys: frozenset[str]) -> str | None:
        """Return the shape of an object with these keys, or None. Version numbers are never looked at."""
        ...

    def read(self, document: Document, sides: Sides, /) -> Sequence[Measurement]:
        """Return the measurements of one document, or raise ImportRefused."""
        ...
