"""Hostile text in every field, in a browser: nothing runs, no other host is asked, nothing sticks out sideways."""

import pytest

from leaderboard.models import Comment
from tests.jobs.factories import AgentFactory, AttemptFactory, JobFactory
from tests.leaderboard.hostile import pages, seeded
from tests.runs.factories import EvalScoreFactory, LaneFactory, RunFactory, store, tick

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
#: what the policy stopped; the page's own console would say it as well
REPORTS = """window.__reports = [];
addEventListener("securitypolicyviolation", e => window.__reports.push(`${e.violatedDirective} ${e.blockedURI}`))"""
HOSTILE = (
    "<img src=x onerror=window.__xss=1>",
    '"><svg/onload=window.__xss=1>',
    "</script><script>window.__xss=1</script>",
    "[a](javascript:window.__xss=1)",
)


def seeded_elsewhere(bad, owner):
    """Runs, jobs and hosts whose texts are hostile."""
    run = RunFactory(key="hostile", label=bad, note=bad)
    LaneFactory(run=run, name=bad, type=bad)
    EvalScoreFactory(run=run, model=bad, use_case=bad, test_case_id=bad)
    store(run, tick(gpuId=bad, model=bad, useCase=bad))
    agent = AgentFactory(name=bad, owner=owner, labels=[bad], quarantine_reason=bad)
    job = JobFactory(owner=owner, title=bad, reason=bad, import_problem=bad, config={"model": bad}, rendered=bad)
    attempt = AttemptFactory(agent=agent, job=job, reason=bad, step=bad, phase=bad[:20])
    return ["/live/", "/runs/", f"/runs/{run.key}/", "/jobs/", f"/jobs/{attempt.job_id}/", "/agents/",
            f"/agents/{agent.pk}/", "/analysis/", "/charts/scatter/", "/embed/table/"]  # fmt: skip


@pytest.mark.parametrize("bad", HOSTILE)
def test_nothing_runs_on_any_page(transactional_db, open_page, owner, faults, provoked, bad):
    provoked.append("/ws/runs/hostile/")  # the test server speaks no websockets
    result = seeded(bad, owner)
    addresses = pages(result) + seeded_elsewhere(bad, owner)
    page = open_page(user=owner)
    page.add_init_script(REPORTS)
    page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    for address in addresses:
        page.goto(address)

        assert page.evaluate("window.__xss") is None, address
        assert page.evaluate("window.__reports") == [], address
        assert page.locator("[onerror], [onload], [href^='javascript:']").count() == 0, address


def test_a_very_long_word_wraps_on_a_phone(transactional_db, open_page, owner):
    result = seeded("W" * 40, owner)
    result.submission.note = "N" * 2000
    result.submission.save()
    for text in ("W" * 5000, f"`{'C' * 3000}`", f"```\n{'P' * 3000}\n```", f"> > > - {'Q' * 3000}"):
        Comment.objects.create(result=result, author=owner, text=text)
    page = open_page(user=owner, viewport=PHONE)

    for address in pages(result):
        page.goto(address)

        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
