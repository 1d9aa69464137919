"""What all calls of agents share: who calls, which version, which session, how errors are told (RFC 9457)."""

from __future__ import annotations

import time
import uuid
from http import HTTPStatus
from typing import Any, TypeVar, cast

import pydantic
from django.core.cache import cache
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from jobs.api.authentication import AgentAuthentication, IsAgent
from jobs.models import Agent, AgentSession, AgentToken, Attempt
from jobs.services import sessions
from jobs.services.callers import Caller
from jobs.services.directives import directive_for
from jobs.services.errors import AgentRefused
from lemsite.lib.api_errors import handle_api_error
from lemsite.lib.outages import outage_of, tell
from lemsite.lib.parsers import StrictJSONParser

PROTOCOLS = (1,)
DIRECTIVE = "X-Attempt-Directive"
#: calls of one token in one window; a busy host makes a tenth of that
CALLS, WINDOW_S = 3_000, 10
#: hosts ask again soon whatever is away: they have work that waits
RETRY_S = 2
MAX_FIELDS_TOLD = 20


Body = TypeVar("Body", bound=pydantic.BaseModel)


class AgentThrottle(BaseThrottle):
    """Calls per token in a window, one counter in the cache: it stops a loop gone wild and is no security measure."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, AgentToken):
            return True
        key = f"agent-calls:{request.auth.pk}:{int(time.time() // WINDOW_S)}"
        cache.add(key, 0, 2 * WINDOW_S)
        try:
            return cache.incr(key) <= CALLS
        except ValueError:  # evicted in between
            return True

    def wait(self) -> float:
        return WINDOW_S - time.time() % WINDOW_S


class AgentView(APIView):
    """A call of an agent: its token, its protocol and (unless `needs_session` is False) its living session.

    `self.attempt_of(pk)` finds an attempt of this agent; the answer then says what to do with it.
    """

    authentication_classes = [AgentAuthentication]
    permission_classes = [IsAgent]
    parser_classes = [StrictJSONParser]
    throttle_classes = [AgentThrottle]
    #: described in docs/agent-protocol.md, not among what people's tokens open
    schema = None

    needs_session: bool = True
    checks_protocol: bool = True
    session: AgentSession
    _attempt_id: uuid.UUID | None = None

    @property
    def caller(self) -> Caller:
        return cast(Caller, self.request.caller)  # type: ignore[attr-defined]  # set by AgentAuthentication

    @property
    def agent(self) -> Agent:
        return self.caller.agent

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.checks_protocol:
            check_protocol(request)
        if self.needs_session:
            self.session = sessions.living_session(caller=self.caller)

    def read(self, body: type[Body]) -> Body:
        """The request's JSON in the shape of `body`; what does not fit is answered with 422."""
        return body.model_validate(self.request.data)

    def attempt_of(self, pk: uuid.UUID) -> Attempt:
        """This agent's attempt. Those of others are as unknown as those that never were."""
        attempt = Attempt.objects.select_related("job").filter(agent=self.agent, pk=pk).first()
        if attempt is None:
            raise AgentRefused(http.HTTP_404_NOT_FOUND, "no_attempt", "This host has no such attempt.")
        self._attempt_id = attempt.pk
        return attempt

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answered = super().finalize_response(request, response, *args, **kwargs)
        if self._attempt_id is not None and answered.status_code < http.HTTP_500_INTERNAL_SERVER_ERROR:
            attempt = Attempt.objects.select_related("job").get(pk=self._attempt_id)
            answered[DIRECTIVE] = directive_for(attempt)
        return answered

    def get_exception_handler(self) -> Any:
        return handle_agent_error


def check_protocol(request: Request) -> None:
    if request.headers.get("X-Agent-Protocol", "") not in map(str, PROTOCOLS):
        told = {"min": PROTOCOLS[0], "max": PROTOCOLS[-1]}
        detail = f"This site speaks version {told['min']} to {told['max']} of the protocol; say X-Agent-Protocol."
        raise AgentRefused(http.HTTP_426_UPGRADE_REQUIRED, "protocol", detail, protocol=told)


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **extra: Any) -> Response:
    """An error as RFC 9457 wants it."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return Response({**body, **extra}, status, headers=headers, content_type="application/problem+json")


def handle_agent_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler for agents. What it does not know is a fault of ours, and Django answers it with 500."""
    if isinstance(exc, AgentRefused):
        wait = {"Retry-After": str(exc.extra["retry_after_s"])} if "retry_after_s" in exc.extra else None
        return problem(exc.status, exc.code, exc.detail, headers=wait, **exc.extra)
    if outage := outage_of(exc):
        tell(outage, exc)
        told = problem(outage.status, outage.code, outage.message, headers={"Retry-After": str(RETRY_S)})
        # Django would log each one.
        told._has_been_logged = True  # type: ignore[attr-defined]  # what Django's log_response() looks for
        return told
    if isinstance(exc, pydantic.ValidationError):
        fields = {".".join(map(str, error["loc"])) or "body": error["msg"] for error in exc.errors()[:MAX_FIELDS_TOLD]}
        detail = f"Not right: {', '.join(fields)}."
        return problem(http.HTTP_422_UNPROCESSABLE_ENTITY, "invalid", detail, fields=fields)
    response = handle_api_error(exc, context)
    if response is None:
        return None
    error = response.data["error"]
    kept = {name: response[name] for name in ("Retry-After", "WWW-Authenticate") if name in response}
    extra = {"fields": error["fields"]} if error["fields"] else {}
    return problem(response.status_code, error["code"], error["message"], headers=kept, **extra)
