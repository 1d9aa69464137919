"""A few hundred requests of every family: no answer of 500 and above, no leak, no status that is not documented."""

from __future__ import annotations

from benchmarks.attacks.campaign import FAMILIES, Campaign
from benchmarks.attacks.judging import total

#: the families that need sockets are left to benchmarks/attack.py
COUNT = 45


def test_no_family_of_attacks_finds_anything(stage, site):
    campaign = Campaign(stage, site)

    for name in FAMILIES:
        campaign.run(name, count=COUNT, seed=1)
    whole = total(campaign.tallies)

    assert whole.findings == {}
    assert whole.requests > (len(FAMILIES) - 1) * COUNT // 2
