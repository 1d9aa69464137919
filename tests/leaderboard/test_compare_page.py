"""Published results on /compare/."""

import re
import uuid

import pytest

from leaderboard.models import SubmissionStatus, Visibility
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    published_result,
)
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db


def statistics(mean, sd, n, metric="tokens_per_joule"):
    return {metric: {"n": n, "mean": mean, "sd": sd, "ci95_low": mean - sd, "ci95_high": mean + sd, "cv": sd / mean}}


@pytest.fixture
def alike():
    """Makes results that agree in all that has to be the same."""
    same = {
        "model": LanguageModelFactory(name="org/model-8b", title="Model 8B"),
        "hardware": HardwareFactory(slug="h100", name="H100"),
        "backend": BackendFactory(slug="vllm", name="vLLM"),
        "dataset": "ShareGPT",
        "max_input_tokens": 512,
        "max_output_tokens": 128,
        "tool": "llenergymeasure",
    }
    return lambda **fields: published_result(**{**same, **fields})


def compare(client, *results, **more):
    response = client.get("/compare/", {"result": [str(getattr(one, "pk", one)) for one in results], **more})
    assert response.status_code == 200
    return text(response)


def test_nothing_chosen_says_how_to_choose(client):
    assert "Tick results on the leaderboard" in text(client.get("/compare/"))


def test_one_result_waits_for_another(client, alike):
    page = compare(client, alike())

    assert "Model 8B on 1 x H100" in page
    assert "Like for like" not in page


def test_what_agrees_is_like_for_like(client, alike):
    page = compare(client, alike(), alike(batch_size=32))

    assert "Like for like: one model, the same workload, energy scope and number of GPUs." in page
    assert "Load differs Part of the configuration. A: batch 8. B: batch 32." in page


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"dataset": "LMSYS"}, "Not like for like: prompts differs."),
        ({"max_output_tokens": 1024}, "Not like for like: input and output length differs."),
        ({"energy_scope": "wall"}, "Not like for like: energy scope differs."),
        ({"gpu_count": 2}, "Not like for like: gpu count differs."),
        ({"dataset": "LMSYS", "gpu_count": 2}, "Not like for like: prompts and gpu count differ."),
        ({"dataset": ""}, "Perhaps not like for like: not every result states its prompts."),
    ],
)
def test_what_makes_figures_incomparable_is_said_first(client, alike, changes, warning):
    assert warning in compare(client, alike(), alike(**changes))


def test_measured_lengths_count_before_stated_limits(client, alike):
    short = alike(input_tokens=51_200, output_tokens=12_800, requests=100)
    long = alike(input_tokens=51_200, output_tokens=25_600, requests=100)

    page = compare(client, short, long)

    assert "A: on average 512 in, 128 out. B: on average 512 in, 256 out." in page


def test_a_clear_difference_is_told_with_its_test(client, alike):
    first = alike(tokens_per_joule=1.8, statistics=statistics(1.8, 0.01, 5), runs=5)
    second = alike(tokens_per_joule=1.0, statistics=statistics(1.0, 0.01, 3), runs=3)

    page = compare(client, second, first, metric="tokens_per_joule")

    assert "B gives 1.8x the tokens per joule of A; clear difference by Welch's test at 5 %, n = 5 and 3." in page


def test_a_difference_within_the_spread_is_none(client, alike):
    first = alike(tokens_per_joule=1.02, statistics=statistics(1.02, 0.2, 5), runs=5)
    second = alike(tokens_per_joule=1.0, statistics=statistics(1.0, 0.2, 5), runs=5)

    page = compare(client, first, second, metric="tokens_per_joule")

    assert "A and B: no clear difference by Welch's test at 5 %, n = 5 and 5" in page


def test_single_measurements_are_too_few_to_tell(client, alike):
    page = compare(client, alike(tokens_per_joule=3.0, runs=1), alike(runs=1), metric="tokens_per_joule")

    assert "A gives 1.5x the tokens per joule of B; too few repeats to tell, n = 1 and 1." in page


def test_less_is_better_for_latency(client, alike):
    page = compare(client, alike(itl_ms_p50=20.0), alike(itl_ms_p50=10.0), metric="itl_ms_p50")

    assert "B has 0.50x the ITL p50 of A" in page


def test_energy_of_different_scopes_is_not_set_off(client, alike):
    page = compare(client, alike(tokens_per_joule=3.0), alike(energy_scope="wall"), metric="tokens_per_joule")

    assert "A and B are not compared: energy of the GPUs alone and energy of the wall socket." in page


def test_what_was_not_measured_is_said(client, alike):
    page = compare(client, alike(itl_ms_p50=20.0), alike(), alike(itl_ms_p50=10.0), metric="itl_ms_p50")

    assert "Not measured for B." in page


def test_only_what_differs_in_the_configuration_is_in_the_table(client, alike):
    html = client.get("/compare/", {"result": [str(alike().pk), str(alike(precision="fp8").pk)]}).content.decode()
    table = html[html.index("Only what differs") : html.index("Same for all")]

    assert re.findall(r'<th scope="row">([^<]+)', table) == ["Precision"]
    assert "ShareGPT" in html[html.index("Same for all") :]


def test_a_model_stands_for_its_best_configuration_within_the_filters(client, alike):
    alike(tokens_per_joule=5.0, batch_size=256, itl_ms_p50=90.0)
    alike(tokens_per_joule=3.0, batch_size=16, itl_ms_p50=15.0)
    other = alike(model=LanguageModelFactory(name="org/other", title="Other"))

    page = text(client.get("/compare/", {"model": ["org/model-8b", "org/other"], "itl_ms_p50_max": "20"}))

    assert "No result of org/other fits the filters." in page
    assert "batch 16" in page
    assert "best of org/model-8b by tokens per joule" in page
    assert "batch 256" not in page
    assert str(other.pk) not in page


def test_the_best_of_models_is_looked_for_in_one_energy_scope(client, alike):
    alike(tokens_per_joule=2.0)
    alike(tokens_per_joule=2.5)
    alike(tokens_per_joule=9.0, energy_scope="wall")

    page = text(client.get("/compare/", {"model": "org/model-8b"}))

    assert "1 result of another energy scope left out" in page


def test_a_model_that_the_catalogue_lacks_is_told(client):
    assert "The catalogue has no model “nobody/nothing”" in text(client.get("/compare/?model=nobody/nothing"))


def test_an_unknown_id_is_told_and_the_others_stand(client, alike):
    missing = uuid.uuid4()

    page = compare(client, alike(), alike(), missing)

    assert f"There is no result {missing} that can be compared" in page
    assert "Like for like" in page


@pytest.mark.parametrize(
    "hidden",
    [
        {"visibility": Visibility.PRIVATE, "status": SubmissionStatus.DRAFT},
        {"visibility": Visibility.PUBLIC, "status": SubmissionStatus.PUBLISHED, "is_simulated": True},
    ],
)
def test_a_hidden_result_is_as_if_it_were_not_there(client, hidden):
    result = ResultFactory(submission=SubmissionFactory(**hidden), model__title="Secret model")

    page = compare(client, result)

    assert f"There is no result {result.pk} that can be compared" in page
    assert "Secret model" not in page


def test_the_owner_compares_a_private_result_and_is_told_that_others_do_not_see_it(client, owner):
    private = SubmissionFactory(owner=owner, visibility=Visibility.PRIVATE, status=SubmissionStatus.DRAFT)
    client.force_login(owner)

    page = compare(client, ResultFactory(submission=private), published_result())

    assert "Not public: others who open this address do not see it." in page
    assert "This comparison, APA" not in page


def test_what_is_no_id_is_told(client):
    assert "“nonsense” is neither the id nor the address of a result." in text(client.get("/compare/?result=nonsense"))


def test_the_address_of_a_result_is_as_good_as_its_id(client, alike):
    result = alike()

    assert "Model 8B on 1 x H100" in compare(client, f"https://example.org/results/{result.pk}/?page=2")


def test_the_ninth_is_left_out_and_said_so(client, alike):
    results = [alike() for _ in range(9)]

    response = client.get("/compare/", {"result": [str(one.pk) for one in results]})

    assert "At most 8 can stand side by side: the last 1 left out." in text(response)
    assert f"/results/{results[8].pk}/" not in response.content.decode()


def test_each_can_be_removed(client, alike):
    first, second = alike(), alike()
    html = client.get(
        "/compare/", {"result": [str(first.pk), str(second.pk)], "metric": "avg_power_w"}
    ).content.decode()

    assert f'href="/compare/?result={second.pk}&amp;metric=avg_power_w"' in html
    assert f'href="/compare/?result={first.pk}&amp;metric=avg_power_w"' in html


def test_adding_keeps_what_is_there(client, alike):
    first = alike()

    form = client.get(f"/compare/?result={first.pk}").content.decode().partition('class="adding"')[2]

    assert f'<input type="hidden" name="result" value="{first.pk}">' in form.partition("</form>")[0]


def test_the_number_of_queries_does_not_grow_with_the_results(client, alike, django_assert_num_queries):
    results = [alike(precision=precision) for precision in ("bf16", "fp8", "int8", "fp16", "int4", "fp32", "tf32")]
    client.get("/compare/")
    with django_assert_num_queries(5):
        compare(client, *results[:2])
    with django_assert_num_queries(5):
        compare(client, *results)


def test_the_comparison_is_cited_by_the_ids_of_its_results(client, alike, settings):
    first, second = alike(), alike()

    page = compare(client, first, second)

    address = f"{settings.SITE_URL}/compare/?result={first.pk}&result={second.pk}"
    assert re.search(
        rf"\(data version \d+\) \[Data set\]\. lemsite\. Retrieved \w+ \d+, 20\d\d, from {re.escape(address)} ", page
    )


def test_models_that_only_live_runs_know_are_no_mistake(client):
    page = text(client.get("/compare/?model=nothing"))

    assert "The catalogue has no model “nothing”" in page


def test_a_result_and_the_list_of_charts_say_how_to_cite(client, alike):
    result = alike()

    page = text(client.get(f"/results/{result.pk}/"))

    assert f"{result.submission.owner}. ({result.submission.created_at:%Y}). Measured efficiency of Model 8B" in page
    assert "The data set, APA" in page.replace(" ,", ",")
    assert "all public results (data version" in text(client.get("/charts/"))


def test_a_result_that_was_carried_over_is_cited_by_its_source(client, alike):
    result = alike(source_name="ML.ENERGY v2", source_url="https://ml.energy/", source_date="2024-09-09")

    assert "ML.ENERGY v2. (2024). Measured efficiency" in text(client.get(f"/results/{result.pk}/"))


def test_a_draft_has_no_citation(client, owner):
    private = SubmissionFactory(owner=owner, visibility=Visibility.PRIVATE, status=SubmissionStatus.DRAFT)
    client.force_login(owner)

    assert "BibTeX" not in text(client.get(f"/results/{ResultFactory(submission=private).pk}/"))


def test_a_model_whose_best_is_chosen_already_is_not_there_twice(client, alike):
    best = alike()

    html = client.get("/compare/", {"result": str(best.pk), "model": "org/model-8b"}).content.decode()

    assert html.count('<b class="letter">') == 1
