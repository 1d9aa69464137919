"""Requests that schemathesis makes from docs/openapi.yaml, right and wrong ones, as every role."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import requests
import schemathesis
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from benchmarks.attacks.campaign import Campaign
from benchmarks.attacks.judging import Tally, described
from benchmarks.attacks.offline import each_of
from benchmarks.attacks.request import Answer, Attack
from benchmarks.attacks.stage import ROLES

CHECKS: list[Any] = [content_type_conformance, response_schema_conformance]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
#: without a credential, or with one that opens another door, an operation that wants a token answers so
CLOSED = frozenset({401, 404, 405})
FAMILY = "generated"
#: headers that come from the role and the connection
LEFT_OUT = ("Content-Length", "Connection", "Authorization", "Accept-Encoding")


def generate(campaign: Campaign, *, examples: int, number: int, only: Iterable[str] = (), role: str = "") -> Tally:
    """So many right and as many wrong requests for each operation; `only` names some of them, as "GET /api/jobs"."""
    tally = campaign.tallies.setdefault(FAMILY, Tally())
    schema = schemathesis.openapi.from_dict(described())
    wanted = set(only)
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # the description is valid, which CI checks
        if wanted and operation.label not in wanted:
            continue
        for mode in MODES:
            fuzz = _Fuzz(campaign, tally, random.Random(f"{number} {operation.label} {mode}"), role)
            try:
                fuzz.run(operation.as_strategy(generation_mode=mode), examples, number)
            except Unsatisfiable:
                continue  # an operation without parameters cannot be asked wrongly
    return tally


class _Fuzz:
    """One operation, asked rightly or wrongly."""

    def __init__(self, campaign: Campaign, tally: Tally, dice: random.Random, role: str) -> None:
        self._campaign, self._tally, self._dice, self._role = campaign, tally, dice, role
        self._rows = {
            address.template.replace("{pk}", "{id}"): {
                name.replace("pk", "id"): value for name, value in address.values.items()
            }
            for address in campaign.stage.paths
        }

    def run(self, strategy: Any, examples: int, number: int) -> None:
        each_of(strategy, examples, number, self._ask)

    def _ask(self, case: Any) -> None:
        rows = self._rows.get(case.path, {})
        if rows and self._dice.random() < 0.6:
            case.path_parameters = {**case.path_parameters, **rows}
        prepared = _prepared(case)
        if prepared is None:
            return
        attack = self._attack(case, prepared)
        answer = self._campaign.send(attack, self._tally)
        if answer is not None and answer.status < 500:
            self._conform(case, prepared, answer, attack)

    def _attack(self, case: Any, prepared: requests.PreparedRequest) -> Attack:
        role = self._role or self._dice.choice((*ROLES, "person", "person"))
        headers = {name: value for name, value in prepared.headers.items() if name not in LEFT_OUT}
        body: Any = prepared.body or b""
        is_closed = role in ("anonymous", "session") and not _is_open(case)
        return Attack(
            str(prepared.method),
            prepared.path_url,
            role,
            body.encode() if isinstance(body, str) else bytes(body),
            {name: value if isinstance(value, str) else value.decode("latin-1") for name, value in headers.items()},
            CLOSED if is_closed else frozenset(),
        )

    def _conform(self, case: Any, prepared: requests.PreparedRequest, answer: Answer, attack: Attack) -> None:
        """The body is what the description says of this status."""
        is_no_route = answer.status == 404 and b'"code":"not_found"' in answer.body.replace(b" ", b"")
        # What no route matches is answered in the general form of errors, whatever the operation's own is.
        if str(answer.status) not in case.operation.definition.raw["responses"] or is_no_route:
            return
        try:
            case.validate_response(_response(prepared, answer), checks=CHECKS)
        except FailureGroup as group:
            told = "; ".join(f"{failure.title}: {failure.message[:300]}" for failure in group.exceptions)
            self._tally.note("nonconforming", f"{attack} -> {answer.status}: {told}")


def _is_open(case: Any) -> bool:
    """May it be asked without a token?"""
    raw = case.operation.definition.raw
    return not raw.get("security") or {} in raw["security"]


def _prepared(case: Any) -> requests.PreparedRequest | None:
    kwargs = case.as_transport_kwargs(base_url="http://localhost")
    wanted = ("method", "url", "headers", "files", "data", "json", "params", "cookies")
    try:
        return requests.Request(**{name: kwargs[name] for name in wanted if name in kwargs}).prepare()
    except (requests.RequestException, ValueError, TypeError):
        return None  # what no client can put on the wire


def _response(prepared: requests.PreparedRequest, answer: Answer) -> Response:
    headers = {name: [value] for name, value in answer.headers.items()}
    return Response(answer.status, headers, answer.body, prepared, answer.ms / 1000, verify=False)
