"""The benchmarks of jobs; the real figures come from larger runs (docs/performance.md)."""

from __future__ import annotations

import re

import pytest

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


@pytest.mark.long
def test_nothing_is_lost_or_run_twice_while_hosts_and_server_are_killed(run):
    options = ("--database", "sqlite", "--jobs", "100", "--hosts", "6", "--faults", "0.03", "--for-s", "120")

    table = run("chaos", *options, "--agent-kills", "15", "--host-crashes", "2", "--server-kills", "1")

    for fault in FAULTS:
        assert re.search(rf"\| \*\*{fault}.*\| \*\*0\*\* \|", table), fault
    # On a machine that stands still fewer are ordered in the time there is.
    assert re.search(r"\| agent kills \| [1-9]\d* \|", table)
