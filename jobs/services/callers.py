"""Who calls the agent API: the host behind a token and the session that the call names, by one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from jobs.models import Agent, AgentSession, AgentToken
from jobs.models.agent import AGENT_TOKEN_PREFIX
from jobs.services import clock
from jobs.services.agents import tell_operator
from jobs.services.plain_sql import RowsOf, stored_uuid
from lemsite.lib import secret_tokens

LAST_USED_STEP = timedelta(minutes=1)

TOKEN, AGENT, SESSION = RowsOf(AgentToken, "token"), RowsOf(Agent, "agent"), RowsOf(AgentSession, "session")


@dataclass(frozen=True, slots=True)
class Caller:
    """A host that has shown a token which opens the API."""

    token: AgentToken
    #: the living one that it named; None when that is over, or none was named
    session: AgentSession | None
    #: the database's time of the call
    at: datetime

    @property
    def agent(self) -> Agent:
        return self.token.agent


def find_caller(plain: str, session: str = "") -> Caller | None:
    """Who has a token, with the session of that id; None when the token opens nothing.

    Notes its use at most once a minute.
    """
    if not secret_tokens.is_well_formed(plain, AGENT_TOKEN_PREFIX):
        return None
    row = _row(secret_tokens.hash_secret(plain), session)
    if row is None:
        return None
    caller, has_operator = _read(row)
    token, now = caller.token, timezone.now()
    if token.revoked_at is not None or token.expires_at <= now or not has_operator or _was_replaced(token, now):
        return None
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        AgentToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return caller


def _row(secret_sha256: str, session: str) -> tuple[Any, ...] | None:
    try:
        session_id = UUID(session)
    except ValueError:
        session_id = None
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [stored_uuid(session_id), secret_sha256])
        found: tuple[Any, ...] | None = cursor.fetchone()
        return found


@cache
def _statement() -> str:
    return f"""
SELECT {TOKEN.columns}, {AGENT.columns}, {SESSION.columns}, owner.is_active, {clock.sql_now()}
FROM jobs_agenttoken token
JOIN jobs_agent agent ON agent.id = token.agent_id
LEFT JOIN accounts_user owner ON owner.id = agent.owner_id
LEFT JOIN jobs_agentsession session
    ON session.id = %s AND session.agent_id = agent.id AND session.ended_at IS NULL
WHERE token.secret_sha256 = %s
"""  # noqa: S608 - names of columns and one word


def _read(row: tuple[Any, ...]) -> tuple[Caller, bool]:
    """The caller, and whether its host is in service: it goes with its operator, as nobody else would be told of its
    troubles."""
    middle, end = TOKEN.count + AGENT.count, TOKEN.count + AGENT.count + SESSION.count
    token, agent = TOKEN.read(row[: TOKEN.count]), AGENT.read(row[TOKEN.count : middle])
    token.agent = agent
    named = row[middle:end]
    session = SESSION.read(named) if named[0] is not None else None
    is_active, now = row[end:]
    caller = Caller(token, session, now or timezone.now())
    return caller, agent.retired_at is None and (agent.owner_id is None or bool(is_active))


def _was_replaced(token: AgentToken, now: datetime) -> bool:
    if token.replaced_at is None or token.replaced_at > now:
        return False
    tell_operator(
        token.agent,
        of="old-token",
        title=f"{token.agent}: a token was used after it had been replaced",
        text="Either the host runs with an old copy of its folder, or somebody has that token.",
    )
    return True
