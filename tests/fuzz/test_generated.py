"""What schemathesis makes of docs/openapi.yaml, right and wrong: answers are as documented."""

from __future__ import annotations

from benchmarks.attacks.campaign import Campaign
from benchmarks.attacks.generated import generate

#: one of each kind; benchmarks/attack.py asks all of them, the long lists of parameters too
OPERATIONS = (
    "GET /api/jobs",
    "POST /api/jobs/estimate",
    "GET /api/runs/{key}/events",
    "PATCH /api/submissions/{id}",
    "POST /api/benchmarks/{id}/disputes",
    "DELETE /api/comments/{id}",
    "POST /api/compare",
    "POST /api/notifications/read",
    "GET /api/users/{name}",
)


def test_generated_requests_are_answered_as_documented(stage, site):
    campaign = Campaign(stage, site)

    tally = generate(campaign, examples=3, number=1, only=OPERATIONS)

    assert tally.findings == {}
    assert tally.requests > 2 * len(OPERATIONS)
