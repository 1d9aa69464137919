from __future__ import annotations


def test_the_analysis_benchmark_prints_its_table_and_removes_its_database(run):
    table = run("analysis", "--rows", "300", "--database", "sqlite", "--repeat", "1")

    assert "300 results" in table
    for line in ("nothing asked", "a limit that none states", "one model, electricity", "the API, one limit"):
        assert f"| {line}" in table
