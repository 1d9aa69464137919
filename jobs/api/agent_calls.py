"""Calls of agents by which work is given out and comes back: claim, accept, decline, heartbeat, finish."""

from __future__ import annotations

import math
from typing import Any, cast
from uuid import UUID

from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.call_shapes import AcceptTold, ClaimTold, DeclineTold, FinishTold, HeartbeatTold
from jobs.api.protocol import AgentView
from jobs.models import AgentToken
from jobs.services import agents, claiming, clock, finishing, heartbeats
from jobs.services.offers import offer_of
from jobs.services.polling import next_claim_s
from jobs.times import times


class Claim(AgentView):
    """An offer, or nothing to do. The same claim id gets the same offer again."""

    def post(self, request: Request) -> Response:
        given = self.read(ClaimTold)
        now = self.caller.at
        attempt = claiming.claim(
            agent=self.agent, session=self.session, claim_id=given.claim_id, gpus=given.gpus, now=now
        )
        if attempt is None:
            wait = {"Retry-After": str(math.ceil(next_claim_s(now)))}
            return Response(status=http.HTTP_204_NO_CONTENT, headers=wait)
        return Response(offer_of(attempt, now))


class Accept(AgentView):
    def post(self, request: Request, pk: UUID) -> Response:
        attempt = self.attempt_of(pk)
        claiming.accept(attempt=attempt, gpus=self.read(AcceptTold).gpus)
        return Response({"lease_s": times().lease_s})


class Decline(AgentView):
    def post(self, request: Request, pk: UUID) -> Response:
        attempt = self.attempt_of(pk)
        given = self.read(DeclineTold)
        claiming.decline(attempt=attempt, code=given.code, detail=given.detail)
        return Response({})


class Heartbeat(AgentView):
    """What a host runs; the answer says what to do with each of it."""

    def post(self, request: Request) -> Response:
        given = self.read(HeartbeatTold)
        answers = heartbeats.beat(
            agent=self.agent,
            beats=[heartbeats.Beat(one.id, one.phase, one.step, one.step_i, one.step_n) for one in given.attempts],
            vitals={"gpus": [gpu.model_dump() for gpu in given.gpus], "disk_free_mib": given.disk_free_mib},
            agent_time=given.agent_time,
        )
        return Response(
            {
                "server_time": clock.db_now(),
                "attempts": [_told(answer) for answer in answers],
                "drain": self.agent.is_draining,
                "times": times().for_agents(),
                "rotate_token": agents.wants_rotation(cast(AgentToken, request.auth)),
            }
        )


class Finish(AgentView):
    """The report of an attempt's end. The same report again gets the same answer."""

    def post(self, request: Request, pk: UUID) -> Response:
        attempt = self.attempt_of(pk)
        self.read(FinishTold)
        finished = finishing.finish(attempt=attempt, report=cast(dict[str, Any], request.data))
        return Response({"verdict": finished.verdict, "job_state": finished.job_state})


def _told(answer: heartbeats.Answer) -> dict[str, object]:
    told: dict[str, object] = {"id": str(answer.id), "do": answer.do}
    if answer.go_in_s is not None:
        told["go_in_s"] = answer.go_in_s
    return told
