from __future__ import annotations


def test_the_leaderboard_benchmark_prints_its_table_and_removes_its_database(run):
    table = run("leaderboard", "--rows", "300", "--database", "sqlite", "--repeat", "2")

    assert "300 results" in table
    for line in ("best: one filter, any sort", "facets stored", "not modified (304)", "publish one result"):
        assert f"| {line}" in table
