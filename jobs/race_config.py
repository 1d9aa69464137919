"""What may be ordered as a race, and what each host is told. No address is part of it: the host's operator names it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

#: suites of test cases that lem-agent brings along, by their names in gpuagent/race/suites, with what they ask for
USE_CASES: Mapping[str, str] = {
    "question-answering": "Short answers from a given text",
    "extraction": "A JSON object from a message",
    "summarisation": "A summary of a length, with its facts",
    "code-review": "The defects of a short program, by line",
}
SUITE_VERSION = "2026.1"
CASES_PER_USE_CASE = 12
MAX_LANES = 8
#: the hosts of a scheduled race are taken so long before its start
LEAD_S = 5 * 60
#: a lane that is ready gives up after so long; more than the lead, so that a scheduled race has time
WAIT_S = 15 * 60
#: from the start to the last answer
RUN_S = 30 * 60
WALL_S = LEAD_S + WAIT_S + RUN_S
MAX_DAYS_AHEAD = 30
MODEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$"

ModelName = Annotated[str, StringConstraints(strict=True, pattern=MODEL_PATTERN)]
Label = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]


class RaceOrder(BaseModel):
    """One order for several hosts. What it does not know is refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    label: Label
    #: as the servers call it
    model: ModelName
    use_cases: Annotated[tuple[str, ...], Field(min_length=1, max_length=len(USE_CASES))]
    #: hosts, a lane each
    agents: Annotated[tuple[uuid.UUID, ...], Field(min_length=1, max_length=MAX_LANES)]
    max_tokens: Annotated[int, Field(strict=True, ge=16, le=1024)] = 256
    #: requests at the same time, per lane
    concurrency: Annotated[int, Field(strict=True, ge=1, le=64)] = 4
    #: None is as soon as all lanes are ready
    starts_at: AwareDatetime | None = None
    simulate: Annotated[bool, Field(strict=True)] = False

    @field_validator("model")
    @classmethod
    def _is_no_path(cls, value: str) -> str:
        if ".." in value or "--" in value:
            raise ValueError("must be the name of a model, such as Qwen/Qwen2.5-7B-Instruct")
        return value

    @field_validator("use_cases")
    @classmethod
    def _are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in USE_CASES]
        if unknown:
            raise ValueError(f"must be of {', '.join(USE_CASES)}")
        return tuple(name for name in USE_CASES if name in value)

    @field_validator("agents")
    @classmethod
    def _differ(cls, value: tuple[uuid.UUID, ...]) -> tuple[uuid.UUID, ...]:
        if len(set(value)) < len(value):
            raise ValueError("must be different hosts: each runs one lane")
        return value


def lane_config(order: RaceOrder, *, lane: str) -> dict[str, Any]:
    """What one lane's host is told, and what its job keeps."""
    return {
        "kind": "race",
        "lane": lane,
        "model": order.model,
        "use_cases": list(order.use_cases),
        "suite_version": SUITE_VERSION,
        "max_tokens": order.max_tokens,
        "concurrency": order.concurrency,
        "wait_s": LEAD_S + WAIT_S,
        "run_s": RUN_S,
        "simulate": order.simulate,
    }


def render(config: Mapping[str, Any]) -> str:
    """As JSON, which is YAML too, and which a host reads without a YAML parser's surprises."""
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"
