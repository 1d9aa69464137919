from __future__ import annotations


def test_the_sealing_benchmark_prints_its_tables_and_removes_its_files(run):
    table = run("sealed_run", "--events", "300", "--database", "sqlite", "--repeat", "2", "--again")

    assert "300 events on sqlite" in table
    for line in ("/ before sealing", "/series.json sealed", "/card.png sealed"):
        assert f"| {line}" in table
    assert "Parquet file" in table
    assert "MB with a second run" in table
