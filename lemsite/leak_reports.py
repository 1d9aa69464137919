"""POST /api/leaks: secret scanners tell of tokens that they found in public, in the form of GitHub's partner programme.

The report is signed (ECDSA P-256, SHA-256) with a key that LEAK_REPORT_KEYS lists; without that setting it is 404.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import re
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.services.leaks import revoke_leaked_token
from jobs.services.leaks import revoke_leaked_host_token
from lemsite.lib.api_errors import NOT_FOUND, ApiError
from lemsite.lib.strict_json import BadJson, loads

logger = logging.getLogger(__name__)

MAX_REPORTS = 1000
#: what secret scanners look for: the tokens of people, of GPU hosts, and the codes that enrol hosts
TOKEN_PATTERN = re.compile(r"\b(?:lem_[0-9a-f]{12}_[0-9a-f]{64}|gp[ae]_[0-9A-Za-z]{36})\b", re.ASCII)


class LeakReports(APIView):
    """Whoever signs as a scanner that the operator knows; no session and no token is looked at."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        if not settings.LEAK_REPORT_KEYS:
            raise ApiError(status.HTTP_404_NOT_FOUND, NOT_FOUND)
        raw = request.body
        signature = request.headers.get("Github-Public-Key-Signature", "")
        if not is_signed(raw, request.headers.get("Github-Public-Key-Identifier", ""), signature):
            raise ApiError(status.HTTP_403_FORBIDDEN, "The report is not signed with a key that this site knows.")
        return Response([_answer(report) for report in _reports(raw)])


def is_signed(raw: bytes, key_id: str, signature: str) -> bool:
    key = _keys().get(key_id)
    if key is None:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), raw, ec.ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _keys() -> dict[str, ec.EllipticCurvePublicKey]:
    """Read at each report, which is rare: a new file counts without a restart. An unreadable one opens nothing."""
    try:
        listed = json.loads(Path(settings.LEAK_REPORT_KEYS).read_bytes())["public_keys"]
        keys = {str(row["key_identifier"]): load_pem_public_key(row["key"].encode()) for row in listed}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        logger.exception("LEAK_REPORT_KEYS cannot be read")
        return {}
    return {
        name: key
        for name, key in keys.items()
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    }


def _reports(raw: bytes) -> list[dict[str, Any]]:
    try:
        reports = loads(raw)
    except BadJson as error:
        raise ApiError(status.HTTP_400_BAD_REQUEST, f"The body is no JSON that this site reads: {error}.") from error
    if not isinstance(reports, list) or len(reports) > MAX_REPORTS:
        raise ApiError(status.HTTP_400_BAD_REQUEST, f"Send a list of at most {MAX_REPORTS} reports.")
    if not all(isinstance(report, dict) and isinstance(report.get("token"), str) for report in reports):
        raise ApiError(status.HTTP_400_BAD_REQUEST, "Each report is an object with a token.")
    return reports


def _answer(report: dict[str, Any]) -> dict[str, str]:
    """The token goes back as a hash: an answer may end up in a log."""
    plain, place = report["token"], str(report.get("url") or "")
    is_ours = revoke_leaked_token(plain=plain, found_at=place) or revoke_leaked_host_token(plain=plain, found_at=place)
    if is_ours:
        logger.warning("A token was reported as leaked, and is revoked")
    return {
        "token_hash": base64.b64encode(hashlib.sha256(plain.encode()).digest()).decode(),
        "token_type": str(report.get("type") or "")[:80],
        "label": "true_positive" if is_ours else "false_positive",
    }
