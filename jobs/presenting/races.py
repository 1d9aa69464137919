"""What the pages of races show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from jobs.models import Agent, Attempt, Job, Race, RaceState
from jobs.presenting.common import agent_link, job_number_link, owner_link
from jobs.presenting.hosts import host_row
from jobs.presenting.rows import ShownState
from jobs.presenting.states import shown_state, span_of
from leaderboard.format import count, minute
from leaderboard.pages import Link
from runs.presenting.common import run_url
from runs.presenting.live import live_url

STATE_WORDS = {
    RaceState.WAITING: "Waits for its hosts",
    RaceState.STARTED: "Racing",
    RaceState.ENDED: "Ended",
}


@dataclass(frozen=True, slots=True)
class Countdown:
    """Time to a start; the script counts on from `seconds`."""

    #: such as "12 min 30 s"
    words: str
    seconds: int
    #: "2025-05-01 18:00 UTC"
    at: str


@dataclass(frozen=True, slots=True)
class LaneRow:
    name: str
    host: Link
    job: Link
    state: ShownState


@dataclass(frozen=True, slots=True)
class RacePage:
    pk: int
    title: str
    is_simulated: bool
    code: str
    words: str
    owner: Link
    ordered: str
    model: str
    use_cases: str
    settings: str
    countdown: Countdown | None
    lanes: Sequence[LaneRow]
    live_url: str
    run_url: str
    #: where it asks for itself again; "" once it is over
    status_url: str
    can_cancel: bool


@dataclass(frozen=True, slots=True)
class RaceRow:
    link: Link
    code: str
    words: str
    when: str
    lanes: str
    owner: Link
    run: Link
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class NextRace:
    """The banner on /live/."""

    link: Link
    is_simulated: bool
    #: such as "2 of 3 hosts are ready"
    lanes: str
    countdown: Countdown | None


def race_page(race: Race, now: datetime, *, can_cancel: bool) -> RacePage:
    jobs = list(race.jobs.all())
    config = jobs[0].config
    is_over = race.state == RaceState.ENDED
    code, words = _state(race, now)
    return RacePage(
        pk=race.pk,
        title=race.label,
        is_simulated=race.is_simulated,
        code=code,
        words=words,
        owner=owner_link(race.owner),
        ordered=minute(race.created_at),
        model=config["model"],
        use_cases=", ".join(config["use_cases"]),
        settings=f"{config['concurrency']} requests at a time per lane, up to {config['max_tokens']} tokens an answer; "
        f"suites {config['suite_version']}",
        countdown=countdown_of(race, now),
        lanes=[_lane_row(job, now) for job in jobs],
        live_url="" if is_over or race.go_at is None else live_url(race.run),
        run_url=run_url(race.run) if race.run.event_count else "",
        status_url="" if is_over else reverse("jobs:race", args=[race.pk]),
        can_cancel=can_cancel and not is_over,
    )


def race_row(race: Race, now: datetime) -> RaceRow:
    code, words = _state(race, now)
    return RaceRow(
        link=race_link(race),
        code=code,
        words=words,
        when=minute(race.go_at or race.starts_at or race.created_at),
        # Counted by the query.
        lanes=count(race.lanes, "lane"),  # type: ignore[attr-defined]  # annotated by the query
        owner=owner_link(race.owner),
        run=Link("Record", run_url(race.run)) if race.run.event_count else Link("", ""),
        is_simulated=race.is_simulated,
    )


def next_race_banner(race: Race, now: datetime) -> NextRace:
    jobs = list(race.jobs.all())
    ready = sum(attempt.phase == "ready" for attempt in map(_in_hand, jobs) if attempt is not None)
    return NextRace(
        link=race_link(race),
        is_simulated=race.is_simulated,
        lanes="all hosts are ready" if race.go_at else f"{ready} of {count(len(jobs), 'host is', 'hosts are')} ready",
        countdown=countdown_of(race, now),
    )


def race_link(race: Race) -> Link:
    return Link(race.label, reverse("jobs:race", args=[race.pk]))


def countdown_of(race: Race, now: datetime) -> Countdown | None:
    """None where no moment is set, or it has passed."""
    start = race.go_at or race.starts_at
    if start is None or start <= now:
        return None
    seconds = (start - now).total_seconds()
    return Countdown(span_of(seconds), max(1, round(seconds)), minute(start))


def host_choice(agent: Agent, now: datetime) -> tuple[Agent, str]:
    """A host as it is offered in the form."""
    row = host_row(agent, now)
    kind = "simulated" if agent.is_simulated else row.gpus or "no GPU reported"
    return agent, f"{agent.name} ({kind}; {row.words.lower()})"


def _state(race: Race, now: datetime) -> tuple[str, str]:
    """A code for the mark beside it, and words."""
    if race.state == RaceState.WAITING:
        is_scheduled = race.starts_at is not None and race.starts_at > now
        return "queued", "Scheduled" if is_scheduled else STATE_WORDS[RaceState.WAITING]
    if race.state == RaceState.STARTED:
        has_gone = race.go_at is not None and race.go_at <= now
        return ("running", STATE_WORDS[RaceState.STARTED]) if has_gone else ("queued", "All hosts are ready")
    return ("succeeded", "Ended") if race.go_at else ("cancelled", "Did not start")


def _lane_row(job: Job, now: datetime) -> LaneRow:
    return LaneRow(
        name=job.config["lane"],
        host=agent_link(job.agent_wanted) if job.agent_wanted else Link(job.config["lane"], ""),
        job=job_number_link(job),
        state=shown_state(job, _in_hand(job), now),
    )


def _in_hand(job: Job) -> Attempt | None:
    """Its running attempt, as the query fetched it."""
    found: Sequence[Attempt] = getattr(job, "in_hand", ())
    return found[0] if found else None
