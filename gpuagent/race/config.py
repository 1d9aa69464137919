"""What the site may ask of a lane. The model server's address is not part of it: the host's operator names that."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

MAX_CONFIG_BYTES = 16_384
UseCase = Literal["question-answering", "extraction", "summarisation", "code-review"]
ModelName = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$")
]


class BadRaceConfig(ValueError):
    """The site asks for something that no lane does; the message names the field."""


class RaceConfig(BaseModel):
    """One lane as it was ordered."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    kind: Literal["race"]
    lane: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=120)]
    #: as the server calls it
    model: ModelName
    use_cases: Annotated[list[UseCase], Field(min_length=1, max_length=4)]
    suite_version: Annotated[str, StringConstraints(strict=True, pattern=r"^\d{4}\.\d{1,3}$")]
    max_tokens: Annotated[int, Field(strict=True, ge=16, le=1024)]
    #: requests at the same time
    concurrency: Annotated[int, Field(strict=True, ge=1, le=64)]
    #: a lane that is ready waits so long for the others
    wait_s: Annotated[int, Field(strict=True, ge=1, le=3600)]
    #: from the start to the last answer
    run_s: Annotated[int, Field(strict=True, ge=1, le=7200)]
    simulate: Annotated[bool, Field(strict=True)]

    @field_validator("model")
    @classmethod
    def _is_no_path(cls, value: str) -> str:
        if ".." in value or "--" in value:
            raise ValueError("is not the name of a model")
        return value

    @field_validator("use_cases")
    @classmethod
    def _differ(cls, value: list[UseCase]) -> list[UseCase]:
        if len(set(value)) < len(value):
            raise ValueError("names one twice")
        return value


def parse_config(text: str) -> RaceConfig:
    """Raises BadRaceConfig with one sentence."""
    if len(text.encode(errors="replace")) > MAX_CONFIG_BYTES:
        raise BadRaceConfig(f"The configuration is longer than {MAX_CONFIG_BYTES} bytes.")
    try:
        return RaceConfig.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadRaceConfig(f"{field or 'The configuration'}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise BadRaceConfig("The configuration is not JSON.") from None
