"""One site in use, from before its fault until all is back, and what became of all that it had acknowledged."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.faults_at_work.kinds import ClusterKilled, DatabaseAway, Fault
from benchmarks.faults_at_work.people import (
    PAGES,
    PATIENCE_S,
    STATIC,
    Answer,
    Person,
    Reader,
    Sender,
    Uploader,
    Viewer,
    start_run,
)
from benchmarks.faults_at_work.services import Receiver, made_rows
from benchmarks.load import kept
from benchmarks.load.customers import Customer
from benchmarks.load.deployment import Deployment
from benchmarks.load.hosts import Host
from benchmarks.load.site import ROOT

READERS, SENDERS, PEOPLE = 3, 2, 6
JOBS, JOB_S, OPEN_JOBS = 200, 0.5, 2
#: shorter than in production, so that a minute is a long time
TIMES = "offer_s=6,lease_s=10,grace_s=20,heartbeat_s=3,poll_s=1,flush_s=1.5,declined_s=1"
BACK_WITHIN_S, SETTLED_WITHIN_S = 180.0, 240.0
OPEN_STATES = "('held', 'queued', 'offered', 'running')"
NOT_IMPORTED = "SELECT count(*) FROM jobs_job WHERE state='succeeded' AND submission_id IS NULL AND import_problem=''"
IMPORTED_TWICE = (
    "SELECT count(*) FROM (SELECT job_id FROM jobs_jobevent WHERE event='imported' GROUP BY job_id HAVING count(*) > 1)"
    " AS twice"
)
RUN_TWICE = (
    "SELECT count(*) FROM (SELECT job_id FROM jobs_attempt WHERE accepted_at IS NOT NULL GROUP BY job_id"
    " HAVING count(*) > 1) AS twice"
)
WAITING_TICKETS = "UPDATE django_q_ormq SET lock = {} WHERE key = 'lemsite'"


@contextmanager
def logged(kept_at: Path) -> Iterator[Path]:
    """All that the site's processes write to stderr goes into a file for as long as this lasts."""
    with tempfile.NamedTemporaryFile(prefix="lemsite-faults-", suffix=".log") as log:
        stderr = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield Path(log.name)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if kept_at != Path(os.devnull):
                with kept_at.open("ab") as out, Path(log.name).open("rb") as said:
                    shutil.copyfileobj(said, out)


class Scene:
    def __init__(self, fault: Fault, log: Path) -> None:
        self._fault, self._log = fault, log
        self._receiver = Receiver()
        self.struck_at = self.mended_at = 0.0
        self._back: dict[str, float] = {}
        self._is_over = False

    @property
    def settings(self) -> dict[str, str]:
        return {"LEMSITE_JOB_TIMES": TIMES, "WEBHOOK_PRIVATE_HOSTS": self._receiver.host, "LOG_LEVEL": "WARNING"}

    def begin(self, site: Deployment) -> None:
        self.site = site
        self._receiver.start()
        receiver = f"http://{self._receiver.host}/"
        arguments = ("--people", str(PEOPLE), "--hosts", "1", "--receiver", receiver)
        made = made_rows(site.environment, ROOT, *arguments)
        start_run(site.port, site.token)
        self._readers = [Reader(site.port), Reader(site.port, PAGES[::-1]), Reader(site.port, [STATIC])]
        self._senders = [Sender(site.port, site.token, place) for place in range(SENDERS)]
        self._viewer = Viewer(site.port)
        self._uploader = Uploader(site.port, made["tokens"])
        self._customer = Customer(
            site.port, made["tokens"][0], JOBS, 0.0, random.Random(7), wants_more=self._wants_more
        )
        # On another disk than the site's, as another machine's would be.
        self._host_home = Path(tempfile.mkdtemp(prefix="lemsite-fault-host-", dir="/tmp"))
        self._host = Host(self._host_home / "host", JOB_S)
        self._host.enrol(site.url, made["codes"][0])
        self._host.start()
        self._people: list[Person] = [*self._readers, *self._senders, self._viewer, self._uploader]
        for person in (*self._people, self._customer):
            person.start()

    def _wants_more(self) -> bool | None:
        """Jobs are ordered as the host ends them, until the end."""
        if self._is_over:
            return False
        return True if len(self._customer.ordered) - len(self._started()) < OPEN_JOBS else None

    def _started(self) -> Counter[str]:
        return kept.started([self._host.home])

    def wait_until_back(self) -> None:
        """Until each kind of use has worked again, begun after the mend; or for too long."""
        waited: dict[str, Callable[[], bool]] = {
            "page": lambda: self._after([a for r in self._readers for a in r.answers], ("200",)),
            "ingest": lambda: any(
                at > self.mended_at for sender in self._senders for at, _ in sender.acknowledged[-3:]
            ),
            "viewer": self._viewer_is_back,
            "upload": lambda: self._after(self._uploader.answers, ("201", "202")),
            "job": self._job_is_back,
        }
        jobs = len(self._started())
        self._jobs_before = jobs
        while len(self._back) < len(waited) and time.monotonic() - self.mended_at < BACK_WITHIN_S:
            for what, is_back in waited.items():
                if what not in self._back and is_back():
                    self._back[what] = time.monotonic() - self.mended_at
            time.sleep(0.05)
        time.sleep(3)

    def _after(self, answers: list[Answer], kinds: tuple[str, ...]) -> bool:
        return any(one.at > self.mended_at and one.kind in kinds for one in answers[-20:])

    def _viewer_is_back(self) -> bool:
        sent = {
            one
            for sender in self._senders
            for at, ids in sender.acknowledged[-20:]
            if at > self.mended_at
            for one in ids
        }
        return bool(sent & self._viewer.seen.keys())

    def _job_is_back(self) -> bool:
        return len(self._started()) > self._jobs_before

    def end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        for person in (*self._senders, self._uploader):
            person.stop()
            person.join(PATIENCE_S)
        self._settle()
        for one in self._people:
            one.stop()
        self._host.kill()
        self._receiver.stop()

    def _settle(self) -> None:
        """Until what was acknowledged is done: jobs over, imports made, batches read, webhooks sent, viewers told."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        stored = "SELECT count(*) FROM runs_progressevent"
        while time.monotonic() < deadline:
            if isinstance(self._fault, ClusterKilled):
                # A task that was killed is given out again after six minutes; here at once.
                self._write(WAITING_TICKETS.format("now()" if self._is_postgresql else "datetime('now')"))
            waiting = [
                f"SELECT count(*) FROM jobs_job WHERE state IN {OPEN_STATES}",
                NOT_IMPORTED,
                "SELECT count(*) FROM leaderboard_uploadbatch WHERE state IN ('waiting', 'reading')",
                "SELECT count(*) FROM accounts_webhookdelivery WHERE delivered_at IS NULL",
            ]
            left = sum(self._number(query) for query in waiting)
            if not left and len(self._viewer.seen) >= self._number(stored):
                return
            time.sleep(2)

    @property
    def _is_postgresql(self) -> bool:
        return self._fault.engine == "postgresql"

    def _number(self, query: str) -> int:
        return int(self._rows(query)[0][0])

    def _write(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def _url(self) -> str:
        return self._fault.real if isinstance(self._fault, DatabaseAway) else self.site.database_url

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        if self._is_postgresql:
            with psycopg.connect(self._url, autocommit=True) as connection:
                return connection.execute(query.encode()).fetchall()
        file = sqlite3.connect(self.site.home / "live.sqlite3", timeout=20)
        try:
            return file.execute(query).fetchall()
        finally:
            file.close()

    def judge(self) -> tuple[list[object], bool]:
        """(the cells of the table's row, whether anything is wrong)."""
        events = [one for sender in self._senders for _, ids in sender.acknowledged for one in ids]
        stored = Counter(row[0] for row in self._rows("SELECT event_id FROM runs_progressevent"))
        uploads = self._uploader.uploads
        known = {str(row[0]).replace("-", "") for row in self._rows("SELECT id FROM leaderboard_submission")}
        known |= {
            str(row[0]).replace("-", "")
            for row in self._rows("SELECT id FROM leaderboard_uploadbatch WHERE state='done'")
        }
        taken = [one.replace("-", "") for one in (*uploads.taken, *uploads.batches)]
        jobs = {row[0]: row[1] for row in self._rows("SELECT id, state FROM jobs_job")}
        faults = {
            "events lost": len(set(events) - stored.keys()),
            "events twice": sum(number > 1 for number in (*stored.values(), *self._viewer.seen.values())),
            "events unseen": len(stored.keys() - self._viewer.seen.keys()),
            "uploads lost": sum(one not in known for one in taken),
            "jobs lost": sum(jobs.get(one) != "succeeded" for one in self._customer.ordered)
            + self._number(NOT_IMPORTED),
            "jobs run twice": self._run_twice(),
            "not back": 5 - len(self._back),
        }
        row = [
            self._fault.name,
            _told(self._during()),
            f"{max((one.took_s for one in self._during()), default=0):.1f}",
            f"{self._gap_s():.1f}",
            f"{len(events):,}",
            *(faults[name] for name in ("events lost", "events twice", "events unseen")),
            len(taken),
            faults["uploads lost"],
            len(self._customer.ordered),
            faults["jobs lost"],
            faults["jobs run twice"],
            ", ".join(
                f"{self._back[name]:.1f}" if name in self._back else "never"
                for name in ("page", "ingest", "viewer", "upload", "job")
            ),
            self._log.read_text(errors="replace").count("Traceback (most recent call last)"),
        ]
        shutil.rmtree(self._host_home, ignore_errors=True)
        return row, any(faults.values())

    def _run_twice(self) -> int:
        """Jobs with more than one execution, attempts started twice, and results imported twice."""
        again = sum(number > 1 for number in self._started().values())
        return self._number(RUN_TWICE) + again + self._number(IMPORTED_TWICE)

    def _during(self) -> list[Answer]:
        found = [one for reader in self._readers for one in reader.answers]
        return [one for one in found if self.struck_at <= one.at <= self.mended_at]

    def _gap_s(self) -> float:
        """The longest time in which the viewer saw nothing, from the fault until it saw events again."""
        times = [at for at in self._viewer.seen_at if at >= self.struck_at - 1]
        return max((after - before for before, after in pairwise(times)), default=0.0)


def _told(answers: list[Answer]) -> str:
    counts = Counter(one.kind for one in answers)
    return ", ".join(f"{number:,} × {kind}" for kind, number in counts.most_common()) or "none"
