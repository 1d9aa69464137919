"""The events of a run as a file: JSONL in the contract's form, CSV or Parquet; streamed, so that memory stays small."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

import orjson
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from runs.models import ProgressEvent, Run
from runs.sealing import MAX_UNSEALED, open_events, open_stored_file, write_unsealed
from runs.wire import ProgressEvent as ProgressEventBody

COLUMNS = ("seq", *ProgressEventBody.model_fields, "simulated")
CONTENT_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
_BATCH = 1_000
#: a spreadsheet runs a cell that begins so, full-width forms included
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def events_response(run: Run, ending: str) -> HttpResponseBase:
    """The answer of /runs/<key>/events.<ending>, an ending of CONTENT_TYPES."""
    response = _response(run, ending)
    if response.status_code == 200:
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name(run, ending)}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-cache"
    return response


def file_name(run: Run, ending: str) -> str:
    """A name that any file system takes, and that says when nothing was measured."""
    key = re.sub(r"[^A-Za-z0-9._-]+", "-", run.key)[:80].strip("-.") or "run"
    return f"lemsite-{key}{'-simulated' if run.is_simulated else ''}-events.{ending}"


def jsonl_parts(run: Run) -> Iterator[str]:
    """One event a line as readers of the API get it; those of a simulated run carry `simulated` as well."""
    for batch in _batches(_texts(run)):
        lines = (f'{text[:-1]},"simulated":true}}' if run.is_simulated else text for _, text in batch)
        yield "\n".join(lines) + "\n"


def csv_parts(run: Run) -> Iterator[str]:
    """RFC 4180, a header row of the contract's field names; numbers stay numbers, unknown is empty."""
    part = io.StringIO(newline="")
    writer = csv.writer(part)
    writer.writerow(COLUMNS)
    simulated = "true" if run.is_simulated else "false"
    for batch in _batches(_texts(run)):
        for seq, text in batch:
            event = orjson.loads(text) | {"seq": seq, "simulated": simulated}
            writer.writerow([_cell(event.get(name)) for name in COLUMNS])
        yield _taken(part)
    yield _taken(part)


def _response(run: Run, ending: str) -> HttpResponseBase:
    if ending == "parquet":
        return _parquet(run)
    parts = csv_parts(run) if ending == "csv" else jsonl_parts(run)
    return StreamingHttpResponse(parts, content_type=CONTENT_TYPES[ending])


def _parquet(run: Run) -> HttpResponseBase:
    """The stored file; for a run without one, a file made now, unless that would keep other readers waiting."""
    if run.sealed_seq:
        return FileResponse(open_stored_file(run), content_type=CONTENT_TYPES["parquet"])
    if run.event_count > MAX_UNSEALED:
        message = (
            f"This run has more than {MAX_UNSEALED:,} events: its Parquet file is there minutes after it has ended. "
            "events.jsonl and events.csv are there now.\n"
        )
        return HttpResponse(message, status=409, content_type="text/plain; charset=utf-8")
    stream: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
    write_unsealed(run, stream)
    return FileResponse(stream, content_type=CONTENT_TYPES["parquet"])


def _texts(run: Run) -> Iterator[tuple[int, str]]:
    """(seq, text) of all events, also when the run is sealed, and its rows go, while a slow reader takes them."""
    rows = ProgressEvent.objects.filter(run=run).order_by("seq").values_list("seq", "body")
    last = 0
    while True:
        run.refresh_from_db(fields=["sealed_seq"])
        if last < run.sealed_seq:
            with open_events(run) as events:
                yield from events.texts(last) if events is not None else ()
            last = run.sealed_seq
        batch = list(rows.filter(seq__gt=last)[:_BATCH])
        if not batch:
            return
        yield from batch
        last = batch[-1][0]


def _batches(texts: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    texts = iter(texts)
    while batch := list(islice(texts, _BATCH)):
        yield batch


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _taken(part: io.StringIO) -> str:
    text = part.getvalue()
    part.seek(0)
    part.truncate()
    return text
