"""The catalogue: loading it, finding what a name means, and mapping what it does not know."""

from __future__ import annotations

import pytest

from leaderboard.board import BoardQuery
from leaderboard.models import (
    BackendAlias,
    BestResult,
    DataVersion,
    Hardware,
    HardwareAlias,
    LanguageModel,
    Result,
    ReviewAction,
    ReviewEvent,
    Trust,
    UnknownName,
)
from leaderboard.queries.board import board_results
from leaderboard.services.catalogue import MappingRefused, find_targets, load_catalogue, map_name, reprice
from leaderboard.services.ranking import rebuild_best_results
from leaderboard.services.review import review
from leaderboard.services.scoring import apply_price
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    draft,
    normal_file,
    pending,
    published_result,
)

pytestmark = pytest.mark.django_db


def everything() -> list[object]:
    return [list(table.objects.values()) for table in (LanguageModel, Hardware, HardwareAlias, BackendAlias)]


def test_loading_twice_changes_nothing(catalogue):
    before = everything()

    load_catalogue()

    assert everything() == before


def test_loading_brings_thirty_gpus_and_sixty_models(catalogue):
    assert Hardware.objects.count() >= 30
    assert LanguageModel.objects.count() >= 60


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("NVIDIA A100-PCIE-40GB", "a100-pcie-40"),
        ("nvidia h100 80gb  hbm3", "h100-sxm"),
        ("a100-pcie-40", "a100-pcie-40"),
    ],
)
def test_gpus_are_found_by_slug_name_and_nvml_name(catalogue, name, slug):
    assert find_targets(model=None, hardware=name, backend=None).hardware.slug == slug


def test_what_the_catalogue_does_not_know_is_not_guessed(catalogue):
    found = find_targets(model="gpt-2000", hardware="NVIDIA A100", backend="enginex")

    assert (found.model, found.hardware, found.backend) == (None, None, None)


def test_a_changed_figure_is_brought_up_to_date(catalogue):
    Hardware.objects.filter(slug="a100-pcie-40").update(tdp_w=1.0)

    load_catalogue()

    assert Hardware.objects.get(slug="a100-pcie-40").tdp_w == 250.0


def test_an_unknown_name_waits_once_however_often_it_is_given(small_catalogue, owner):
    for batch in (8, 16):
        draft(owner, normal_file(hardware="Wonder GPU  9", batch_size=batch))

    unknown = UnknownName.objects.get()
    assert (unknown.kind, unknown.name, unknown.written_as) == ("hardware", "wonder gpu 9", "Wonder GPU  9")


def test_a_name_that_is_not_given_does_not_wait(small_catalogue, owner):
    draft(owner, normal_file(hardware=None))

    assert not UnknownName.objects.exists()


def test_an_unknown_name_is_for_a_moderator_to_see(small_catalogue, owner):
    finding = draft(owner, normal_file(model="org/new")).results.get().findings.get(code="SCH2")

    assert finding.severity == "R"


@pytest.fixture
def waiting(small_catalogue, owner, moderator) -> UnknownName:
    """A published submission whose GPU is unknown, so that its result is not ranked yet."""
    submission = pending(owner, normal_file(hardware="NVIDIA Wonder 9"))
    review(submission=submission, action=ReviewAction.APPROVE, by=moderator)
    assert not Result.objects.ranked().exists()
    return UnknownName.objects.get()


def test_mapping_attaches_ranks_and_scores_every_waiting_result(waiting, moderator):
    waiting.hardware = HardwareFactory(slug="wonder-9", usd_per_gpu_hour=3.6)
    version = DataVersion.objects.get().number

    attached = map_name(unknown=waiting, by=moderator)

    result = Result.objects.get()
    assert (attached, result.hardware.slug, result.is_ranked) == (1, "wonder-9", True)
    assert "SCH2" not in result.findings.values_list("code", flat=True)
    assert result.cost_per_million_tokens_usd == pytest.approx(1.0)
    assert BestResult.objects.filter(result=result).exists()
    assert DataVersion.objects.get().number > version


def test_mapping_leaves_an_audit_line_and_closes_the_name(waiting, moderator):
    waiting.hardware = HardwareFactory(name="Wonder 9")

    map_name(unknown=waiting, by=moderator)

    event = ReviewEvent.objects.last()
    assert (event.action, event.actor) == ("map", moderator)
    assert event.reason == "The hardware 'NVIDIA Wonder 9' is Wonder 9."
    assert UnknownName.objects.get().mapped_at is not None


def test_a_result_that_turns_out_impossible_on_its_hardware_is_not_ranked(waiting, moderator):
    waiting.hardware = HardwareFactory(tdp_w=75.0)

    map_name(unknown=waiting, by=moderator)

    result = Result.objects.get()
    assert "PWR1" in result.findings.values_list("code", flat=True)
    assert (result.is_ranked, result.trust) == (False, Trust.DRAFT)


def test_later_uploads_with_a_mapped_name_are_found_at_once(waiting, moderator, owner):
    waiting.hardware = HardwareFactory(slug="wonder-9")
    map_name(unknown=waiting, by=moderator)

    result = draft(owner, normal_file(hardware="nvidia WONDER 9", batch_size=16)).results.get()

    assert result.hardware.slug == "wonder-9"


@pytest.mark.parametrize(("kind", "make"), [("model", LanguageModelFactory), ("backend", BackendFactory)])
def test_models_and_backends_are_mapped_alike(small_catalogue, owner, moderator, kind, make):
    result = draft(owner, normal_file(**{kind: "org/brand-new"})).results.get()
    unknown = UnknownName.objects.get(kind=kind)
    setattr(unknown, kind, make())

    map_name(unknown=unknown, by=moderator)

    result.refresh_from_db()
    assert getattr(result, kind) == getattr(unknown, kind)
    assert not result.is_ranked


def test_mapping_again_moves_what_was_attached_and_leads_later_uploads_to_the_new_target(waiting, moderator):
    for slug in ("wrong", "right"):
        waiting.hardware = HardwareFactory(slug=slug)
        map_name(unknown=waiting, by=moderator)

    assert Result.objects.ranked().get().hardware.slug == "right"
    assert set(BestResult.objects.values_list("hardware__slug", flat=True)) == {"right"}
    assert find_targets(model=None, hardware="NVIDIA Wonder 9", backend=None).hardware.slug == "right"


def test_mapping_without_a_target_is_refused(waiting, moderator):
    with pytest.raises(MappingRefused, match="Choose the hardware that 'NVIDIA Wonder 9' means"):
        map_name(unknown=waiting, by=moderator)

    assert UnknownName.objects.get().mapped_at is None


def test_a_moderators_mapping_survives_loading_the_catalogue(catalogue, moderator):
    unknown = UnknownName.objects.create(kind="hardware", name="h100 sxm6", written_as="H100 SXM6")
    unknown.hardware = Hardware.objects.get(slug="a100-pcie-40")
    map_name(unknown=unknown, by=moderator)

    load_catalogue()

    found = find_targets(model=None, hardware="H100 SXM6", backend=None)
    assert found.hardware.slug == "a100-pcie-40"


def test_a_new_price_reaches_the_cost_and_the_place_of_every_result() -> None:
    dear, cheap = (published_result(hardware=HardwareFactory(usd_per_gpu_hour=price)) for price in (4.0, 2.0))
    for result in (dear, cheap):
        apply_price(result)
        result.save()
    rebuild_best_results()
    gpu = Hardware.objects.get(results=dear)
    gpu.usd_per_gpu_hour = 1.0
    gpu.save()

    reprice(gpu)

    query = BoardQuery(sort="cost_per_million_tokens_usd", descending=False)
    first = board_results(query).results[0]
    assert first.pk == dear.pk
    assert first.cost_per_million_tokens_usd == pytest.approx(1e6 / 1000 / 3600 * 1.0)
