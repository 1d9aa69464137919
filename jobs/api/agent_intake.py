"""Calls of agents by which they come, stay known and bring what an attempt makes: log, events, telemetry, files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any, cast
from uuid import UUID

from django.utils import timezone
from rest_framework import status as http
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import limits
from jobs.api.protocol import PROTOCOLS, AgentView, check_protocol, problem
from jobs.api.shapes import (
    DIGEST,
    RANGE,
    ArtifactsTold,
    ArtifactTold,
    Enrolling,
    EventsTold,
    SessionTold,
    TelemetryTold,
)
from jobs.models import AgentToken, Artifact
from jobs.services import agents, artifacts, intake_events, intake_log, intake_telemetry, sessions
from jobs.services.errors import AgentRefused
from jobs.times import times
from lemsite.lib.parsers import RawBody, RawBodyParser, StrictJSONParser, read_limited
from lemsite.lib.strict_json import BadJson, loads


class BytesParser(RawBodyParser):
    """A body that is bytes, whatever the agent calls them."""

    media_type = "*/*"


class TelemetryParser(StrictJSONParser):
    """Ten minutes of 32 GPUs are more values than any other body holds."""

    max_bytes, max_nodes = 4 << 20, 200_000

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = read_limited(stream, self.max_bytes)
        try:
            return loads(raw, max_bytes=self.max_bytes, max_nodes=self.max_nodes)
        except BadJson as error:
            raise ParseError(f"The body cannot be read: {error}.") from None


class Meta(AgentView):
    """What anybody may ask: which versions of the protocol this site speaks."""

    authentication_classes = []
    permission_classes = []
    needs_session = checks_protocol = False

    def get(self, request: Request) -> Response:
        return Response(
            {
                "protocol": {"min": PROTOCOLS[0], "max": PROTOCOLS[-1]},
                "server_time": timezone.now(),
                "times": times().for_agents(),
                "limits": limits.for_agents(),
            }
        )


class Enroll(AgentView):
    """A code that was made on the site becomes a host and its token."""

    authentication_classes = []
    permission_classes = []
    needs_session = checks_protocol = False

    def post(self, request: Request) -> Response:
        given = self.read(Enrolling)
        agents.check_code(given.code)
        check_protocol(request)
        agent, plain = agents.enrol(code=given.code, is_simulated=given.simulated)
        body = {"agent": str(agent.pk), "name": agent.name, "token": plain}
        return Response({**body, "expires_at": agent.tokens.latest("pk").expires_at}, http.HTTP_201_CREATED)


class Session(AgentView):
    needs_session = False

    def post(self, request: Request) -> Response:
        given = self.read(SessionTold)
        if not set(given.protocols) & set(PROTOCOLS):
            raise AgentRefused(426, "protocol", f"This site speaks version {PROTOCOLS[-1]} of the protocol.")
        host = {**given.host.model_dump(exclude_none=True), "agent_version": given.agent_version}
        told = sessions.HostTold(
            instance_id=given.instance_id,
            boot_id=given.boot_id,
            protocol=max(set(given.protocols) & set(PROTOCOLS)),
            host={**host, "images": given.images},
            gpus=[gpu.model_dump() for gpu in given.gpus],
            executors=given.executors,
            labels=given.labels,
            is_simulated=given.simulated,
            agent_time=given.agent_time,
            attempts=[attempt.model_dump() for attempt in given.attempts],
        )
        opened = sessions.open_session(agent=self.agent, told=told)
        body = {
            "session": str(opened.session.pk),
            "server_time": timezone.now(),
            "times": times().for_agents(),
            "limits": limits.for_agents(),
            "attempts": [asdict(todo) for todo in opened.attempts],
            "drain": self.agent.is_draining,
            "warnings": opened.warnings,
        }
        return Response(body, http.HTTP_201_CREATED)

    def delete(self, request: Request) -> Response:
        session = sessions.living_session(caller=self.caller)
        sessions.end_session(session=session)
        return Response(status=http.HTTP_204_NO_CONTENT)


class RotateToken(AgentView):
    needs_session = False

    def post(self, request: Request) -> Response:
        token, plain = agents.rotate(token=cast(AgentToken, request.auth))
        return Response({"token": plain, "expires_at": token.expires_at}, http.HTTP_201_CREATED)


class Log(AgentView):
    parser_classes = [BytesParser]

    def patch(self, request: Request, pk: UUID) -> Response:
        attempt = self.attempt_of(pk)
        content = _bytes(request)
        try:
            size = intake_log.append(attempt=attempt, start=_range_start(request, len(content)), content=content)
        except AgentRefused as refused:
            if refused.status != http.HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            end = refused.extra["size"]
            return problem(refused.status, refused.code, refused.detail, headers=_range(end), size=end)
        return Response({"size": size}, http.HTTP_202_ACCEPTED, headers=_range(size))


class Events(AgentView):
    def post(self, request: Request, pk: UUID) -> Response:
        attempt = self.attempt_of(pk)
        given = self.read(EventsTold)
        following = intake_events.store(attempt=attempt, events=[event.model_dump() for event in given.events])
        return Response({"next_seq": following})


class Telemetry(AgentView):
    parser_classes = [TelemetryParser]

    def post(self, request: Request, pk: UUID) -> Response:
        attempt = self.attempt_of(pk)
        given = self.read(TelemetryTold)
        gpus = [gpu.model_dump() for gpu in given.gpu]
        following = intake_telemetry.store(attempt=attempt, first_seq=given.first_seq, t=given.t, gpus=gpus)
        return Response({"next_seq": following})


class Artifacts(AgentView):
    """A file, or several under `files`: small ones come with their content."""

    def post(self, request: Request, pk: UUID) -> Response:
        attempt = self.attempt_of(pk)
        many = isinstance(request.data, dict) and "files" in request.data
        given = self.read(ArtifactsTold).files if many else [self.read(ArtifactTold)]
        begun = artifacts.begin_all(attempt=attempt, files=[_announced(one) for one in given])
        bodies = [_begun(artifact) for artifact, _ in begun]
        status = http.HTTP_201_CREATED if any(is_new for _, is_new in begun) else http.HTTP_200_OK
        return Response({"files": bodies} if many else bodies[0], status)


class ArtifactPieces(AgentView):
    parser_classes = [BytesParser]

    def head(self, request: Request, pk: UUID) -> Response:
        return _upload_state(self._artifact(pk))

    def patch(self, request: Request, pk: UUID) -> Response:
        artifact = self._artifact(pk)
        offset = request.headers.get("Upload-Offset", "")
        if not (offset.isascii() and offset.isdigit() and len(offset) < 16):
            raise AgentRefused(400, "bad_offset", "Upload-Offset: say where these bytes begin.")
        return _upload_state(artifacts.add_piece(artifact=artifact, offset=int(offset), content=_bytes(request)))

    def _artifact(self, pk: UUID) -> Artifact:
        artifact = Artifact.objects.filter(pk=pk, attempt__agent=self.agent).first()
        if artifact is None:
            raise AgentRefused(404, "no_artifact", "This host has no such file.")
        artifact.attempt = self.attempt_of(artifact.attempt_id)
        return artifact


def _upload_state(artifact: Artifact) -> Response:
    headers = {
        "Upload-Offset": str(artifact.received_bytes),
        "Upload-Length": str(artifact.size_bytes),
        "Upload-Complete": "?1" if artifact.completed_at else "?0",
    }
    return Response(status=http.HTTP_204_NO_CONTENT, headers=headers)


def _announced(told: ArtifactTold) -> artifacts.Announced:
    try:
        content = None if told.content is None else base64.b64decode(told.content, validate=True)
    except ValueError:
        raise AgentRefused(422, "invalid", "content: base 64.", fields={"content": "is no base 64"}) from None
    return artifacts.Announced(told.name, told.size, told.sha256, content)


def _begun(artifact: Artifact) -> dict[str, Any]:
    return {
        "id": str(artifact.pk),
        "offset": artifact.received_bytes,
        "complete": artifact.completed_at is not None,
    }


def _range(end: int) -> dict[str, str]:
    """How much of the log is here."""
    return {"Range": f"bytes=0-{end - 1}" if end else "bytes=*/0"}


def _bytes(request: Request) -> bytes:
    """The body, checked against the digest that the agent may have sent with it."""
    data: object = request.data  # without a body it is an empty form
    content = data.stream.read() if isinstance(data, RawBody) else b""
    if given := request.headers.get("Content-Digest"):
        match = DIGEST.fullmatch(given.strip())
        if match is None:
            raise AgentRefused(400, "bad_digest", "Content-Digest: sha-256=:<base64>: is what is understood here.")
        if base64.b64decode(match[1]) != hashlib.sha256(content).digest():
            raise AgentRefused(422, "digest_mismatch", "The bytes are not those that were sent: send them again.")
    return content


def _range_start(request: Request, length: int) -> int:
    match = RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if match is None or int(match[2]) - int(match[1]) + 1 != length:
        raise AgentRefused(400, "bad_range", "Content-Range: bytes first-last/*, as long as the body.")
    return int(match[1])
