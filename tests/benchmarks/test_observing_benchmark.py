def test_the_observing_benchmark_compares_both(run):
    table = run("observing", "--requests", "3", "--rounds", "1")

    assert table.count("| a page |") == 3
    assert table.count("| a live message |") == 3
