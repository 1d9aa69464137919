from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation, TooManyFieldsSent
from django.http import Http404
from rest_framework.exceptions import NotAcceptable, Throttled, ValidationError

from lemsite.lib.api_errors import ApiError, error_body, handle_api_error


def answer(exc: Exception):
    response = handle_api_error(exc, {"view": None})
    assert response is not None
    return response.status_code, response.data["error"]


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (PermissionDenied("no"), 403, "forbidden"),
        (NotAcceptable(), 406, "not_acceptable"),
        (Throttled(wait=7), 429, "too_many_requests"),
        (SuspiciousOperation(), 400, "bad_request"),
        (TooManyFieldsSent(), 400, "bad_request"),
        (ApiError(409, "later"), 409, "conflict"),
    ],
)
def test_every_error_has_the_one_shape(exc, status, code):
    found, error = answer(exc)

    assert (found, error["code"], error["fields"]) == (status, code, {})
    assert error["message"]


def test_a_throttled_client_is_told_when_to_go_on():
    response = handle_api_error(Throttled(wait=7), {})

    assert response is not None
    assert response["Retry-After"] == "7"


def test_nested_faults_are_named_by_their_path():
    _, error = answer(ValidationError({"stated": {"gpu_count": ["too many", "odd"]}, "rows": [{"a": ["x"]}]}))

    assert error["fields"] == {"stated.gpu_count": "too many odd", "rows[0].a": "x"}


def test_a_fault_without_a_field_is_the_bodys():
    assert answer(ValidationError("it is no object"))[1]["fields"] == {"body": "it is no object"}


def test_what_is_not_foreseen_stays_a_fault_of_ours():
    assert handle_api_error(RuntimeError(), {}) is None


def test_a_status_without_a_word_of_its_own_is_an_error():
    assert error_body(418, "no coffee")["error"]["code"] == "error"
