"""The header Idempotency-Key: a writing request that may be sent again, because it is done once.

As in draft-ietf-httpapi-idempotency-key-header; a key may also stand without quotes. docs/api.md says what is promised.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status as http
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.services.idempotency import (
    Answer,
    KeyInUse,
    KeyOfAnotherBody,
    claim_key,
    do_once,
    free_unless_answered,
)
from lemsite.lib.api_errors import ApiError
from lemsite.lib.parsers import RawBody

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
#: three of them outlast the lease of a process that died: the fourth try of a client gets through
RETRY_AFTER_S = 20
RIGHT = "1 to 255 visible ASCII characters, with or without quotes around them"
PARAMETERS = [
    OpenApiParameter(
        HEADER,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description=f"makes the request safe to send again within 24 hours: it is done once. {RIGHT}",
    ),
    OpenApiParameter(
        REPLAYED,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="true where this is the answer of an earlier request with the same key",
        enum=["true"],
        response=[201, 202],
    ),
]
_KEY = re.compile(r'(?!")[!-~]{1,255}|"(?P<quoted>(?:[!#-\[\]-~]|\\["\\])*)"', re.ASCII)

#: stores what a request asks for, and answers with it
Storing = Callable[[], Response]


def answer_once(request: Request, prepare: Callable[[], Storing]) -> Response:
    """The answer, or where the key came before the one of then.

    `prepare` reads the request and writes nothing; what it gives back is called in the transaction that keeps the
    answer. Raises ApiError 400 for a bad key, 409 while the first is being answered, 422 where the body is another.
    """
    key = _key_of(request)
    if key is None:
        return prepare()()
    try:
        # Paths have a second spelling, with a slash behind them.
        path = request.path.rstrip("/")
        claim = claim_key(user=cast(User, request.user), path=path, key=key, body_sha256=body_sha256(request))
        if isinstance(claim, Answer):
            return _response(claim, {REPLAYED: "true"})
        with free_unless_answered(claim):
            return _response(do_once(claim=claim, act=partial(_answer, prepare())))
    except KeyOfAnotherBody:
        words = "it was sent before with another body; another request needs another key"
        raise ApiError(http.HTTP_422_UNPROCESSABLE_ENTITY, f"{HEADER}: {words}.", {HEADER: words}) from None
    except KeyInUse:
        words = "the first request with this key is still being answered"
        raise ApiError(http.HTTP_409_CONFLICT, f"{HEADER}: {words}.", {HEADER: words}, wait=RETRY_AFTER_S) from None


def body_sha256(request: Request) -> str:
    """Of what is sent: a form sent again has another boundary, and JSON may have its names in another order."""
    digest = hashlib.sha256()
    for piece in _pieces(request):
        digest.update(len(piece).to_bytes(8))
        digest.update(piece)
    return digest.hexdigest()


def _key_of(request: Request) -> str | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    found = _KEY.fullmatch(given)
    quoted = found["quoted"] if found else ""
    key = given if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    if not 0 < len(key) <= 255:
        raise ApiError(http.HTTP_400_BAD_REQUEST, f"{HEADER}: {RIGHT}.", {HEADER: RIGHT})
    return key


def _pieces(request: Request) -> Iterator[bytes]:
    yield request.META.get("QUERY_STRING", "").encode()
    body: Any = request.data
    if isinstance(body, RawBody):
        yield from (body.name.encode(), _digest_of(body.stream))
    elif isinstance(body, QueryDict):
        fields = {name: values for name, values in body.lists() if name not in request.FILES}
        yield json.dumps(fields, sort_keys=True).encode()
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                yield from (name.encode(), file.name.encode(), _digest_of(file))
    else:
        yield json.dumps(body, sort_keys=True).encode()


def _digest_of(stream: Any) -> bytes:
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").digest()
    stream.seek(0)
    return digest


def _answer(store: Storing) -> Answer:
    response = store()
    body = JSONRenderer().render(response.data).decode()
    return Answer(response.status_code, body, response.headers.get("Location", ""))


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(json.loads(answer.body), answer.status, headers={"Location": answer.location, **(headers or {})})
