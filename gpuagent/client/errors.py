"""What can go wrong between a program and a site.

LemError
├── NotConfigured     no address or no token, or a token that would travel in the clear
├── SiteAway          no answer after all retries
│   └── ReplyLost     what was asked for may have happened all the same
├── BadReply          the answer is not a lemsite's, or lacks something
├── Damaged           a file that did not arrive as it should have
├── WaitedTooLong     it goes on without you: the job or batch is not stopped
└── ApiError          the site has understood and says no
    ├── BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, Conflict 409, Gone 410, TooLarge 413
    ├── Refused 422       with `findings` where a check has refused a result
    ├── RateLimited 429   with `retry_after_s`
    └── ServerError 5xx
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class LemError(Exception):
    """The base of them all."""


class NotConfigured(LemError):
    """The client cannot ask as it is set up."""


class SiteAway(LemError):
    """The site cannot be reached, or it stays busy."""


class ReplyLost(SiteAway):
    """A change was sent and its answer did not arrive: look whether it has happened before sending it again."""


class BadReply(LemError):
    """What answered is not a lemsite, or one whose answers this client does not know."""


class Damaged(LemError):
    """A download whose digest is not the one that was told."""


class WaitedTooLong(LemError):
    """The time to wait is over; what was waited for goes on."""


class ApiError(LemError):
    """An answer other than success. `fields` says what would be right, by the name of the parameter or file."""

    def __init__(self, status: int, body: Mapping[str, Any], *, request_id: str = "", retry_after_s: float = 0) -> None:
        error = body.get("error")
        told: Mapping[str, Any] = error if isinstance(error, Mapping) else {"message": error}
        fields = told.get("fields")
        self.status = status
        self.code = str(told.get("code") or f"http_{status}")
        self.message = str(told.get("message") or f"HTTP {status}")
        self.fields: dict[str, str] = (
            {str(name): str(words) for name, words in fields.items()} if isinstance(fields, Mapping) else {}
        )
        #: the site's own name for this request: its operator finds the cause in the log by it
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        #: the whole answer
        self.body = dict(body)
        super().__init__(self._text())

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the checks found in a refused upload; `result` is the place of the result in it."""
        found = self.body.get("findings")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def tombstone(self) -> dict[str, Any]:
        """Who has taken away what was here, when and why; of a `Gone`."""
        told = self.body.get("tombstone")
        return dict(told) if isinstance(told, dict) else {}

    def _text(self) -> str:
        words = [f"{name}: {text}" for name, text in self.fields.items() if text not in self.message]
        text = f"{self.message.rstrip()} {'; '.join(words)}".rstrip()
        if self.status >= 500 and self.request_id:
            text += f" (request {self.request_id})"
        return f"{text} [{self.status} {self.code}]"


class BadRequest(ApiError):
    pass


class Unauthorized(ApiError):
    pass


class Forbidden(ApiError):
    pass


class NotFound(ApiError):
    pass


class Conflict(ApiError):
    pass


class Gone(ApiError):
    pass


class TooLarge(ApiError):
    pass


class Refused(ApiError):
    pass


class RateLimited(ApiError):
    pass


class ServerError(ApiError):
    pass


BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: Refused,
    429: RateLimited,
}


def error_class(status: int) -> type[ApiError]:
    return BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
