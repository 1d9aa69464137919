"""The share card of a run."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from runs import card
from runs.card import card_response, draw_card
from runs.lane_states import lane_states
from runs.models import RunStatus
from tests.runs.records import add_events, ended_run, event_body

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


def test_the_card_is_a_png_of_the_size_that_open_graph_asks_for():
    response = card_response(ended_run(10))

    image = Image.open(io.BytesIO(response.content))
    assert response.headers["Content-Type"] == "image/png"
    assert (image.format, image.size) == ("PNG", (1200, 630))
    assert len(response.content) < 100_000


def test_the_card_names_the_run_its_lanes_and_their_rates(drawn_texts):
    card_response(ended_run(10, label="Friday race"))

    assert {"Friday race", "A100", "H100", "Finished"} <= set(drawn_texts)
    assert any(text.endswith("tok/s") for text in drawn_texts)
    assert not any("imulated" in text for text in drawn_texts)


def test_the_card_of_a_simulated_run_says_so(drawn_texts):
    card_response(ended_run(4, is_simulated=True))

    assert "Simulated: nothing was measured" in drawn_texts


def test_the_fastest_lane_comes_first(drawn_texts):
    run = ended_run(0)
    add_events(run, [event_body(0, lane="A100", tokenPerSec=10), event_body(1, lane="H100", tokenPerSec=90)])

    card_response(run)

    assert drawn_texts.index("H100") < drawn_texts.index("A100")


def test_lanes_that_find_no_room_are_counted(drawn_texts):
    card_response(ended_run(12, lanes=("a", "b", "c", "d", "e", "f")))

    assert drawn_texts[-1].startswith("Mean output tokens per second of each lane, 2 more lanes")


def test_a_run_without_events_has_a_card(drawn_texts):
    card_response(ended_run(0, ended_at=None, status=RunStatus.RUNNING))

    assert "no event yet" in drawn_texts


def test_the_card_is_drawn_once_for_a_state_of_the_run(monkeypatch):
    drawn = []

    def remembered(run, states):
        drawn.append(run.last_seq)
        return draw_card(run, states)

    monkeypatch.setattr(card, "draw_card", remembered)
    run = ended_run(2)

    card_response(run)
    card_response(run)
    add_events(run, [event_body(5)])
    card_response(run)

    assert drawn == [2, 3]


@pytest.mark.parametrize(
    "label", ["x" * 200, "日本語 🏁 العربية", "line\nbreak\x07\u202e", "<script>alert(1)</script>", " "]
)
def test_any_label_fits_on_the_card(label, drawn_texts):
    run = ended_run(3, label=label, models_named=["m" * 200] * 5, lanes=("lane " * 35, "b"))

    content = draw_card(run, lane_states(run).states)

    assert content.startswith(b"\x89PNG")
    assert not any("\n" in text or "\u202e" in text for text in drawn_texts)
