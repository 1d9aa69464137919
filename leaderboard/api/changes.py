"""Steps on a submission, and what a refused one answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework import status as http

from accounts.models import User
from accounts.services.bans import Banned
from leaderboard.api.uploads import refuse_import
from leaderboard.importers import ImportRefused
from leaderboard.models import Submission
from leaderboard.services.editing import Changes, edit
from leaderboard.services.quotas import OverQuota
from leaderboard.services.submissions import ResultsImpossible, SubmissionRefused
from lemsite.lib.api_errors import ApiError

#: what stands in the way is the state of the submission, not the input
STATE_FIELDS = ("", "status", "note")


@contextmanager
def refuse_step() -> Iterator[None]:
    """400 for an input that is not right, 403 and 429 for who may not write now, 409 for the wrong moment, 422 for the
    impossible."""
    try:
        yield
    except ImportRefused as error:
        refuse_import(error)
    except Banned as error:
        raise ApiError(http.HTTP_403_FORBIDDEN, str(error)) from None
    except OverQuota as error:
        raise ApiError(http.HTTP_429_TOO_MANY_REQUESTS, error.message, wait=error.retry_after_s) from None
    except SubmissionRefused as error:
        fields = {error.field: error.message} if error.field else {}
        raise ApiError(_status(error), error.message, fields) from None


def _status(error: SubmissionRefused) -> int:
    if isinstance(error, ResultsImpossible):
        return http.HTTP_422_UNPROCESSABLE_ENTITY
    return http.HTTP_409_CONFLICT if error.field in STATE_FIELDS else http.HTTP_400_BAD_REQUEST


def change(submission: Submission, changes: Changes, *, by: User) -> Submission:
    with refuse_step():
        return edit(submission=submission, changes=changes, by=by)
