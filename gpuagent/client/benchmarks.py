"""Results: the leaderboard, single results, exports, uploads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Unpack
from uuid import UUID

from gpuagent.client import models
from gpuagent.client.calls import Group, M, call, listing
from gpuagent.client.downloads import download
from gpuagent.client.filters import Filters
from gpuagent.client.models import SavedComparison
from gpuagent.client.sinks import Destination, Download
from gpuagent.client.steps import (
    Emit,
    Request,
    Send,
    Steps,
    ask,
    at,
    cursor_of,
    do,
    fetch,
    get,
    list_of,
    once,
    pages,
    parsed,
    understood,
)
from gpuagent.client.submissions import Batches
from gpuagent.client.uploads import Source, parts_of

Format = Literal["csv", "json", "parquet"]
View = Literal["best", "all"]
Visibility = Literal["draft", "private", "public"]
Licence = Literal["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"]
Row = dict[str, Any]
#: a zip of hundreds of files is read while its sender waits
UPLOAD_S = 300.0


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload has become. In a background batch, files that cannot be used are left out and named."""

    submission: models.Submission | None
    refused: tuple[models.Refused, ...] = ()


class Benchmarks(Group[M]):
    """Measured configurations, as the leaderboard ranks them."""

    @listing(models.Result, "benchmarks_list")
    def list(
        self,
        *,
        sort: str | None = None,
        view: View | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **filters: Unpack[Filters],
    ) -> Steps[None]:
        """Results in the order of `sort`, such as "-tokens_per_joule"; `limit` is how many at most."""
        query = {"sort": sort, "view": view, "cursor": cursor, **filters}
        return pages(get("/api/benchmarks", **query), models.Board, limit=limit)

    @listing(Row, "benchmarks_list")
    def rows(
        self,
        *,
        columns: Iterable[str] = (),
        sort: str | None = None,
        view: View | None = None,
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> Steps[None]:
        """Results as plain dicts with the metrics named in `columns`, such as for pandas.DataFrame(…)."""
        query: dict[str, Any] = {"columns": list_of(columns), "sort": sort, "view": view, **filters}
        left = limit
        while left is None or left > 0:
            query["limit"] = None if left is None else min(left, 500)
            request = get("/api/benchmarks", **query)
            page = parsed(request, (yield from ask(Send(request))))
            for row in page["results"][:left]:
                yield Emit(row)
            left = left if left is None else left - len(page["results"])
            query["cursor"] = cursor_of(page["next"])
            if not query["cursor"]:
                return

    @call("benchmarks_retrieve")
    def get(
        self,
        result_id: UUID | str,
        *,
        usd_per_gpu_hour: float | None = None,
        usd_per_kwh: float | None = None,
        pue: float | None = None,
        co2_g_per_kwh: float | None = None,
    ) -> Steps[models.ResultDetail]:
        """One result with its findings, configuration and environment; cost and CO2 at your prices."""
        prices = {"usd_per_gpu_hour": usd_per_gpu_hour, "usd_per_kwh": usd_per_kwh, "pue": pue}
        request = get(at("/api/benchmarks/{}", result_id), **prices, co2_g_per_kwh=co2_g_per_kwh)
        return fetch(request, models.ResultDetail)

    @call("benchmarks_create")
    def preview(self, *sources: Source, stated: Mapping[str, Any] | None = None) -> Steps[models.Preview]:
        """What an upload would become; nothing is stored."""
        form = _form(stated=stated, dry_run=True)
        return fetch(replace(_upload(sources, form), is_repeatable=True), models.Preview)

    @call("benchmarks_create")
    def submit(
        self,
        *sources: Source,
        stated: Mapping[str, Any] | None = None,
        visibility: Visibility = "public",
        note: str = "",
        licence: Licence | None = None,
        background: bool = False,
    ) -> Steps[models.Created | models.Accepted]:
        """Hand files in: a Created submission or, for many files, an Accepted batch that is read in the background."""
        options = {"visibility": visibility, "note": note, "licence": licence}
        request = once(_upload(sources, _form(stated=stated, background=background, **options)))
        reply = yield from ask(Send(request))
        if reply.status == 202:
            return understood(request, reply, models.Accepted)
        return understood(request, reply, models.Created)

    @call()
    def upload(
        self,
        *sources: Source,
        stated: Mapping[str, Any] | None = None,
        visibility: Visibility = "public",
        note: str = "",
        licence: Licence | None = None,
        background: bool = False,
        on_progress: Callable[[models.Batch], None] | None = None,
        timeout_s: float | None = None,
    ) -> Steps[Uploaded]:
        """Hand files in and wait until all of them are read. Folders travel as one zip."""
        options: dict[str, Any] = {"visibility": visibility, "note": note, "licence": licence, "background": background}
        made = yield from Benchmarks.submit.steps(self, *sources, stated=stated, **options)
        if isinstance(made, models.Created):
            return Uploaded(models.Submission.model_validate(made.model_dump(by_alias=True)))
        batch = yield from Batches.wait.steps(self, made.batch.id, on_progress=on_progress, timeout_s=timeout_s)
        if batch.submission is None:
            return Uploaded(None, tuple(batch.refused))
        request = get(at("/api/submissions/{}", batch.submission))
        return Uploaded((yield from fetch(request, models.Submission)), tuple(batch.refused))

    @call("benchmarks_update")
    def update(self, result_id: UUID | str, *, stated: Mapping[str, Any]) -> Steps[models.ResultDetail]:
        """State what the file lacks, while it is a draft or changes were requested."""
        request = Request("PATCH", at("/api/benchmarks/{}", result_id), json={"stated": dict(stated)})
        return fetch(request, models.ResultDetail)

    @call("benchmarks_delete")
    def delete(self, result_id: UUID | str) -> Steps[None]:
        """Delete a result that is the only one of its submission."""
        return do(Request("DELETE", at("/api/benchmarks/{}", result_id), is_repeatable=True))

    @call("benchmarks_raw")
    def raw(self, result_id: UUID | str, to: Destination) -> Steps[Download]:
        """The file that a result was read from, as it is stored; its digest is compared with what the site told."""
        result = yield from Benchmarks.get.steps(self, result_id)
        submission = yield from fetch(get(at("/api/submissions/{}", result.submission)), models.Submission)
        digests = [file.sha256 for file in submission.files if file.name == result.file]
        sha256 = digests[0] if len(digests) == 1 else ""
        return (yield from download(get(at("/api/benchmarks/{}/raw", result_id)), to, sha256=sha256))

    @call("benchmarks_csv", "benchmarks_json", "benchmarks_parquet")
    def export(
        self,
        to: Destination,
        *,
        file_format: Format = "csv",
        columns: Iterable[str] = (),
        sort: str | None = None,
        view: View | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **filters: Unpack[Filters],
    ) -> Steps[Download]:
        """The leaderboard as a file, up to 100,000 rows; `client.dumps` has all there is."""
        query = {"columns": list_of(columns), "sort": sort, "view": view, "limit": limit, "cursor": cursor, **filters}
        return download(get(f"/api/benchmarks.{file_format}", **query), to)


class Compare(Group[M]):
    """Two to eight results or models beside each other."""

    @call("compare_retrieve")
    def get(
        self,
        *,
        result: Iterable[UUID | str] = (),
        metric: Iterable[str] = (),
        sort: str | None = None,
        **filters: Unpack[Filters],
    ) -> Steps[models.Comparison]:
        """What they share, how they differ, whether the repeats bear it out; `model` takes the best of each model."""
        query = {"result": list_of(result), "metric": list_of(metric), "sort": sort, **filters}
        return fetch(get("/api/compare", **query), models.Comparison)

    @call("compare_create")
    def save(
        self, name: str, *, results: Iterable[UUID | str] = (), models: Iterable[str] = ()
    ) -> Steps[models.SavedComparison]:
        """Keep a comparison on your account; its short link is for everyone."""
        body: dict[str, Any] = {"name": name, "results": [str(one) for one in results], "models": list_of(models)}
        request = Request("POST", "/api/compare", json={key: value for key, value in body.items() if value})
        return fetch(request, SavedComparison)


class Analysis(Group[M]):
    """The best configuration for a question."""

    @call("analysis_retrieve")
    def ask(
        self,
        *,
        goal: Literal["tokens_per_joule", "electricity", "co2", "gpu_time"] | None = None,
        against: str | None = None,
        country: str | None = None,
        **filters: Unpack[Filters],
    ) -> Steps[models.Analysis]:
        """The best by `goal` within the limits, the frontier `against` another metric, and what was assumed."""
        query = {"goal": goal, "against": against, "country": country, **filters}
        return fetch(get("/api/analysis", **query), models.Analysis)


def _upload(sources: Iterable[Source], form: Mapping[str, str]) -> Request:
    return Request("POST", "/api/benchmarks", form=form, parts=parts_of(tuple(sources)), read_timeout_s=UPLOAD_S)


def _form(*, stated: Mapping[str, Any] | None, **options: str | bool | None) -> dict[str, str]:
    form = {"stated": json.dumps(dict(stated))} if stated else {}
    return form | {name: "1" if value is True else value for name, value in options.items() if value}
