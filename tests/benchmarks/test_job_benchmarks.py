"""The benchmarks of jobs; the real figures come from larger runs (docs/performance.md)."""

from __future__ import annotations

import re

FAULTS = (
    "jobs lost",
    "attempts run twice",
    "jobs finished twice",
    "executions that the site does not know",
    "torn logs",
    "torn events",
    "torn telemetry",
    "torn files",
    "tickets left",
    "findings of manage.py audit",
)


def test_no_job_is_claimed_twice(run):
    table = run("claims", "--database", "sqlite", "--hosts", "2", "--seconds", "0.5")

    assert re.search(r"\| sqlite \| 2 \| [1-9]\d* \| .* \| 0 \|", table)


def test_nothing_is_lost_or_run_twice_in_up_to_300_jobs_while_hosts_and_server_are_killed(run):
    options = ("--database", "sqlite", "--jobs", "300", "--hosts", "8", "--faults", "0.02", "--for-s", "120")

    table = run("chaos", *options, "--agent-kills", "30", "--host-crashes", "3", "--server-kills", "2")

    for fault in FAULTS:
        assert re.search(rf"\| \*\*{fault}.*\| \*\*0\*\* \|", table), fault
    # On a machine that stands still fewer are ordered in the time there is.
    assert re.search(r"\| agent kills \| [1-9]\d* \|", table)
