"""Verifying a community result: its configuration is run once more here, with a seed that the site draws."""

from __future__ import annotations

import secrets

from django.db import transaction
from pydantic import ValidationError

from accounts.models import User
from accounts.services.bans import refuse_banned
from jobs.config import LlemOrder
from jobs.models import Job
from jobs.presets import foreign_settings, of_result
from jobs.queries.matching import matching_agents
from jobs.services.clock import db_now
from jobs.services.ordering import OrderRefused, draft_job, order_job
from leaderboard.models import Result, Trust
from leaderboard.services.quotas import lock_person

#: without these a run is not the same configuration
_NEEDED = ("model", "engine", "precision", "batch_sizes", "hardware", "gpu_count", "max_output_tokens")


class VerifyRefused(ValueError):
    """This result cannot be verified, or not now; the message says why."""


@transaction.atomic
def verify_result(*, result: Result, by: User) -> Job:
    """Order the same configuration with a seed that nobody could know. Raises Banned, OverQuota, VerifyRefused."""
    order = order_of(result)
    refuse_banned(by)
    # The person before the result, as everywhere.
    lock_person(by)
    # One at a time: two would compare with the same result and undo one another's verdict.
    Result.objects.select_for_update(no_key=True).get(pk=result.pk)
    running = Job.objects.open().filter(verifies=result).first()
    if running is not None:
        raise VerifyRefused(f"Job {running.pk} is verifying this result already.")
    seed = secrets.randbelow(2**31 - 1) + 1
    try:
        draft, _ = draft_job(owner=by, order=order, seed=seed)
        if not matching_agents(draft, db_now()):
            raise VerifyRefused("No host with this hardware is there now; try again when one is.")
        return order_job(owner=by, order=order, verifies=result, seed=seed)
    except OrderRefused as refused:
        raise VerifyRefused(f"This configuration cannot be run here: {refused}.") from None


def order_of(result: Result) -> LlemOrder:
    """The order that measures the same. Raises VerifyRefused with what is missing or cannot be ordered."""
    if result.trust in (Trust.RUN_HERE, Trust.REPRODUCED):
        raise VerifyRefused("This result was measured here already.")
    if not result.is_ranked:
        raise VerifyRefused("Only a published result that is ranked can be verified.")
    if not _is_of_llem(result):
        raise VerifyRefused("Only what llem measured with its own prompts can be repeated here.")
    if foreign := foreign_settings(result):
        raise VerifyRefused(f"Its configuration has settings that cannot be ordered: {', '.join(foreign[:5])}.")
    fields = dict(of_result(result).fields)
    if missing := [name for name in _NEEDED if not fields.get(name)]:
        words = ", ".join(name.replace("_", " ") for name in missing)
        raise VerifyRefused(f"It does not say enough to be run again. Missing, or not possible here: {words}.")
    try:
        return LlemOrder.model_validate({**fields, "n_cycles": max(fields.get("n_cycles") or 0, 3)})
    except ValidationError:
        raise VerifyRefused("Its configuration cannot be ordered here.") from None


def _is_of_llem(result: Result) -> bool:
    """Whether its prompts are those that an order has, given all at once."""
    config = result.config if isinstance(result.config, dict) else {}
    task = config.get("task")
    dataset = task.get("dataset") if isinstance(task, dict) else None
    source = dataset.get("source") if isinstance(dataset, dict) else None
    return source == "aienergyscore" and config.get("serving_mode", "offline") == "offline"
