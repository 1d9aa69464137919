"""Order jobs, and kill hosts, jobs and the server at random while they run; then count what was lost or run twice.

    python -m benchmarks.chaos --jobs 300 [--hosts 6] [--agent-kills 30] [--server-kills 3] [--seed 7]

Real agents, each a process of its own with its own disk and simulated GPUs, work for a real site through a proxy that
loses one reply in a hundred and sends one request in a hundred twice. Agents are killed with SIGKILL while their jobs
live on; hosts are crashed, that is agent, jobs and samplers at once; the server is killed; people cancel. At the end
every job must be over, the site must find nothing wrong with itself (`manage.py audit`), and what the hosts wrote down
of each start and each log must be what the site has.
docs/performance.md has the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.claims import fill  # noqa: E402
from benchmarks.load.faulty_proxy import FaultyProxy  # noqa: E402
from benchmarks.load.site import ENGINES, Site, new_site  # noqa: E402
from benchmarks.load.words import print_machine  # noqa: E402

#: scaled so that an outage of seconds is longer than lease and grace together
TIMES = "offer_s=3,lease_s=4,grace_s=6,heartbeat_s=1,poll_s=0.4,flush_s=0.5,declined_s=1"
CONFIG = {"model": "Qwen/Qwen2.5-0.5B-Instruct", "engine": "transformers", "precision": "bf16", "batch_sizes": [1]}
#: of the simulated benchmark
JOB_S = "0.2"
OPEN = "('held', 'queued', 'offered', 'running')"
TICK_S = 0.1
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
    parser.add_argument("--database", choices=ENGINES, default="postgresql")
    parser.add_argument("--keep", type=Path, help="where to keep the hosts' disks of a run that went wrong")
    arguments = vars(parser.parse_args())
    engine, keep = arguments.pop("database"), arguments.pop("keep")
    plan = Plan(**arguments)
    print_machine([engine])
    print(f"{plan}\n", flush=True)
    with new_site(engine, LEMSITE_JOB_TIMES=TIMES) as site:
        site.manage("load_catalogue")
        return Chaos(site, plan, keep).run()


@dataclass
class Host:
    """One agent with a disk of its own, killed and started again."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def agent(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "gpuagent", *arguments]

    def enrol(self, url: str, code: str) -> None:
        command = self.agent("enroll", url, code)
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        with (self.home / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.agent("run", "--simulate"), cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """The agent alone; what it has started lives on."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def crash(self) -> None:
        """Everything on the host at once, as when its power goes: what is stopped notices no other's end."""
        self.kill()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in self.pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def pids(self) -> list[int]:
        """Every process of this host, by its folder in the environment or in the working directory."""
        marker, found = str(self.home).encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                here = str((folder / "cwd").readlink()).encode()
                if marker in (folder / "environ").read_bytes() or here.startswith(marker):
                    found.append(int(folder.name))
        return [pid for pid in found if pid != os.getpid()]


class Chaos:
    def __init__(self, site: Site, plan: Plan, keep: Path | None) -> None:
        self._site, self._plan, self._keep = site, plan, keep
        self._dice = random.Random(plan.seed)
        self._proxy = FaultyProxy(site.port, losing=plan.faults, doubling=plan.faults, seed=plan.seed)
        self._done: Counter[str] = Counter()

    def run(self) -> int:
        """1 when anything was lost, run twice, finished twice, unknown or torn."""
        plan, site = self._plan, self._site
        self._proxy.start()
        self._proxy.wait_until_up()
        made = fill(site, hosts=plan.hosts, people=plan.hosts)
        hosts = [self._new_host(number, code) for number, code in enumerate(made["codes"])]
        customers = [
            Customer(site, token, share, plan.cancelling, random.Random(plan.seed + number))
            for number, (token, share) in enumerate(zip(made["tokens"], shares(plan.jobs, plan.hosts), strict=True))
        ]
        began = time.monotonic()
        self._proxy.is_faulty = True
        try:
            for host in hosts:
                host.start()
            for customer in customers:
                customer.start()
            is_stuck = not self._torment(hosts, customers)
            elapsed = time.monotonic() - began
        finally:
            for host in hosts:
                host.kill()
        return self._judge(hosts, customers, elapsed, is_stuck=is_stuck)

    def _new_host(self, number: int, code: str) -> Host:
        home = self._site.home / f"host-{number}"
        home.mkdir()
        environment = os.environ | {
            "LEM_AGENT_HOME": str(home),
            "LEM_SIMULATED_WINDOW_S": JOB_S,
        }
        host = Host(home, environment)
        host.enrol(f"http://127.0.0.1:{self._proxy.port}", code)
        return host

    def _torment(self, hosts: list[Host], customers: list[Customer]) -> bool:
        """Until every job is over; False when nothing moves any more."""
        plan = self._plan
        last, moved_at = 0, time.monotonic()
        while True:
            time.sleep(TICK_S)
            over = self._count(f"state NOT IN {OPEN}")
            has_ordered = not any(customer.is_alive() for customer in customers)
            if has_ordered and not self._count(f"state IN {OPEN}"):
                return True
            if over > last:
                last, moved_at = over, time.monotonic()
            if time.monotonic() - moved_at > STUCK_S:
                return False
            share = min(over / plan.jobs, 1.0)
            self._due("agent kills", plan.agent_kills * share, lambda: self._restart(hosts, Host.kill))
            self._due("host crashes", plan.host_crashes * share, lambda: self._restart(hosts, Host.crash))
            self._due("server kills", plan.server_kills * share, self._restart_server)

    def _due(self, what: str, target: float, act: Any) -> None:
        if self._done[what] < target:
            act()
            self._done[what] += 1

    def _restart(self, hosts: list[Host], end: Any) -> None:
        host = self._dice.choice(hosts)
        end(host)
        host.start()

    def _restart_server(self) -> None:
        self._site.kill()
        self._site.start()
        self._site.wait_until_up()

    def _count(self, where: str) -> int:
        return int(self._site.rows(f"SELECT count(*) FROM jobs_job WHERE {where}")[0][0])

    def _judge(self, hosts: list[Host], customers: list[Customer], elapsed_s: float, *, is_stuck: bool) -> int:
        site, plan = self._site, self._plan
        # An order whose reply the server's end cut off was taken all the same.
        taken = {row[0] for row in site.rows("SELECT id FROM jobs_job")}
        forgotten = {job for customer in customers for job in customer.ordered} - taken
        starts = Counter(start for host in hosts for start in started(host.home))
        known = {
            str(row[0]).replace("-", ""): row[1:]
            for row in site.rows("SELECT id, accepted_at, log_bytes, verdict FROM jobs_attempt")
        }
        audit = subprocess.run(
            [sys.executable, "manage.py", "audit"], cwd=ROOT, env=site.environment, capture_output=True, text=True
        )
        faults = {
            "jobs lost (ordered, and not over)": len(forgotten) + self._count(f"state IN {OPEN}"),
            "attempts run twice": sum(count > 1 for count in starts.values()),
            "jobs finished twice": len(
                site.rows(
                    "SELECT job_id FROM jobs_attempt WHERE verdict='accepted' GROUP BY job_id HAVING count(*) > 1"
                )
            ),
            "executions that the site does not know": sum(one not in known or known[one][0] is None for one in starts),
            "torn logs": torn_logs(site, hosts),
            "tickets left": int(site.rows("SELECT count(*) FROM django_q_ormq WHERE key='gpu'")[0][0]),
            "findings of manage.py audit": audit.stdout.count(" BROKEN ") or audit.returncode,
        }
        print(f"| {len(taken):,} jobs on {plan.hosts} hosts, seed {plan.seed} | |\n|---|--:|")
        for what, number in (*self._done.items(), *self._proxy.counts.items()):
            print(f"| {what} | {number:,} |")
        for state, number in site.rows("SELECT state, count(*) FROM jobs_job GROUP BY state ORDER BY state"):
            print(f"| jobs {state} | {number:,} |")
        for event, number in site.rows("SELECT event, count(*) FROM jobs_jobevent GROUP BY event ORDER BY event"):
            print(f"| event {event} | {number:,} |")
        print(f"| executions | {starts.total():,} |")
        print(f"| seconds | {elapsed_s:,.0f} |\n| jobs per second | {plan.jobs / elapsed_s:.1f} |")
        for what, number in faults.items():
            print(f"| **{what}** | **{number:,}** |")
        if audit.returncode:
            print(audit.stdout, audit.stderr)
        is_wrong = is_stuck or any(faults.values())
        if is_wrong and self._keep:
            shutil.copytree(site.home, self._keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
            print(f"The hosts' disks are in {self._keep}.")
        return int(is_wrong)


def shares(total: int, parts: int) -> list[int]:
    return [total // parts + (place < total % parts) for place in range(parts)]


def started(home: Path) -> list[str]:
    """Attempts whose process this host has started, in order, as its own append-only list says."""
    with suppress(FileNotFoundError):
        lines = (home / "started.log").read_text().splitlines()
        return [json.loads(line)["attempt"].replace("-", "") for line in lines]
    return []


def torn_logs(site: Site, hosts: list[Host]) -> int:
    """Finished attempts whose log at the site differs from the file on the host's disk."""
    chunks: dict[str, Any] = {}
    query = (
        "SELECT c.attempt_id, c.content FROM jobs_logchunk c JOIN jobs_attempt a ON a.id = c.attempt_id "
        "WHERE a.finished_at IS NOT NULL ORDER BY c.attempt_id, c.start"
    )
    for attempt, content in site.rows(query):
        chunks.setdefault(str(attempt).replace("-", ""), hashlib.sha256()).update(bytes(content))
    on_disk = {
        log.parent.name.replace("-", ""): hashlib.sha256(log.read_bytes()).hexdigest()
        for host in hosts
        for log in host.home.glob("attempts/*/out.log")
    }
    return sum(on_disk.get(attempt) not in (None, digest.hexdigest()) for attempt, digest in chunks.items())


@dataclass
class Customer(threading.Thread):
    """Orders as many jobs as one may have queued, until all are ordered, and cancels a few."""

    site: Site
    token: str
    share: int
    cancelling: float
    dice: random.Random
    ordered: list[int] = field(default_factory=list)

    def __hash__(self) -> int:
        return id(self)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        while len(self.ordered) < self.share:
            status, job = self._post("/api/jobs", {"kind": "llem", "config": CONFIG, "simulate": True})
            if status != 201:
                # Away, or as many queued as one may have.
                time.sleep(0.3)
                continue
            self.ordered.append(job["id"])
            if self.dice.random() < self.cancelling:
                time.sleep(self.dice.uniform(0, 1))
                self._post(f"/api/jobs/{job['id']}/cancel", {})

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status in (400, 401, 403, 404, 422):
                raise RuntimeError(f"{path}: HTTP {answer.status}: {text[:300].decode()}")
            return answer.status, json.loads(text) if answer.status < 300 else None
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()


if __name__ == "__main__":
    sys.exit(main())
