"""Brings one attempt to the site: log, events, samples, files and at last the report. What was sent twice is harmless.

Where the site's copy ends, the site says with each answer; nothing of it is kept here.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn

from gpuagent.gpu.telemetry import LiveReader
from gpuagent.host import clock, collecting, durable
from gpuagent.host.api import Api, Away, Refused
from gpuagent.host.folders import AttemptFolder, Home
from gpuagent.host.schema import Limits
from gpuagent.host.spooling import events_from, sync_file

logger = logging.getLogger("gpuagent.host")

#: batches in a row of one kind, so that a long log does not keep the samples waiting
ROUNDS = 20
#: refusals of the whole host, which its session or its operator sorts out
OF_THE_HOST = {401, 403, 426}


@dataclass
class Shipper:
    folder: AttemptFolder
    home: Home
    api: Api
    limits: Limits
    give_up_s: float
    _log_at: int = 0
    _event_at: int = 1
    _sample_at: int = 1
    _samples: LiveReader = field(init=False)
    _event_place: int = 0
    _last_event: int = 0
    _answered_s: float = field(default_factory=clock.boot_s)

    def __post_init__(self) -> None:
        self._samples = LiveReader(self.folder.path)

    def step(self) -> bool:
        """Send what is there. True once the site has it all, or never will. Raises Away or Refused."""
        if self.folder.has("verdict.json"):
            return True
        is_whole = self.folder.has("finish.json")
        try:
            self._ship_log()
            self._ship_events()
            self._ship_samples()
            if is_whole:
                self._ship_files()
                self._finish()
        except Refused as refused:
            self._answered_s = clock.boot_s() if refused.status not in OF_THE_HOST else self._answered_s
            return self._give_up_on(refused, is_whole)
        except Away:
            if is_whole and clock.boot_s() - self._answered_s > self.give_up_s:
                return self._set_aside("The site has not answered for too long.")
            raise
        self._answered_s = clock.boot_s()
        return self.folder.has("verdict.json")

    def _give_up_on(self, refused: Refused, is_whole: bool) -> bool:
        """What the site does not know is kept for the operator; all else is tried again."""
        if is_whole and refused.status == 410:
            return self._set_aside("The offer was gone.")
        if is_whole and (refused.code == "no_attempt" or refused.code == "finish_conflict"):
            return self._set_aside(str(refused))
        raise refused

    def _set_aside(self, why: str) -> bool:
        logger.warning("Attempt %s is kept in %s: %s", self.folder.id, self.home.path / "orphaned", why)
        self.folder.write("orphaned.json", {"why": why, "at": clock.utc_now()})
        self.home.orphan(self.folder)
        return True

    # what grows

    def _ship_log(self) -> None:
        path = self.folder["out.log"]
        for _ in range(ROUNDS if not self.folder.has("finish.json") else 1_000_000):
            size = path.stat().st_size if path.exists() else 0
            if self._log_at >= size:
                return
            sync_file(path)
            with path.open("rb") as file:
                file.seek(self._log_at)
                content = file.read(self.limits.log_chunk)
            end = self.api.log(self.folder.id, self._log_at, content)
            if end < self._log_at:
                logger.info("Attempt %s: the site asks for the log from %d on", self.folder.id, end)
            self._log_at = end
            durable.crash_at("log_sent")

    def _ship_events(self) -> None:
        for _ in range(ROUNDS):
            if self._newest_event() < self._event_at:
                return
            batch = events_from(self.folder, self._event_at, self.limits.events_batch)
            sync_file(self.folder["events.ndjson"])
            try:
                self._event_at = self.api.events(self.folder.id, batch)
            except Refused as refused:
                if refused.status not in {400, 413, 422}:
                    raise
                self._event_at = self._ship_one_by_one(batch, refused)

    def _newest_event(self) -> int:
        """The number of the last event, looked up only when the file has grown."""
        path = self.folder["events.ndjson"]
        size = path.stat().st_size if path.exists() else 0
        if size != self._event_place:
            self._event_place = size
            self._last_event = 0
            for line, _ in durable.lines(path):
                self._last_event = int(json.loads(line)["seq"])
        return self._last_event if size else 0

    def _ship_one_by_one(self, batch: list[dict[str, Any]], why: Refused) -> int:
        """One that the site will never take goes as an empty one of its number, so that the others are not held up."""
        logger.warning("Attempt %s: the site refuses an event: %s", self.folder.id, why)
        following = self._event_at
        for event in batch:
            try:
                following = self.api.events(self.folder.id, [event])
            except Refused as refused:
                if refused.status not in {400, 413, 422}:
                    raise
                empty = {"seq": event["seq"], "t": event["t"], "type": "refused", "data": {}}
                following = self.api.events(self.folder.id, [empty])
        return following

    def _ship_samples(self) -> None:
        for _ in range(ROUNDS):
            batch = self._samples.batch(self._sample_at, self.limits.telemetry_batch)
            if batch is None:
                return
            self._sample_at = self.api.telemetry(self.folder.id, batch)

    # the files and the report

    def _ship_files(self) -> None:
        done = {str(name) for name in (self.folder.read("uploads.json") or {}).get("done", [])}
        left = [
            told for told in (self.folder.read("finish.json") or {}).get("artifacts", []) if told["name"] not in done
        ]
        for batch in self._batches(left):
            self._ship_batch(batch)
            durable.crash_at("batch_sent")
            left = [told for told in left if told not in batch]
        for told in left:
            self._ship_file(told)
            durable.crash_at("file_sent")
            done.add(told["name"])
            # Not of the small ones: to send them again after a crash costs less than to remember each.
            self.folder.write("uploads.json", {"done": sorted(done)})

    def _batches(self, files: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """The small ones, so many at once as the site takes."""
        batch: list[dict[str, Any]] = []
        for told in files:
            if told["size"] > min(self.limits.artifact_inline, self.limits.artifact_batch):
                continue
            if batch and sum(one["size"] for one in batch) + told["size"] > self.limits.artifact_batch:
                yield batch
                batch = []
            batch.append(told)
        if batch and self.limits.artifact_batch:
            yield batch

    def _ship_batch(self, batch: list[dict[str, Any]]) -> None:
        contents = [self._content(told) for told in batch]
        try:
            begun = self.api.artifacts(self.folder.id, batch, contents)
        except Refused as refused:
            if refused.code == "digest_mismatch":
                self._check_own(*batch)
            raise
        for told, content, (artifact_id, offset) in zip(batch, contents, begun, strict=True):
            # One that was begun in pieces goes on so.
            self._ship_rest(told, io.BytesIO(content), artifact_id, offset)

    def _content(self, told: dict[str, Any]) -> bytes:
        try:
            with collecting.open_inside(self.folder, told["name"]) as file:
                return file.read(told["size"] + 1)
        except collecting.NotTheFile as why:
            self._corrupt(told, str(why))

    def _ship_file(self, told: dict[str, Any]) -> None:
        artifact_id, offset = self.api.artifact(self.folder.id, told["name"], told["size"], told["sha256"])
        try:
            with collecting.open_inside(self.folder, told["name"]) as file:
                self._ship_rest(told, file, artifact_id, offset)
        except collecting.NotTheFile as why:
            self._corrupt(told, str(why))

    def _ship_rest(self, told: dict[str, Any], file: IO[bytes], artifact_id: str, offset: int) -> None:
        """In pieces, from where the site's copy ends. Raises NotTheFile."""
        try:
            while offset < told["size"]:
                file.seek(offset)
                content = file.read(min(self.limits.artifact_chunk, told["size"] - offset))
                if not content:
                    raise collecting.NotTheFile("it has become shorter")
                offset = self.api.artifact_piece(artifact_id, offset, content)
                durable.crash_at("piece_sent")
        except Refused as refused:
            if refused.code == "digest_mismatch":
                self._check_own(told)
            raise

    def _check_own(self, *files: dict[str, Any]) -> NoReturn:
        """Damaged on its way it is sent again; damaged here it is of no use to anybody."""
        for told in files:
            try:
                is_right = collecting.describe(self.folder, told["name"]).sha256 == told["sha256"]
            except collecting.NotTheFile:
                is_right = False
            if not is_right:
                self._corrupt(told, "its content has changed")
        raise Away(f"{', '.join(told['name'] for told in files)} was damaged on its way")

    def _corrupt(self, told: dict[str, Any], why: str) -> NoReturn:
        """The report is written again, unless the site may have it already."""
        logger.error("Attempt %s: %s on this disk is damaged: %s", self.folder.id, told["name"], why)
        report = self.folder.read("finish.json") or {}
        if not self.folder.has("finish-sent"):
            kept = [one for one in report["artifacts"] if one["name"] != told["name"]]
            detail = f"{told['name']} was damaged on the host's disk: {why}."
            changed = {"outcome": "infra_failed", "code": "corrupt", "detail": detail, "artifacts": kept}
            self.folder.write("finish.json", report | changed)
        raise Away(f"{told['name']} is damaged")

    def _finish(self) -> None:
        if not self.folder.has("finish-sent"):
            self.folder.write("finish-sent", {"at": clock.utc_now()})
        durable.crash_at("finish_sent")
        try:
            verdict = self.api.finish(self.folder.id, self.folder["finish.json"].read_bytes())
        except Refused as refused:
            if refused.code == "incomplete":
                self._go_back(refused.body)
                raise Away("the site lacks a part of the attempt") from None
            raise
        durable.crash_at("finish_answered")
        self.folder.write("verdict.json", verdict.model_dump() | {"at": clock.utc_now()})
        durable.crash_at("verdict_written")
        logger.info("Attempt %s: %s, the job has %s", self.folder.id, verdict.verdict, verdict.job_state or "ended")

    def _go_back(self, missing: dict[str, Any]) -> None:
        """To where the site's copy ends."""
        self._log_at = _number(missing.get("log_from"), self._log_at)
        self._event_at = _number(missing.get("events_from"), self._event_at)
        self._sample_at = _number(missing.get("telemetry_from"), self._sample_at)
        lacking = missing.get("artifacts")
        if isinstance(lacking, list):
            done = (self.folder.read("uploads.json") or {}).get("done", [])
            self.folder.write("uploads.json", {"done": [name for name in done if name not in lacking]})


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise
