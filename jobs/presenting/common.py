"""Names and addresses that the pages of jobs and hosts share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.urls import reverse

from accounts.models import User
from jobs.models import Agent, Attempt, AttemptState, Gpu, Job, Outcome
from leaderboard.format import count, number
from leaderboard.pages import Link
from leaderboard.presenting.common import person_link
from runs.presenting.common import run_url

NONE = Link("", "")
SHOWN_UUID = 8
ATTEMPT_WORDS = {
    AttemptState.OFFERED: "Offered",
    AttemptState.RUNNING: "Running",
    AttemptState.UPLOADING: "Uploading",
    AttemptState.LOST: "Lost: the host stayed away",
    AttemptState.DECLINED: "Declined",
    AttemptState.OFFER_EXPIRED: "The host did not answer the offer",
}


def job_url(job: Job, name: str = "detail") -> str:
    return reverse(f"jobs:{name}", args=[job.pk])


def job_link(job: Job) -> Link:
    return Link(job.title or f"Job {job.pk}", job_url(job))


def job_number_link(job: Job) -> Link:
    return Link(f"Job {job.pk}", job_url(job))


def agent_url(agent: Agent, name: str = "agent") -> str:
    return reverse(f"jobs:{name}", args=[agent.pk])


def agent_link(agent: Agent) -> Link:
    return Link(agent.name, agent_url(agent))


def owner_link(owner: User | None) -> Link:
    return NONE if owner is None else person_link(owner)


def short_uuid(uuid: str) -> str:
    """The first eight characters behind the kind: enough to tell the GPUs of a host apart."""
    return uuid.removeprefix("GPU-").removeprefix("MIG-").removeprefix("simulated-")[:SHOWN_UUID]


def attempt_words(attempt: Attempt) -> str:
    """ "Succeeded", "Lost: the host stayed away", "Failed, too late to count"."""
    if attempt.state != AttemptState.DONE:
        return ATTEMPT_WORDS.get(AttemptState(attempt.state), attempt.state)
    words = Outcome(attempt.outcome).label if attempt.outcome else "Done"
    return f"{words}, too late to count: kept as evidence" if attempt.verdict == "late" else words


def gpu_names(gpus: Sequence[Gpu]) -> str:
    """ "2 x NVIDIA H100 80GB HBM3, 1 x NVIDIA L40S"."""
    names: dict[str, int] = {}
    for gpu in gpus:
        names[gpu.name] = names.get(gpu.name, 0) + 1
    return ", ".join(f"{amount} x {name}" for name, amount in names.items())


def gib(memory_mib: float | None) -> str:
    return "" if memory_mib is None else f"{number(memory_mib / 1024, 3)} GiB"


def needs_words(job: Job) -> str:
    """What a host must have, such as "2 x H100 SXM, 40 GiB each, label quiet-host"."""
    gpu = job.hardware.name if job.hardware else "GPU"
    words = [f"{job.gpu_count} x {gpu}"]
    if job.min_memory_mib:
        words.append(f"at least {gib(job.min_memory_mib)}{' each' if job.gpu_count > 1 else ''}")
    if job.label_wanted:
        words.append(f"label {job.label_wanted}")
    if job.agent_wanted is not None:
        words.append(f"only {job.agent_wanted.name}")
    return ", ".join(words)


def estimate_words(job: Job) -> str:
    """ "12 min, 0.083 kWh, $0.25, 31 g CO2", as told before the order."""
    told = job.estimate
    parts = [
        _minutes(told.get("minutes")),
        _figure(told.get("energy_kwh"), "{} kWh"),
        _figure(told.get("usd"), "${}"),
        _figure(told.get("co2_g"), "{} g CO2"),
    ]
    return ", ".join(part for part in parts if part)


def step_words(attempt: Attempt) -> str:
    """ "Step 3 of 9: measure"."""
    if attempt.step_index is None or not attempt.step_count:
        return f"Step: {attempt.step}" if attempt.step else ""
    words = f"Step {attempt.step_index:,} of {attempt.step_count:,}"
    return f"{words}: {attempt.step}" if attempt.step else words


def step_percent(attempt: Attempt) -> int | None:
    if attempt.step_index is None or not attempt.step_count:
        return None
    # The step that it names is under way, not done.
    return min(max(round(100 * (attempt.step_index - 1) / attempt.step_count), 0), 100)


def result_link(job: Job, results: Mapping[uuid.UUID, Sequence[uuid.UUID]]) -> Link:
    """Where its result is, for whoever may see it: the race, the one result, or all results of a sweep."""
    if job.race is not None:
        return Link("Race", run_url(job.race.run))
    found = results.get(job.submission_id, ()) if job.submission_id else ()
    if not found:
        return NONE
    label = "Result" if len(found) == 1 else f"First of {len(found)} results"
    return Link(label, reverse("leaderboard:result", args=[found[0]]))


def jobs_words(amount: int) -> str:
    return count(amount, "job")


def _minutes(value: object) -> str:
    if not isinstance(value, int | float):
        return ""
    return f"{number(float(value), 2)} min" if value >= 1 else "less than a minute"


def _figure(value: object, form: str) -> str:
    return form.format(number(float(value), 2)) if isinstance(value, int | float) else ""
