"""Order jobs, and kill hosts, jobs and the server at random while they run; then count what was lost or run twice.

    python -m benchmarks.chaos --jobs 300 [--hosts 6] [--agent-kills 30] [--server-kills 3] [--seed 7] [--for-s 600]

Real agents, each a process of its own with its own disk and a simulated GPU, work for a real site through a proxy that
loses one reply in a hundred and sends one request in a hundred twice. Agents are killed with SIGKILL while their jobs
live on; hosts are crashed, that is agent, jobs and samplers at once; the server is killed; people cancel. At the end
every job must be over, the site must find nothing wrong with itself (`manage.py audit`), and what the hosts wrote down
of each start, each log, event, sample and file must be what the site has. With --imports the background worker is
started, killed with the server, and must have made a submission of every result; without, that is left out.

It says each half minute how far it is. After --for-s seconds, or told to stop (SIGTERM, SIGINT), it orders no more,
lets what is ordered come to its end, and judges that.
docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import compileall
import random
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.claims import fill  # noqa: E402
from benchmarks.load import kept  # noqa: E402
from benchmarks.load.customers import Customer  # noqa: E402
from benchmarks.load.faulty_proxy import FaultyProxy  # noqa: E402
from benchmarks.load.hosts import Host  # noqa: E402
from benchmarks.load.site import ENGINES, Ask, Site, new_site  # noqa: E402
from benchmarks.load.words import print_machine  # noqa: E402

#: seconds at pace 1, short so that an outage of seconds is longer than lease and grace together
TIMES = {"offer_s": 6, "lease_s": 8, "grace_s": 12, "heartbeat_s": 3, "poll_s": 1, "flush_s": 1.5, "declined_s": 1}
#: of the simulated benchmark
JOB_S = 0.1
#: jobs that wait or run at once, for each host
OPEN_PER_HOST = 3
#: a task whose worker was killed is given out again after six minutes
IMPORTS_STUCK_S = 500.0
NOT_IMPORTED = "SELECT count(*) FROM jobs_job WHERE state='succeeded' AND submission_id IS NULL AND import_problem=''"
OPEN = "('held', 'queued', 'offered', 'running')"
TICK_S = 0.2
TOLD_S = 30.0
#: without any job ending for so long, something is stuck
STUCK_S = 180.0


@dataclass(frozen=True)
class Plan:
    """What is done to the site and its hosts, how often."""

    jobs: int
    hosts: int
    agent_kills: int
    host_crashes: int
    server_kills: int
    cancelling: float
    faults: float
    seed: int
    pace: float
    for_s: float
    imports: bool


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill hosts, jobs and the server, and count what is lost.")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--hosts", type=int, default=6)
    parser.add_argument("--agent-kills", type=int, default=30)
    parser.add_argument("--host-crashes", type=int, default=6)
    parser.add_argument("--server-kills", type=int, default=3)
    parser.add_argument("--cancelling", type=float, default=0.05, help="share of the jobs that are cancelled")
    parser.add_argument("--faults", type=float, default=0.01, help="share of replies lost, and of requests doubled")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--pace", type=float, default=1.0, help="all times between site and hosts so many times longer")
    parser.add_argument("--for-s", type=float, default=float("inf"), help="order nothing more after so many seconds")
    parser.add_argument("--imports", action="store_true", help="results become submissions")
    parser.add_argument("--database", choices=ENGINES, default="postgresql")
    parser.add_argument("--keep", type=Path, help="where to keep the hosts' disks of a run that went wrong")
    arguments = vars(parser.parse_args())
    engine, keep = arguments.pop("database"), arguments.pop("keep")
    plan = Plan(**arguments)
    print_machine([engine])
    print(f"{plan}\n", flush=True)
    # As an installation does: the programs of a job write nothing beside their own code.
    compileall.compile_dir(ROOT / "gpuagent", quiet=2)
    times = ",".join(f"{name}={seconds * plan.pace:g}" for name, seconds in TIMES.items())
    with new_site(engine, LEMSITE_JOB_TIMES=times, LOG_LEVEL="ERROR") as site:
        site.manage("load_catalogue")
        if plan.imports:
            site.stop()
            site.has_worker = True
            site.start()
            site.wait_until_up()
        return Chaos(site, plan, keep).run()


class Chaos:
    def __init__(self, site: Site, plan: Plan, keep: Path | None) -> None:
        self._site, self._plan, self._keep = site, plan, keep
        self._dice = random.Random(plan.seed)
        self._proxy = FaultyProxy(site.port, losing=plan.faults, doubling=plan.faults, seed=plan.seed)
        self._done = Counter({"agent kills": 0, "host crashes": 0, "server kills": 0})
        self._stops = threading.Event()
        self._open = self._over = 0
        self._began = time.monotonic()

    def run(self) -> int:
        """1 when anything was lost, run twice, finished twice, unknown or torn."""
        plan, site = self._plan, self._site
        self._proxy.start()
        self._proxy.wait_until_up()
        made = fill(site, hosts=plan.hosts, people=plan.hosts)
        hosts = [Host(site.home / f"host-{number}", JOB_S) for number in range(plan.hosts)]
        for host, code in zip(hosts, made["codes"], strict=True):
            host.enrol(f"http://127.0.0.1:{self._proxy.port}", code)
        customers = [
            Customer(
                site.port, token, share, plan.cancelling, random.Random(plan.seed + number), wants_more=self._wants_more
            )
            for number, (token, share) in enumerate(zip(made["tokens"], shares(plan.jobs, plan.hosts), strict=True))
        ]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stops.set())
        self._began = time.monotonic()
        self._proxy.is_faulty = True
        try:
            for host in hosts:
                host.start()
            for customer in customers:
                customer.start()
            with site.asking() as ask:
                is_stuck = not self._torment(hosts, customers, ask)
                elapsed = time.monotonic() - self._began
                if plan.imports:
                    _wait_for_imports(ask)
        finally:
            for host in hosts:
                host.kill()
        return self._judge(hosts, customers, elapsed, is_stuck=is_stuck)

    def _wants_more(self) -> bool | None:
        if self._stops.is_set() or time.monotonic() - self._began > self._plan.for_s:
            return False
        return True if self._open < OPEN_PER_HOST * self._plan.hosts else None

    def _torment(self, hosts: list[Host], customers: list[Customer], ask: Ask) -> bool:
        """Until every job is over; False when nothing moves any more."""
        plan = self._plan
        moved_at = told_at = time.monotonic()
        while True:
            time.sleep(TICK_S)
            has_ordered = not any(customer.is_alive() for customer in customers)
            before, (self._open, total) = self._over, _counts(ask)
            self._over = total - self._open
            if has_ordered and not self._open:
                return True
            now = time.monotonic()
            moved_at = now if self._over > before else moved_at
            if now - moved_at > STUCK_S:
                return False
            if now - told_at > TOLD_S:
                told_at = now
                self._tell(now - self._began)
            share = min(self._over / plan.jobs, 1.0)
            self._due("agent kills", plan.agent_kills * share, lambda: self._restart(hosts, Host.kill))
            self._due("host crashes", plan.host_crashes * share, lambda: self._restart(hosts, Host.crash))
            self._due("server kills", plan.server_kills * share, self._restart_server)

    def _tell(self, elapsed_s: float) -> None:
        done = ", ".join(f"{number:,} {what}" for what, number in (*self._done.items(), *self._proxy.counts.items()))
        print(f"{elapsed_s:6,.0f} s: {self._over:,} jobs over, {self._open} open; {done}", flush=True)

    def _due(self, what: str, target: float, act: Callable[[], None]) -> None:
        if self._done[what] < target:
            act()
            self._done[what] += 1

    def _restart(self, hosts: list[Host], end: Callable[[Host], None]) -> None:
        host = self._dice.choice(hosts)
        end(host)
        host.start()

    def _restart_server(self) -> None:
        self._site.kill()
        self._site.start()
        self._site.wait_until_up()

    def _judge(self, hosts: list[Host], customers: list[Customer], elapsed_s: float, *, is_stuck: bool) -> int:
        site, plan = self._site, self._plan
        faults = self._faults(hosts, customers)
        print(f"| {self._over + self._open:,} jobs on {plan.hosts} hosts, seed {plan.seed} | |\n|---|--:|")
        for what, number in (*self._done.items(), *self._proxy.counts.items()):
            print(f"| {what} | {number:,} |")
        for state, number in site.rows("SELECT state, count(*) FROM jobs_job GROUP BY state ORDER BY state"):
            print(f"| jobs {state} | {number:,} |")
        for event, number in site.rows("SELECT event, count(*) FROM jobs_jobevent GROUP BY event ORDER BY event"):
            print(f"| event {event} | {number:,} |")
        print(f"| executions | {kept.started(host.home for host in hosts).total():,} |")
        print(f"| seconds | {elapsed_s:,.0f} |\n| jobs per second | {self._over / elapsed_s:.1f} |")
        for what, number in faults.items():
            print(f"| **{what}** | **{number:,}** |", flush=True)
        is_wrong = is_stuck or any(faults.values())
        if is_wrong and self._keep:
            shutil.copytree(site.home, self._keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
            print(f"The hosts' disks are in {self._keep}.")
        return int(is_wrong)

    def _faults(self, hosts: list[Host], customers: list[Customer]) -> dict[str, int]:
        site, homes = self._site, [host.home for host in hosts]
        # An order whose reply the server's end cut off was taken all the same.
        taken = {row[0] for row in site.rows("SELECT id FROM jobs_job")}
        forgotten = {job for customer in customers for job in customer.ordered} - taken
        starts = kept.started(homes)
        accepted = site.rows("SELECT id FROM jobs_attempt WHERE accepted_at IS NOT NULL")
        known = {str(row[0]).replace("-", "") for row in accepted}
        twice = "SELECT job_id FROM jobs_attempt WHERE verdict='accepted' GROUP BY job_id HAVING count(*) > 1"
        audit = subprocess.run(
            [sys.executable, "manage.py", "audit"], cwd=ROOT, env=site.environment, capture_output=True, text=True
        )
        if audit.returncode:
            print(audit.stdout, audit.stderr)
        not_imported = {"results not imported": int(site.rows(NOT_IMPORTED)[0][0])} if self._plan.imports else {}
        return not_imported | {
            "jobs lost (ordered, and not over)": len(forgotten) + self._open,
            "attempts run twice": sum(count > 1 for count in starts.values()),
            "jobs finished twice": len(site.rows(twice)),
            "executions that the site does not know": sum(one not in known for one in starts),
            **{f"torn {kind}": count for kind, count in kept.torn(site, homes).items()},
            "tickets left": int(site.rows("SELECT count(*) FROM django_q_ormq WHERE key='gpu'")[0][0]),
            "findings of manage.py audit": audit.stdout.count(" BROKEN ") or audit.returncode,
        }


def _counts(ask: Ask) -> tuple[int, int]:
    """Jobs that are not over, and all."""
    open_ones, total = ask(f"SELECT coalesce(sum(CASE WHEN state IN {OPEN} THEN 1 END), 0), count(*) FROM jobs_job")[0]
    return int(open_ones), int(total)


def _wait_for_imports(ask: Ask) -> None:
    """Until every result has become a submission, or nothing moves any more."""
    before, moved_at = 0, time.monotonic()
    while (left := int(ask(NOT_IMPORTED)[0][0])) and time.monotonic() - moved_at < IMPORTS_STUCK_S:
        moved_at = moved_at if left == before else time.monotonic()
        before = left
        time.sleep(TICK_S)


def shares(total: int, parts: int) -> list[int]:
    return [total // parts + (place < total % parts) for place in range(parts)]


if __name__ == "__main__":
    sys.exit(main())
