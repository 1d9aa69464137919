"""The pictures behind shared links, and what a page says of itself to those who show such links."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from leaderboard.models import Result, SubmissionStatus, Visibility
from leaderboard.services.ranking import unrank
from leaderboard.views import share_cards
from lemsite.lib import share_card
from tests.factories import HardwareFactory, LanguageModelFactory, SubmissionFactory, draft, published_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn_texts(monkeypatch):
    """Every text that is drawn."""
    from PIL.ImageDraw import ImageDraw

    texts: list[str] = []
    draw_text = ImageDraw.text

    def remembered(self, xy, text, **options):
        texts.append(text)
        draw_text(self, xy, text, **options)

    monkeypatch.setattr(ImageDraw, "text", remembered)
    return texts


@pytest.fixture
def result() -> Result:
    model = LanguageModelFactory(name="org/lemon-8b", title="Lemon 8B")
    return published_result(model=model, hardware=HardwareFactory(slug="h100", name="H100 SXM"), tokens_per_joule=2.5)


@pytest.mark.parametrize(
    "path", ["/card.png", "/results/{pk}/card.png", "/models/org/lemon-8b/card.png", "/hardware/h100/card.png"]
)
def test_a_card_is_a_small_png_of_the_size_that_open_graph_asks_for(client, result, path):
    response = client.get(path.format(pk=result.pk))

    image = Image.open(io.BytesIO(response.content))
    assert (image.format, image.size) == ("PNG", (1200, 630))
    assert len(response.content) < 100_000
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_the_card_of_a_result_has_its_figures_with_unit_scope_and_trust(client, result, drawn_texts):
    client.get(f"/results/{result.pk}/card.png")

    assert {"Lemon 8B", "2.500 tok/J", "Checks passed"} <= set(drawn_texts)
    assert any("GPU energy" in text for text in drawn_texts)


def test_the_card_of_a_result_that_is_not_ranked_has_no_figures(client, result, drawn_texts):
    unrank(Result.objects.filter(pk=result.pk))
    result.submission.status = SubmissionStatus.INVALIDATED
    result.submission.save()

    client.get(f"/results/{result.pk}/card.png")

    assert "Invalidated" in drawn_texts
    assert not any("tok/" in text for text in drawn_texts)


def test_a_private_result_has_no_card_for_anybody(client, owner, small_catalogue):
    private = draft(owner).results.get()
    client.force_login(owner)

    assert client.get(f"/results/{private.pk}/card.png").status_code == 404


def test_a_result_made_private_has_no_card_any_more(client, result):
    path = f"/results/{result.pk}/card.png"
    etag = client.get(path)["ETag"]
    unrank(Result.objects.filter(pk=result.pk))
    result.submission.visibility = Visibility.PRIVATE
    result.submission.save()

    assert client.get(path, headers={"If-None-Match": etag}).status_code == 404


def test_the_card_of_a_model_names_the_best(client, result, drawn_texts):
    published_result(model=result.model, tokens_per_joule=1.0)

    client.get("/models/org/lemon-8b/card.png")

    assert "2 results on 2 GPUs" in drawn_texts
    assert "2.500 tok/J" in drawn_texts


def test_the_best_of_a_card_is_of_gpu_energy_alone(client, result, drawn_texts):
    published_result(model=result.model, hardware=result.hardware, tokens_per_joule=99.0, energy_scope="wall")

    client.get("/hardware/h100/card.png")

    assert "2.500 tok/J" in drawn_texts
    assert not any(text.startswith("99") for text in drawn_texts)


def test_a_model_without_results_has_a_card(client, drawn_texts):
    LanguageModelFactory(name="org/new")

    assert client.get("/models/org/new/card.png").status_code == 200
    assert "no result yet" in drawn_texts


def test_a_card_is_drawn_once_for_a_state_of_the_data(client, result, monkeypatch):
    drawn = []

    def remembered(found):
        drawn.append(found)
        return b"\x89PNG"

    monkeypatch.setattr(share_cards, "result_card", remembered)
    path = f"/results/{result.pk}/card.png"

    etag = client.get(path)["ETag"]
    client.get(path)
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    published_result()
    client.get(path)

    assert len(drawn) == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Qwen 3 × 2 ≥ 1", "Qwen 3 x 2 >= 1"),
        ("日本", "??"),
        ("Zürich Łódź é", "Zurich ?odz e"),
        ("a\u202eb\x00c\nd", "a b c d"),
        ("🏁", "?"),
    ],
)
def test_letters_that_the_typeface_lacks_are_replaced(text, shown):
    assert share_card.plain(text) == shown


def test_a_name_of_a_megabyte_is_cut():
    assert share_card.fitted("x" * 1_000_000, 30, 300).endswith("…")


@pytest.mark.parametrize("title", ["x" * 120, "日本語 🏁 العربية", "<script>alert(1)</script>", " ", "a\u0301\u0301"])
def test_any_title_fits_on_a_card(client, title):
    LanguageModelFactory(name="org/odd", title=title)

    assert client.get("/models/org/odd/card.png").content.startswith(b"\x89PNG")


def meta(client, path):
    """property or name -> content, and the canonical address."""
    html = client.get(path).content.decode()
    found = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)"', html))
    (canonical,) = re.findall(r'<link rel="canonical" href="([^"]*)"', html)
    return found | {"canonical": canonical}


def test_a_result_says_what_it_is_and_where_its_picture_is(client, result):
    found = meta(client, f"/results/{result.pk}/")

    assert found["og:url"] == found["canonical"] == f"http://testserver/results/{result.pk}/"
    assert found["og:image"] == f"http://testserver/results/{result.pk}/card.png"
    assert "Lemon 8B" in found["og:title"]
    assert "tok/J" in found["og:description"]
    assert found["twitter:card"] == "summary_large_image"


@pytest.mark.parametrize(
    ("path", "image"),
    [
        ("/models/org/lemon-8b/", "/models/org/lemon-8b/card.png"),
        ("/hardware/h100/", "/hardware/h100/card.png"),
        ("/", "/card.png"),
        ("/analysis/", "/card.png"),
        ("/compare/", "/card.png"),
        ("/charts/", "/card.png"),
    ],
)
def test_pages_that_are_shared_name_a_picture_and_a_title(client, result, path, image):
    found = meta(client, path)

    assert found["og:image"] == f"http://testserver{image}"
    assert found["og:title"]
    assert found["og:description"]
    assert client.get(image).status_code == 200


def test_the_state_of_a_page_is_part_of_its_address_and_tracking_is_not(client):
    found = meta(client, "/?q=lemon&utm_source=mail&fbclid=1")

    assert found["canonical"] == "http://testserver/?q=lemon"


def test_hostile_names_stay_inside_their_attribute(client):
    LanguageModelFactory(name="org/evil", title='"><script>alert(1)</script>')
    published_result(submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED))

    html = client.get("/models/org/evil/").content.decode()

    assert "<script>alert" not in html
    assert 'content="&quot;&gt;&lt;script&gt;' in html


def test_an_error_page_has_no_address_of_its_own(client):
    assert "canonical" not in client.get("/no-such-page/").content.decode()
