"""Pages of models, GPUs and methods."""

from __future__ import annotations

import pytest
from django.urls import reverse

from leaderboard.checks import CHECKS
from leaderboard.metrics import METRICS
from leaderboard.models import Trust
from leaderboard.presenting.preview import SHAPE_LABELS
from tests.factories import HardwareFactory, LanguageModelFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
PAGES = ("/models/", "/hardware/", "/methodology/")


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_open_to_everyone_without_a_cookie(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert not response.cookies
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_can_be_sent_to_them(client, path):
    assert client.post(path).status_code == 405


def test_models_are_listed_by_family_with_size_licence_and_results(client):
    model = LanguageModelFactory(
        name="org/m", family="Fam", parameters_total_b=46.7, parameters_active_b=12.9, licence="MIT"
    )
    published_result(model=model)

    shown = text(client.get("/models/"))

    for part in ("Fam", "org/m", "46.7", "12.9", "MIT"):
        assert part in shown


def test_what_is_measured_stands_first(client):
    LanguageModelFactory(name="org/a-unmeasured", family="A")
    LanguageModelFactory(name="org/b-unmeasured", family="B")
    published_result(model=LanguageModelFactory(name="org/b-measured-z", family="B"))

    shown = text(client.get("/models/"))

    places = [shown.index(name) for name in ("org/b-measured-z", "org/b-unmeasured", "org/a-unmeasured")]
    assert places == sorted(places)


def test_a_price_has_cents(client):
    HardwareFactory(name="X1", slug="x1", usd_per_gpu_hour=2.1)

    assert "2.10" in text(client.get("/hardware/"))
    assert "2.10 USD per GPU-hour" in text(client.get("/hardware/x1/"))


@pytest.mark.parametrize("q", ["alpha", "FAMILY ALPHA", "org/alpha"])
def test_models_are_found_by_any_of_their_names(client, q):
    LanguageModelFactory(name="org/alpha", title="Alpha", family="Family")
    LanguageModelFactory(name="org/beta", title="Beta", family="Family")

    shown = text(client.get("/models/", {"q": q}))

    assert "org/alpha" in shown
    assert "org/beta" not in shown


def test_hardware_is_found_by_name_architecture_and_vendor(client):
    HardwareFactory(name="H100 SXM", vendor="NVIDIA", architecture="Hopper")
    HardwareFactory(name="MI300X", vendor="AMD", architecture="CDNA 3")

    for q in ("h100", "hopper", "nvidia"):
        shown = text(client.get("/hardware/", {"q": q}))
        assert "H100 SXM" in shown
        assert "MI300X" not in shown


@pytest.mark.parametrize("path", ["/models/", "/hardware/"])
@pytest.mark.parametrize("q", ["nothing like it", "\x00", "x" * 1000, "<b>"])
def test_a_search_that_finds_nothing_is_a_page_all_the_same(client, path, q):
    LanguageModelFactory()
    HardwareFactory()

    assert client.get(path, {"q": q}).status_code == 200


@pytest.mark.parametrize(("path", "make"), [("/models/", LanguageModelFactory), ("/hardware/", HardwareFactory)])
def test_lists_take_as_many_queries_for_twenty_as_for_one(client, path, make, django_assert_num_queries):
    make()
    with django_assert_num_queries(20, exact=False) as few:
        client.get(path)
    make.create_batch(20)

    with django_assert_num_queries(len(few.captured_queries)):
        client.get(path)


def test_a_model_has_its_facts_aliases_and_best_results(client):
    model = LanguageModelFactory(
        name="org/name.with-dots", title="Named", licence="MIT", source_url="https://example.org/c"
    )
    result = published_result(model=model, tokens_per_joule=2.5)
    other = published_result(model=LanguageModelFactory(family="Else"), tokens_per_joule=9.5)

    content = client.get("/models/org/name.with-dots/").content.decode()

    for part in ("Named", "MIT", "https://example.org/c", f"/results/{result.pk}/", "2.500", "org/name.with-dots"):
        assert part in content
    assert f"/results/{other.pk}/" not in content
    assert f"{reverse('leaderboard:list')}?model=org%2Fname.with-dots" in content


def test_a_gpu_has_its_figures_with_sources_and_caution(client):
    sources = [{"key": "a", "text": "The data sheet", "is_found": False}]
    gpu = HardwareFactory(slug="x1", name="X1", sources=sources, price_source="Cloud list", price_date="2026-01-01")
    result = published_result(hardware=gpu)

    shown = text(client.get("/hardware/x1/"))

    for part in ("X1", "3,350", "GB/s", "The data sheet", "recalled, not confirmed", "Cloud list 2026-01-01"):
        assert part in shown
    assert str(result.pk) in client.get("/hardware/x1/").content.decode()


@pytest.mark.parametrize("kind", ["model", "hardware"])
def test_hidden_self_reported_results_are_counted_and_linked(client, kind):
    result = published_result(trust=Trust.SELF_REPORTED)
    paths = {"model": f"/models/{result.model.name}/", "hardware": f"/hardware/{result.hardware.slug}/"}

    response = client.get(paths[kind])

    assert "1 self-reported result hidden" in text(response)
    assert "min_trust=T1" in response.content.decode()
    assert str(result.pk) not in response.content.decode()


@pytest.mark.parametrize("path", ["/models/org/none/", "/hardware/none/", "/models/a/b%00c/", "/models/x/"])
def test_what_is_not_in_the_catalogue_is_not_found(client, path):
    assert client.get(path).status_code == 404


def test_methodology_lists_every_figure_check_level_and_shape(client):
    shown = text(client.get("/methodology/"))

    for metric in METRICS:
        assert metric.meaning.split(";")[0][:40] in shown
    for check in CHECKS:
        assert check.code in shown
    for trust in Trust:
        assert trust.label in shown
    for label in SHAPE_LABELS.values():
        assert label in shown or label == SHAPE_LABELS["mixed"]
