"""What was tried and failed, told by the apps that know; this one does not know of jobs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """How often a model failed on a GPU, and where the newest of these is told about."""

    count: int
    url: str


#: (model, hardware) by primary key -> what failed there
Failures = Mapping[tuple[int, int], Failure]


@dataclass(frozen=True, slots=True)
class Source:
    """An app that knows of failures."""

    #: with these models on these GPUs, by primary key
    among: Callable[[Collection[int], Collection[int]], Failures]
    #: a text that changes with them, for caches
    mark: Callable[[], str]


_sources: dict[str, Source] = {}


def register_failures(name: str, source: Source) -> None:
    """Called once by an app that is ready; a name that is there is replaced."""
    _sources[name] = source


def failures_mark() -> str:
    """Changes whenever something else fails; results have the data version."""
    return " ".join(source.mark() for source in _sources.values())


def failures_among(models: Collection[int], hardware: Collection[int]) -> Failures:
    """What failed with these models on these GPUs, by all sources together."""
    found: dict[tuple[int, int], Failure] = {}
    for source in _sources.values():
        for pair, failure in source.among(models, hardware).items():
            before = found.get(pair)
            found[pair] = Failure(before.count + failure.count, before.url) if before else failure
    return found
