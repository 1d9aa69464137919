"""Asks llem's own models whether they would run an order, so that a rule of an engine is heard before the queue."""

from __future__ import annotations

import re

from llenergymeasure.config.models import ExperimentConfig
from pydantic import ValidationError

from jobs.config import LlemOrder
from jobs.rendering import experiment

_RULE = re.compile(r"^(Value error, )?(\[[^\]]*\] )?")


def refusals(order: LlemOrder) -> list[str]:
    """One sentence per reason, with how many of the configurations it stops; empty when all of them run."""
    counted: dict[str, int] = {}
    for single in order.each():
        for reason in _reasons(single):
            counted[reason] = counted.get(reason, 0) + 1
    if order.cells == 1:
        return list(counted)
    return [f"{number} of {order.cells} configurations: {reason}" for reason, number in counted.items()]


def _reasons(single: LlemOrder) -> list[str]:
    try:
        ExperimentConfig.model_validate(experiment(single, seed=single.seed))
    except ValidationError as error:
        return [_RULE.sub("", problem["msg"]) for problem in error.errors(include_url=False)]
    return []
