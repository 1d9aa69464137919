"""GPU hosts: how one comes to be, the secrets by which it is known, and how people take it in and out of service."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from accounts.models import NotificationKind, User
from accounts.services.bans import refuse_banned
from accounts.services.notifications import notify
from jobs.models import Agent, AgentToken, EnrolmentCode, HostEvent, HostStep
from jobs.models.agent import AGENT_TOKEN_PREFIX, ENROLMENT_PREFIX
from jobs.services.errors import AgentRefused
from jobs.times import times
from leaderboard.queries.community import active_moderators
from lemsite.lib import secret_tokens

OPERATE = "jobs.operate"
TOKEN_DAYS = 90
#: after so much of its life a token asks to be rotated
ROTATE_AT = 0.75
CODE_LIVES = timedelta(hours=1)
#: the operator is told of the same trouble once in so long
TELL_AGAIN_S = 3600
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}", re.ASCII)


class NotAllowed(ValueError):
    """This person may not do that to this host; the message says so."""


class NameRefused(ValueError):
    """No host can be called so; the message says why."""


def may_connect(user: User) -> bool:
    """Whether this person may connect GPU hosts of their own."""
    return user.is_active and user.has_perm(OPERATE)


def may_operate(user: User, agent: Agent) -> bool:
    """Whether this person may drain, quarantine, retire or re-enrol this host."""
    return user.is_active and (agent.owner_id == user.pk or user.is_moderator or user.has_perm(OPERATE))


@transaction.atomic
def issue_code(*, by: User | None, name: str, owner: User | None = None) -> tuple[EnrolmentCode, str]:
    """A code for a new host, and its plain text, which is never seen again.

    The host will be that of `by`; where the site itself makes the code, `by` is None and it will be that of `owner`.
    """
    if by is not None:
        refuse_banned(by)
        if not may_connect(by):
            raise NotAllowed("Connecting GPU hosts needs the permission “Can connect GPU hosts”.")
    name = name.strip()
    if not NAME.fullmatch(name):
        raise NameRefused("name: 1 to 80 letters, digits, spaces, dots, dashes and underscores; the first a letter.")
    if Agent.objects.filter(name=name).exists():
        raise NameRefused(f"name: there is a host called {name!r} already.")
    return _new_code(by=by or owner, name=name, agent=None)


@transaction.atomic
def reissue_code(*, agent: Agent, by: User) -> tuple[EnrolmentCode, str]:
    """A code that gives a known host a new token, when its own was lost or leaked; the old ones stop at once."""
    _check_operates(by, agent)
    if agent.retired_at is not None:
        raise NotAllowed(f"{agent} is retired.")
    revoke_tokens(agent)
    EnrolmentCode.objects.filter(agent=agent).update(agent=None)
    log_step(agent=agent, step=HostStep.ROTATE, by=by)
    return _new_code(by=by, name=agent.name, agent=agent)


def _new_code(*, by: User | None, name: str, agent: Agent | None) -> tuple[EnrolmentCode, str]:
    plain = secret_tokens.make(ENROLMENT_PREFIX)
    row = EnrolmentCode.objects.create(
        secret_sha256=secret_tokens.hash_secret(plain),
        made_by=by,
        name=name,
        agent=agent,
        expires_at=timezone.now() + CODE_LIVES,
    )
    return row, plain


def check_code(code: str) -> EnrolmentCode:
    """The row of a code that can be spent; refused without asking the database where it cannot be one."""
    row = None
    if secret_tokens.is_well_formed(code, ENROLMENT_PREFIX):
        usable = EnrolmentCode.objects.filter(used_at=None, expires_at__gt=timezone.now())
        row = usable.filter(secret_sha256=secret_tokens.hash_secret(code)).first()
    if row is None:
        raise AgentRefused(
            401, "bad_code", "The enrolment code is unknown, used or older than an hour: make a new one."
        )
    return row


@transaction.atomic
def enrol(*, code: str, is_simulated: bool = False) -> tuple[Agent, str]:
    """Spend a code: the host that it makes (or gives a new token), and the token's plain text."""
    row = EnrolmentCode.objects.select_for_update().get(pk=check_code(code).pk)
    if row.used_at is not None:
        raise AgentRefused(401, "bad_code", "The enrolment code was used in this very moment: make a new one.")
    agent = row.agent
    if agent is None:
        if Agent.objects.filter(name=row.name).exists():
            raise AgentRefused(409, "name_taken", f"There is a host called {row.name!r} already: make a new code.")
        agent = Agent.objects.create(name=row.name, owner=row.made_by, is_simulated=is_simulated)
    row.used_at, row.agent = timezone.now(), agent
    row.save(update_fields=["used_at", "agent"])
    return agent, _new_token(agent)[1]


def _new_token(agent: Agent) -> tuple[AgentToken, str]:
    plain = secret_tokens.make(AGENT_TOKEN_PREFIX)
    token = AgentToken.objects.create(
        agent=agent,
        secret_sha256=secret_tokens.hash_secret(plain),
        shown=secret_tokens.shown(plain),
        expires_at=timezone.now() + timedelta(days=TOKEN_DAYS),
    )
    return token, plain


def wants_rotation(token: AgentToken, now: datetime | None = None) -> bool:
    """Whether the agent is to ask for a new token: its own has lived three quarters of its time."""
    whole = token.expires_at - token.created_at
    return token.replaced_at is None and (now or timezone.now()) >= token.created_at + ROTATE_AT * whole


@transaction.atomic
def rotate(*, token: AgentToken) -> tuple[AgentToken, str]:
    """A new token for the same agent; the old one opens the API for a while, so that a lost answer locks nobody out."""
    now = timezone.now()
    locked = AgentToken.objects.select_for_update().get(pk=token.pk)
    if locked.replaced_at is None:
        AgentToken.objects.filter(pk=token.pk).update(replaced_at=now + timedelta(seconds=times().rotation_s))
    else:
        # The answer of the first time was lost: nobody has the token that it held.
        unseen = AgentToken.objects.filter(agent=token.agent_id, pk__gt=token.pk, last_used_at=None, revoked_at=None)
        unseen.update(revoked_at=now)
    return _new_token(token.agent)


def revoke_tokens(agent: Agent) -> int:
    """Close all tokens and unused codes of a host; returns how many tokens were open."""
    now = timezone.now()
    EnrolmentCode.objects.filter(agent=agent, used_at=None).update(expires_at=now)
    return AgentToken.objects.filter(agent=agent, revoked_at=None).update(revoked_at=now)


@transaction.atomic
def drain(*, agent: Agent, by: User, reason: str = "") -> Agent:
    """No new jobs; what runs is finished."""
    _check_operates(by, agent)
    return _changed(agent, by, reason, HostStep.DRAIN, is_draining=True)


@transaction.atomic
def resume(*, agent: Agent, by: User, reason: str = "") -> Agent:
    _check_operates(by, agent)
    return _changed(agent, by, reason, HostStep.RESUME, is_draining=False)


@transaction.atomic
def quarantine(*, agent: Agent, by: User | None, reason: str = "") -> Agent:
    """Set a host aside until somebody clears it. `by` is None where the site does it."""
    if by is not None:
        _check_operates(by, agent)
    reason = (reason or "set aside by hand")[:200]
    changes = {"quarantined_at": timezone.now(), "quarantine_reason": reason}
    agent = _changed(agent, by, reason, HostStep.QUARANTINE, **changes)
    tell_operator(agent, of="quarantine", title=f"{agent} takes no jobs until you clear it", text=reason)
    return agent


@transaction.atomic
def clear_quarantine(*, agent: Agent, by: User, reason: str = "") -> Agent:
    """Back to work: the host itself, and those of its GPUs that were set aside."""
    _check_operates(by, agent)
    agent.gpus.exclude(quarantined_at=None).update(quarantined_at=None, quarantine_reason="")
    changes = {"quarantined_at": None, "quarantine_reason": "", "failures_in_a_row": 0}
    return _changed(agent, by, reason, HostStep.CLEAR, **changes)


@transaction.atomic
def retire(*, agent: Agent, by: User, reason: str = "") -> Agent:
    """Out of service for good: its tokens close at once, its history stays."""
    _check_operates(by, agent)
    now = timezone.now()
    revoke_tokens(agent)
    agent.sessions.filter(ended_at=None).update(ended_at=now)
    return _changed(agent, by, reason, HostStep.RETIRE, retired_at=agent.retired_at or now)


def tell_operator(agent: Agent, *, of: str, title: str, text: str, moderators_too: bool = False) -> None:
    """Tell the owner of a host of trouble, the same trouble once an hour; `of` is one word for it."""
    people = [*([agent.owner] if agent.owner else []), *(active_moderators() if moderators_too else [])]
    if not people or not cache.add(f"told-operator:{agent.pk}:{of}", 1, TELL_AGAIN_S):
        return
    notify(to=people, kind=NotificationKind.JOB, title=title, text=text, url=agent_path(agent))


def agent_path(agent: Agent) -> str:
    return f"/agents/{agent.pk}/"


def _check_operates(by: User, agent: Agent) -> None:
    if not may_operate(by, agent):
        raise NotAllowed(f"Only its operator and moderators may do that to {agent}.")


def log_step(*, agent: Agent, step: HostStep, by: User | None, reason: str = "") -> None:
    """A line of the audit log of hosts, part of the caller's transaction."""
    HostEvent.objects.create(agent=agent, step=step, actor=by, reason=reason[:2000])


def _changed(agent: Agent, by: User | None, reason: str, step: HostStep, **changes: object) -> Agent:
    Agent.objects.filter(pk=agent.pk).update(**changes)
    log_step(agent=agent, step=step, by=by, reason=reason)
    agent.refresh_from_db()
    return agent
