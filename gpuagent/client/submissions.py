"""Submissions, and the batches in which many files are read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal
from uuid import UUID

from gpuagent.client import models
from gpuagent.client.calls import Group, M, call, listing
from gpuagent.client.downloads import download
from gpuagent.client.errors import WaitedTooLong
from gpuagent.client.sinks import Destination, Download
from gpuagent.client.steps import LASTING, Pause, Request, Steps, at, do, fetch, get, pages
from gpuagent.client.uploads import Source, parts_of

POLL_S = 1.0


class Batches(Group[M]):
    """Uploads of many files, while and after they are read."""

    @call("batches_retrieve")
    def get(self, batch_id: UUID | str) -> Steps[models.Batch]:
        """How far it is, and which files could not be used."""
        return fetch(get(at("/api/batches/{}", batch_id)), models.Batch)

    @call()
    def wait(
        self,
        batch_id: UUID | str,
        *,
        on_progress: Callable[[models.Batch], None] | None = None,
        timeout_s: float | None = None,
        poll_s: float = POLL_S,
    ) -> Steps[models.Batch]:
        """The batch once all of its files are read. Raises WaitedTooLong."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            batch = yield from fetch(get(at("/api/batches/{}", batch_id)), models.Batch, LASTING)
            if on_progress:
                on_progress(batch)
            if batch.state in {"done", "failed"}:
                return batch
            if until is not None and time.monotonic() >= until:
                raise WaitedTooLong(
                    f"Batch {batch_id} is {batch.state}: {batch.files_done} of {batch.files_total} files."
                )
            yield Pause(poll_s)


class Submissions(Group[M]):
    """What you have handed in."""

    @listing(models.SubmissionRow, "submissions_list")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """Your own, the newest first."""
        return pages(get("/api/submissions", cursor=cursor), models.PaginatedSubmissionRowList, limit=limit)

    @call("submissions_retrieve")
    def get(self, submission_id: UUID | str) -> Steps[models.Submission]:
        """One with its results, its findings and what it lacks."""
        return fetch(get(at("/api/submissions/{}", submission_id)), models.Submission)

    @call("submissions_update")
    def update(
        self,
        submission_id: UUID | str,
        *,
        stated: Mapping[str, Any] | None = None,
        note: str | None = None,
        visibility: Literal["public", "private"] | None = None,
        status: Literal["pending", "draft", "withdrawn"] | None = None,
        licence: Literal["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"] | None = None,
        reason: str | None = None,
    ) -> Steps[models.Submission]:
        """All or nothing. `status`: "pending" hands in, "draft" recalls, "withdrawn" takes back, with a reason."""
        given = {"stated": stated and dict(stated), "note": note, "visibility": visibility, "status": status}
        given |= {"licence": licence, "reason": reason}
        body = {name: value for name, value in given.items() if value is not None}
        return fetch(Request("PATCH", at("/api/submissions/{}", submission_id), json=body), models.Submission)

    @call("submissions_delete")
    def delete(self, submission_id: UUID | str, *, reason: str = "") -> Steps[None]:
        """With its results and files. Where a published result was stands who took it away, when and why."""
        path = at("/api/submissions/{}", submission_id)
        return do(Request("DELETE", path, {"reason": reason or None}, is_repeatable=True))

    @call("submissions_replace_files")
    def replace_files(
        self, submission_id: UUID | str, *sources: Source, reason: str, stated: Mapping[str, Any] | None = None
    ) -> Steps[models.Created]:
        """New files in place of the old ones; results of the same configuration keep their ids."""
        form = {"reason": reason} | ({"stated": json.dumps(dict(stated))} if stated is not None else {})
        path = at("/api/submissions/{}/files", submission_id)
        return fetch(Request("POST", path, form=form, parts=parts_of(sources)), models.Created)

    @call("submissions_history")
    def history(self, submission_id: UUID | str) -> Steps[models.History]:
        """Every decision with its date, author and reason."""
        return fetch(get(at("/api/submissions/{}/history", submission_id)), models.History)

    @call("submissions_raw")
    def raw(self, submission_id: UUID | str, to: Destination) -> Steps[Download]:
        """Its files as they are stored, in one zip; each bears the digest that `files` of the submission tells."""
        return download(get(at("/api/submissions/{}/raw", submission_id)), to)

    @call("submissions_shares")
    def shares(self, submission_id: UUID | str) -> Steps[models.Shares]:
        """Who may see a private one beside you."""
        return fetch(get(at("/api/submissions/{}/shares", submission_id)), models.Shares)

    @call("submissions_share")
    def share(self, submission_id: UUID | str, username: str) -> Steps[models.Shares]:
        """Let one more person see a private one; they are told."""
        path = at("/api/submissions/{}/shares", submission_id)
        return fetch(Request("POST", path, json={"username": username}, is_repeatable=True), models.Shares)

    @call("submissions_unshare")
    def unshare(self, submission_id: UUID | str, username: str) -> Steps[None]:
        """No more."""
        path = at("/api/submissions/{}/shares", submission_id)
        return do(Request("DELETE", path, {"username": username}, is_repeatable=True))
