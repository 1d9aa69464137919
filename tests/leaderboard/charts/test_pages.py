"""Pages, files and figures of charts: what a visitor gets, and what a wrong address gives."""

import csv
import io
import json
import re

import pytest
from django.test import Client

from leaderboard.models import Measurement, Trust
from leaderboard.presenting.charts import KINDS
from tests.factories import LanguageModelFactory, ResultFactory, SubmissionFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def browser():
    return Client()


def figure_in(response):
    """The JSON of the figure on a page, as a browser reads it."""
    block = re.search(rb'<script id="[^"]+" type="application/json">(.*?)</script>', response.content, re.DOTALL)
    return json.loads(block.group(1))


def rows_of(response):
    return list(csv.DictReader(io.StringIO(response.content.decode())))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_kind_answers_without_any_result(browser, kind):
    page = browser.get(f"/charts/{kind.slug}/")

    assert page.status_code == 200
    assert kind.question in text(page)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_kind_has_its_files_and_its_embed(browser, kind):
    published_result()

    paths = [f"/charts/{kind.slug}.csv", f"/charts/{kind.slug}.json", f"/embed/charts/{kind.slug}/"]
    assert [browser.get(path).status_code for path in paths] == [200, 200, 200]


def test_the_list_names_every_kind(browser):
    page = text(browser.get("/charts/"))

    assert all(kind.title in page for kind in KINDS)


@pytest.mark.parametrize("path", ["/charts/pie/", "/charts/pie.csv", "/charts/pie.json", "/embed/charts/pie/"])
def test_a_kind_that_does_not_exist_is_404(browser, path):
    assert browser.get(path).status_code == 404


def test_a_wrong_parameter_is_left_out_and_the_page_says_so(browser):
    result = published_result()

    page = browser.get("/charts/scatter/?x=nonsense&min_trust=T9&gpu_count=1")

    assert "x was left out: 'nonsense' is not one of" in text(page)
    assert "min_trust was left out" in text(page)
    assert figure_in(page)["urls"] == [f"/results/{result.pk}/"]


def test_the_filters_of_the_leaderboard_hold_and_each_can_be_taken_away(browser):
    kept = published_result(gpu_count=4)
    published_result(gpu_count=1)

    page = browser.get("/charts/scatter/?gpu_count=4&colour=precision")

    assert figure_in(page)["urls"] == [f"/results/{kept.pk}/"]
    assert 'href="/charts/scatter/?colour=precision"' in page.content.decode()


def test_the_csv_file_has_the_rows_of_the_table_and_their_addresses(browser):
    result = published_result(tokens_per_joule=3.5, throughput_tokens_per_s=900.0)

    row = rows_of(browser.get("/charts/scatter.csv"))[0]

    assert (row["tokens_per_joule"], row["throughput_tokens_per_s"]) == ("3.5", "900.0")
    assert row["url"] == f"http://testserver/results/{result.pk}/"


def test_a_spreadsheet_runs_nothing_of_the_csv_file(browser):
    published_result(model=LanguageModelFactory(title="=1+1"))

    assert rows_of(browser.get("/charts/scatter.csv"))[0]["model"] == "'=1+1"


def test_the_figure_as_json_has_units_and_the_same_rows(browser):
    published_result(tokens_per_joule=3.5)

    told = browser.get("/charts/scatter.json").json()

    place = [column["name"] for column in told["columns"]].index("tokens_per_joule")
    assert told["columns"][place]["unit"] == "tok/J"
    assert told["data"][0]["y"] == [row[place] for row in told["rows"]] == [3.5]


@pytest.mark.parametrize("path", ["/charts/scatter/", "/charts/scatter.csv", "/charts/scatter.json"])
def test_an_answer_is_sent_again_only_when_the_data_changed(browser, path):
    submission = published_result().submission
    tag = browser.get(path)["ETag"]

    assert browser.get(path, headers={"If-None-Match": tag}).status_code == 304
    published_result(submission=SubmissionFactory(status=submission.status))
    assert browser.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_hostile_name_stays_text_in_the_figure(browser):
    published_result(model=LanguageModelFactory(title=HOSTILE))

    page = browser.get("/charts/scatter/")

    assert b"<script>alert" not in page.content
    assert figure_in(page)["data"][0]["hovertext"][0].startswith("&lt;/script&gt;&lt;script&gt;")


def test_hidden_results_are_counted_and_not_drawn(browser):
    published_result(trust=Trust.SELF_REPORTED)
    shown = published_result()

    page = browser.get("/charts/scatter/")

    assert figure_in(page)["urls"] == [f"/results/{shown.pk}/"]
    assert "1 result hidden by the trust filter." in text(page)


def test_only_one_energy_scope_is_drawn_and_the_others_are_counted(browser):
    published_result(energy_scope="gpu")
    published_result(energy_scope="gpu")
    published_result(energy_scope="wall")

    page = browser.get("/charts/scatter/")

    assert len(figure_in(page)["urls"]) == 2
    assert "Energy is that of the GPUs. 1 result of another energy scope left out" in text(page)


def test_a_chosen_scope_is_drawn_beside_another_with_its_own_frontier(browser):
    published_result(energy_scope="gpu")
    published_result(energy_scope="wall")

    page = browser.get("/charts/scatter/?energy_scope=gpu&energy_scope=wall")

    names = {trace["name"] for trace in figure_in(page)["data"]}
    assert {"Frontier, GPU energy", "Frontier, wall energy"} <= names


def test_ranges_of_parallel_coordinates_are_the_limits_of_the_leaderboard(browser):
    for efficiency in (1.0, 9.0):
        published_result(tokens_per_joule=efficiency, avg_power_w=300.0, cost_per_million_tokens_usd=1.0)

    rows = rows_of(browser.get("/charts/parallel.csv?tokens_per_joule_min=5"))
    page = browser.get("/charts/parallel/?tokens_per_joule_min=5").content.decode()

    assert [row["tokens_per_joule"] for row in rows] == ["9.0"]
    assert 'name="tokens_per_joule_min" id="tokens_per_joule-min" value="5"' in page


def test_other_axes_bring_their_own_ranges_to_the_page_that_asks(browser):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/charts/parallel/"}

    same = browser.get("/charts/parallel/?axes=efficiency", headers=headers).content.decode()
    other = browser.get("/charts/parallel/?axes=first-token", headers=headers).content.decode()

    assert "hx-swap-oob" not in same
    assert 'name="ttft_ms_p50_min"' in other


def test_cycles_are_those_of_the_results_named(browser):
    result = published_result(backend_version="1.0")
    for cycle, value in enumerate((2.0, 3.0, 4.0), start=1):
        Measurement.objects.create(result=result, cycle=cycle, tokens_per_joule=value)

    rows = rows_of(browser.get(f"/charts/cycles.csv?result={result.pk}"))

    assert [(row["cycle"], row["tokens_per_joule"]) for row in rows] == [("1", "2.0"), ("2", "3.0"), ("3", "4.0")]


def test_a_result_that_the_public_does_not_see_is_404(browser):
    assert browser.get(f"/charts/cycles/?result={ResultFactory().pk}").status_code == 404


def test_a_malformed_id_is_left_out(browser):
    page = browser.get("/charts/cycles/?result=nonsense")

    assert "result was left out: it is the id of a result" in text(page)
