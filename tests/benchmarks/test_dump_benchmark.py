from __future__ import annotations


def test_the_dump_benchmark_prints_memory_and_units_and_removes_its_database(run):
    told = run("dump", "--rows", "100", "--database", "sqlite")

    assert "100 rows of data version" in told
    assert "peak memory" in told
    assert "columns with units" in told
