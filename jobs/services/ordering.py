"""Ordering an energy benchmark: what it needs and takes is worked out, and the job queued within a person's quota."""

from __future__ import annotations

from django.db import transaction
from pydantic import ValidationError

from accounts.models import User
from accounts.services.bans import refuse_banned
from jobs.config import LlemOrder, sentence
from jobs.estimating import Estimate, estimate, memory_needed_mib
from jobs.limits import MAX_WALL_S, QUEUED_PER_PERSON
from jobs.models import Agent, Engine, Job, JobEvent, JobKind, JobState
from jobs.queries.estimates import facts_of
from jobs.queries.matching import matching_agents
from jobs.rendering import render, sha256_of
from jobs.services.clock import db_now
from jobs.services.tickets import issue_ticket
from jobs.trying import refusals
from leaderboard.models import Hardware, LanguageModel, ModelAlias, Result
from leaderboard.services.quotas import OverQuota, lock_person

#: a job is stopped after so many times its estimate, and not before this
WALL_FACTOR, LEAST_WALL_S = 3, 3600
#: without an estimate
DEFAULT_WALL_S = 4 * 3600
RETRY_AFTER_S = 60


class OrderRefused(ValueError):
    """This cannot be ordered; `fields` says of each field what is wrong, "" being the order as a whole."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        super().__init__("; ".join(f"{name}: {words}" if name else words for name, words in fields.items()))


def draft_job(
    *, owner: User | None, order: LlemOrder, simulate: bool = False, seed: int | None = None, agent: Agent | None = None
) -> tuple[Job, Estimate]:
    """The job that an order would become, and what it takes. Nothing is written. Raises OrderRefused."""
    model, hardware = _model(order), _hardware(order)
    order = _named_as_in_the_catalogue(order, model)
    if stopped := refusals(order):
        raise OrderRefused({"": " ".join(sentence(reason) for reason in stopped[:5])})
    job = Job(
        owner=owner,
        kind=JobKind.LLEM,
        title=title_of(order, model),
        config=order.stored(),
        state=JobState.QUEUED,
        is_simulated=simulate,
        model=model,
        engine=Engine(order.engine),
        hardware=hardware,
        gpu_count=order.gpu_count,
        min_memory_mib=memory_needed_mib(order, model.parameters_total_b),
        label_wanted=order.label,
        agent_wanted=agent,
        seed=order.seed if seed is None else seed,
        available_at=db_now(),
    )
    hosts = matching_agents(job, job.available_at)
    told = estimate(order, facts_of(order, model, hosts, owner), simulate=simulate)
    _refuse_too_small(hardware, job)
    job.estimate, job.wall_s = told.stored(), _wall_s(order, told)
    job.rendered = render(order, seed=job.seed, wall_s=job.wall_s)
    job.rendered_sha256 = sha256_of(job.rendered)
    return job, told


@transaction.atomic
def order_job(
    *,
    owner: User,
    order: LlemOrder,
    simulate: bool = False,
    copied_from: Job | None = None,
    verifies: Result | None = None,
    seed: int | None = None,
    agent: Agent | None = None,
) -> Job:
    """Queue a job. Raises Banned, OverQuota and OrderRefused."""
    refuse_banned(owner)
    lock_person(owner)
    refuse_over_quota(owner)
    job, _ = draft_job(owner=owner, order=order, simulate=simulate, seed=seed, agent=agent)
    job.copied_from, job.verifies = copied_from, verifies
    job.save(force_insert=True)
    JobEvent.objects.create(job=job, to_state=JobState.QUEUED, event="submitted", actor=owner)
    issue_ticket(job)
    return job


def refuse_over_quota(owner: User) -> None:
    """Only what is open counts: a job that a host failed and that is queued again is still the same one."""
    if Job.objects.open().filter(owner=owner).count() >= QUEUED_PER_PERSON:
        words = f"At most {QUEUED_PER_PERSON} jobs of one person wait or run at once; one of yours has to end first."
        raise OverQuota(words, retry_after_s=RETRY_AFTER_S)


def title_of(order: LlemOrder, model: LanguageModel) -> str:
    """ "Qwen2.5 7B, vLLM, bf16, batch 1 to 32, 2 GPUs"."""
    sizes = order.batch_sizes
    batch = f"batch {sizes[0]}" if len(sizes) == 1 else f"batch {min(sizes)} to {max(sizes)}"
    precisions = "/".join(order.sweep.precision or (order.precision,))
    parts = [model.title, Engine(order.engine).label, precisions, batch]
    parts += [f"{order.gpu_count} GPUs"] if order.gpu_count > 1 else []
    return ", ".join(parts)[:300]


def _model(order: LlemOrder) -> LanguageModel:
    """The catalogue's, by its name or another that it goes by; llem is given the catalogue's own."""
    found = LanguageModel.objects.filter(name=order.model).first()
    if found is None:
        alias = ModelAlias.objects.filter(name=ModelAlias.fold(order.model)).select_related("target").first()
        found = alias.target if alias else None
    if found is None:
        raise OrderRefused({"model": "not in the catalogue; a moderator can add it"})
    return found


def _named_as_in_the_catalogue(order: LlemOrder, model: LanguageModel) -> LlemOrder:
    """The catalogue is wider than what may be ordered: not every name in it is that of a repository."""
    try:
        return LlemOrder.model_validate({**order.model_dump(), "model": model.name})
    except ValidationError:
        raise OrderRefused(
            {"model": f"the catalogue's {model.name} is no repository that a host could fetch"}
        ) from None


def _hardware(order: LlemOrder) -> Hardware | None:
    if order.hardware is None:
        return None
    found = Hardware.objects.filter(slug=order.hardware).first()
    if found is None:
        raise OrderRefused({"hardware": "not in the catalogue"})
    return found


def _refuse_too_small(hardware: Hardware | None, job: Job) -> None:
    """No host will ever have such a GPU with more memory than the catalogue says, so the job would wait for good."""
    if hardware is None or not hardware.memory_gb or job.min_memory_mib <= hardware.memory_gb * 1024:
        return
    needed = f"{job.min_memory_mib / 1024:.0f} GiB of each GPU"
    raise OrderRefused({"gpu_count": f"the weights take {needed}, and {hardware.name} has {hardware.memory_gb:g}"})


def _wall_s(order: LlemOrder, told: Estimate) -> int:
    """When the job is stopped. Raises OrderRefused where it would be stopped before it can have ended."""
    needed_s = None if told.minutes is None else told.minutes * 60
    if needed_s is not None and needed_s > MAX_WALL_S:
        hours = needed_s / 3600
        raise OrderRefused({"": f"This takes about {hours:,.0f} hours, and no job may take more than 24: vary less."})
    if order.wall_minutes is None:
        wanted_s = DEFAULT_WALL_S if needed_s is None else WALL_FACTOR * needed_s
        return int(min(max(wanted_s, LEAST_WALL_S), MAX_WALL_S))
    if needed_s is not None and needed_s > order.wall_minutes * 60:
        raise OrderRefused({"wall_minutes": f"the job is estimated to take {needed_s / 60:,.0f} minutes"})
    return order.wall_minutes * 60
