from __future__ import annotations


def test_the_queue_benchmark_prints_its_table_and_removes_its_database(run):
    table = run("admin_queue", "--rows", "60", "--database", "sqlite", "--repeat", "2")

    assert "60 pending submissions" in table
    assert "| the queue |" in table
