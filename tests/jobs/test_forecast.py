"""The queue played forward: where a job stands and when it is likely to start."""

from jobs.forecast import Card, Host, Wish, places

MINUTE = 60.0


def host(name="lab", *cards, simulated=False, labels=()):
    return Host(name, simulated, frozenset(labels), cards or (Card(80_000, 1),))


def wish(number, **fields):
    return Wish(**{"id": number, "owner_id": number, "is_simulated": False, "duration_s": 10 * MINUTE, **fields})


def starts(wishes, hosts, running=()):
    return [place.starts_in_s for place in places(wishes, hosts, running).values()]


def test_jobs_follow_one_another_on_one_gpu():
    assert starts([wish(1), wish(2), wish(3)], [host()]) == [0, 10 * MINUTE, 20 * MINUTE]


def test_jobs_share_two_gpus():
    assert starts([wish(1), wish(2)], [host("lab", Card(80_000, 1), Card(80_000, 1))]) == [0, 0]


def test_a_job_waits_for_what_runs():
    assert starts([wish(1)], [host("lab", Card(80_000, 1, free_in_s=90))]) == [90]


def test_a_job_that_nobody_fits_keeps_nobody_back():
    found = places([wish(1, gpu_count=2), wish(2)], [host()])

    assert (found[1].hosts, found[1].starts_in_s) == (0, None)
    assert (found[2].position, found[2].waiting, found[2].starts_in_s) == (2, 2, 0)


def test_a_gpu_without_an_estimate_says_nothing():
    assert starts([wish(1)], [host("lab", Card(80_000, 1, free_in_s=None))]) == [None]


def test_behind_a_job_without_an_estimate_nothing_can_be_said():
    assert starts([wish(1, duration_s=None), wish(2)], [host()]) == [0, None]


def test_needs_decide_which_host_fits():
    hosts = [host("small", Card(24_000, 2)), host("labelled", labels=["quiet"]), host("other", simulated=True)]
    amounts = [
        places([wish(1, **needs)], hosts)[1].hosts
        for needs in (
            {},
            {"min_memory_mib": 40_000},
            {"hardware_id": 2},
            {"label": "quiet"},
            {"host_id": "small"},
            {"is_simulated": True},
        )
    ]

    assert amounts == [2, 1, 1, 1, 1, 1]


def test_nobody_runs_more_than_two_at_once():
    card = Card(80_000, 1)
    wishes = [wish(number, owner_id=7) for number in (1, 2, 3)]

    assert starts(wishes, [host("lab", card, card, card)]) == [0, 0, 10 * MINUTE]


def test_what_runs_counts_against_its_owner():
    running = [(7, 5 * MINUTE), (7, 8 * MINUTE)]

    assert starts([wish(1, owner_id=7)], [host()], running) == [5 * MINUTE]
