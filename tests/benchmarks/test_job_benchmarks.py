"""The benchmarks of jobs; the real figures come from larger runs (docs/performance.md)."""

from __future__ import annotations

import re


def test_no_job_is_claimed_twice(run):
    table = run("claims", "--database", "sqlite", "--hosts", "2", "--seconds", "0.5")

    assert re.search(r"\| sqlite \| 2 \| [1-9]\d* \| .* \| 0 \|", table)


def test_nothing_is_lost_or_run_twice_while_hosts_and_server_are_killed(run):
    options = ("--database", "sqlite", "--jobs", "12", "--hosts", "2", "--faults", "0.02")

    table = run("chaos", *options, "--agent-kills", "3", "--host-crashes", "1", "--server-kills", "1")

    for fault in ("jobs lost", "attempts run twice", "jobs finished twice", "torn logs", "findings of manage.py audit"):
        assert re.search(rf"\| \*\*{fault}.*\| \*\*0\*\* \|", table)
    assert "| agent kills | 3 |" in table
