"""Pages inside the pages of other sites, oEmbed and badges: what they say, and that they know nobody."""

from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from leaderboard.models import Trust
from leaderboard.presenting.badges import text_width
from tests.factories import HardwareFactory, LanguageModelFactory, ResultFactory, published_result
from tests.leaderboard.browsing import text

pytestmark = pytest.mark.django_db
HOSTILE = "</text><script>alert(1)</script>&"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def browser():
    return Client()


@pytest.fixture
def result():
    return published_result(
        model=LanguageModelFactory(name="org/model", title="Model 8B"),
        hardware=HardwareFactory(name="H100"),
        gpu_count=2,
        tokens_per_joule=2.5,
        throughput_tokens_per_s=1234.0,
        trust=Trust.CHECKS_PASSED,
    )


@pytest.fixture
def paths(result):
    return [
        "/embed/charts/scatter/",
        f"/embed/results/{result.pk}/",
        "/embed/table/",
        f"/badges/results/{result.pk}.svg",
        "/badges/models/org/model.svg",
    ]


def words(response):
    """Title and the two halves of a badge."""
    svg = ET.fromstring(response.content)
    return [svg.find(f"{SVG}title").text, *(one.text for one in svg.iter(f"{SVG}text"))]


def oembed(browser, url, **more):
    return browser.get(f"/oembed?{urlencode({'url': url, **more})}")


def test_other_sites_may_frame_embeds_and_nothing_else(browser, paths):
    for path in paths[:3]:
        response = browser.get(path)
        assert "frame-ancestors *" in response["Content-Security-Policy"]
        assert "'none'" not in response["Content-Security-Policy"].split("frame-ancestors")[1].split(";")[0]
        assert "X-Frame-Options" not in response
    page = browser.get("/charts/scatter/")
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def test_embeds_are_the_same_for_everybody(browser, paths, owner):
    browser.force_login(owner)

    for path in paths:
        response = browser.get(path)
        assert not response.cookies
        assert "Cookie" not in response.get("Vary", "")
        assert response["Cache-Control"] == "public, max-age=300"
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_an_embed_asks_for_no_session(browser, paths, owner, django_assert_max_num_queries):
    browser.force_login(owner)

    for path in paths:
        with django_assert_max_num_queries(12) as captured:
            browser.get(path)
        assert not any("session" in query["sql"] for query in captured.captured_queries)


def test_a_kept_embed_is_sent_again_only_when_the_data_changed(browser, paths):
    tags = {path: browser.get(path)["ETag"] for path in paths}

    assert {browser.get(path, headers={"If-None-Match": tag}).status_code for path, tag in tags.items()} == {304}
    published_result()
    assert {browser.get(path, headers={"If-None-Match": tag}).status_code for path, tag in tags.items()} == {200}


def test_a_result_stands_with_unit_scope_and_trust(browser, result):
    card = text(browser.get(f"/embed/results/{result.pk}/"))

    assert "Model 8B on 2 x H100" in card
    assert "2.5000 tok/J" in card
    assert "Energy is that of the GPUs alone" in card
    assert "Checks passed" in card


def test_a_result_that_is_not_public_has_no_embed_and_no_badge(browser):
    hidden = ResultFactory()

    paths = [f"/embed/results/{hidden.pk}/", f"/badges/results/{hidden.pk}.svg"]
    assert [browser.get(path).status_code for path in paths] == [404, 404]


def test_a_table_has_the_filters_of_its_address_and_says_what_is_hidden(browser, result):
    published_result(gpu_count=1)
    published_result(gpu_count=2, trust=Trust.SELF_REPORTED)

    table = text(browser.get("/embed/table/?gpu_count=2"))

    assert "Model 8B" in table
    assert table.count("checks passed".capitalize()) == 2  # one row, in its layout for phones and for desks
    assert "1 result hidden by the trust filter." in table


def test_a_table_tells_of_what_was_left_out(browser):
    assert "sort was left out" in text(browser.get("/embed/table/?sort=nonsense"))


@pytest.mark.parametrize(("theme", "attribute"), [("dark", b' data-theme="dark"'), ("light", b' data-theme="light"')])
def test_a_theme_can_be_asked_for(browser, theme, attribute):
    assert attribute in browser.get(f"/embed/table/?theme={theme}").content


def test_any_other_theme_is_that_of_the_reader(browser):
    assert b"data-theme" not in browser.get("/embed/charts/scatter/?theme=<x>").content


def test_a_page_with_an_embed_says_where_to_ask_for_it(browser, result):
    for path in (f"/results/{result.pk}/", "/charts/scatter/?gpu_count=2"):
        page = browser.get(path).content.decode()
        link = f"http://testserver/oembed?{urlencode({'url': f'http://testserver{path}'})}"
        assert f'type="application/json+oembed" href="{link}"' in page


def test_the_leaderboard_names_the_embed_of_its_state(browser, result):
    page = browser.get("/?gpu_count=2").content.decode()

    link = f"/oembed?{urlencode({'url': 'http://testserver/?gpu_count=2'})}"
    assert f'type="application/json+oembed" href="{link}"' in page
    assert '/embed/table/?gpu_count=2"' in oembed(browser, "http://testserver/?gpu_count=2").json()["html"]


def test_oembed_answers_with_a_frame_that_fits(browser, result):
    told = oembed(browser, f"http://testserver/results/{result.pk}/", maxwidth=500, maxheight=200).json()

    assert (told["version"], told["type"], told["width"], told["height"]) == ("1.0", "rich", 500, 200)
    assert f'src="http://testserver/embed/results/{result.pk}/"' in told["html"]
    assert 'width="500" height="200"' in told["html"]
    assert "script" not in told["html"]


def test_oembed_of_a_chart_keeps_its_parameters(browser):
    told = oembed(browser, "http://testserver/charts/scatter/?gpu_count=2&colour=precision").json()

    assert "/embed/charts/scatter/?gpu_count=2&amp;colour=precision" in told["html"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://elsewhere.org/charts/scatter/",
        "http://testserver/account/",
        "http://testserver/charts/pie/",
        "http://[",
    ],
)
def test_oembed_knows_no_other_page(browser, url):
    assert oembed(browser, url).status_code == 404


def test_oembed_offers_json_alone(browser, result):
    assert oembed(browser, f"http://testserver/results/{result.pk}/", format="xml").status_code == 501


def test_the_badge_of_a_result_has_unit_scope_and_trust(browser, result):
    assert words(browser.get(f"/badges/results/{result.pk}.svg")) == [
        "Model 8B on 2 x H100: Tokens/J 2.500 tok/J, GPU energy, Checks passed",
        "Tokens/J, GPU",
        "2.500 tok/J · Checks passed",
    ]


def test_a_badge_may_be_of_another_metric(browser, result):
    response = browser.get(f"/badges/results/{result.pk}.svg?metric=throughput_tokens_per_s")

    assert words(response)[1:] == ["Output tok/s", "1,234 tok/s · Checks passed"]


def test_the_badge_of_a_model_has_its_best_result(browser, result):
    published_result(model=result.model, tokens_per_joule=4.0)
    published_result(model=result.model, tokens_per_joule=9.0, energy_scope="wall")

    assert words(browser.get("/badges/models/org/model.svg"))[2] == "4.000 tok/J · Checks passed"


def test_what_was_not_measured_is_said_so(browser, result):
    LanguageModelFactory(name="org/other", title="Other")

    assert words(browser.get("/badges/models/org/other.svg"))[1:] == ["Tokens/J", "not measured"]
    assert words(browser.get(f"/badges/results/{result.pk}.svg?metric=ttft_ms_p50"))[1:] == ["TTFT p50", "not measured"]


@pytest.mark.parametrize("path", ["/badges/models/org/none.svg", "/badges/models/org/model.svg?metric=nonsense"])
def test_a_badge_of_nothing_known_is_404(browser, result, path):
    assert browser.get(path).status_code == 404


def test_a_hostile_name_stays_text_in_a_badge(browser):
    model = LanguageModelFactory(name="org/bad", title=HOSTILE)
    hostile = published_result(model=model)

    for path in (f"/badges/results/{hostile.pk}.svg", "/badges/models/org/bad.svg"):
        response = browser.get(path)
        assert HOSTILE in words(response)[0]
        assert b"<script" not in response.content
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_wide_letters_take_more_room():
    assert text_width("iiii") < text_width("aaaa") < text_width("WWWW")
