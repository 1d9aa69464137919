"""The best result of every cell, kept while results come and go."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db.models import QuerySet

from leaderboard.board import BoardQuery
from leaderboard.models import (
    BestResult,
    DataVersion,
    Finding,
    Result,
    ReviewAction,
    SubmissionStatus,
    Trust,
    Visibility,
)
from leaderboard.queries.board import board_results
from leaderboard.services.ranking import rank, rebuild_best_results, unrank
from leaderboard.services.review import review
from leaderboard.services.submissions import delete, withdraw
from tests.factories import (
    BackendFactory,
    HardwareFactory,
    LanguageModelFactory,
    ResultFactory,
    SubmissionFactory,
    published_result,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> dict[str, Any]:
    """The model, hardware and backend that the results of one test share."""
    return {"model": LanguageModelFactory(), "hardware": HardwareFactory(), "backend": BackendFactory()}


def only(result: Result) -> QuerySet[Result]:
    return Result.objects.filter(pk=result.pk)


def best(metric: str) -> list[Result]:
    return [row.result for row in BestResult.objects.filter(metric=metric).select_related("result").order_by("-score")]


def shown(**state: Any) -> list[Result]:
    return list(board_results(BoardQuery(**state)).results)


def test_the_highest_value_is_best_where_higher_is_better(place):
    published_result(**place, tokens_per_joule=2.0)
    better = published_result(**place, tokens_per_joule=3.0)
    published_result(**place, tokens_per_joule=1.0)

    assert best("tokens_per_joule") == [better]


def test_the_lowest_value_is_best_where_lower_is_better(place):
    published_result(**place, itl_ms_p50=20.0)
    better = published_result(**place, itl_ms_p50=10.0)
    published_result(**place, itl_ms_p50=30.0)

    assert best("itl_ms_p50") == [better]


@pytest.mark.parametrize(
    ("field", "value"), [("gpu_count", 2), ("energy_scope", "wall"), ("model", None), ("hardware", None)]
)
def test_each_model_hardware_gpu_count_and_energy_scope_has_a_best_of_its_own(place, field, value):
    fresh = {"model": LanguageModelFactory, "hardware": HardwareFactory}
    other = value if value is not None else fresh[field]()
    first = published_result(**place, tokens_per_joule=2.0)

    second = published_result(**{**place, field: other}, tokens_per_joule=1.0)

    assert shown() == [first, second]


def test_another_backend_or_precision_competes_with_the_same_group(place):
    published_result(**place, tokens_per_joule=2.0)
    better = published_result(**{**place, "backend": BackendFactory()}, precision="fp8", tokens_per_joule=3.0)

    assert shown() == [better]


def test_results_without_a_gpu_count_are_a_group_of_their_own(place):
    unknown = published_result(**place, gpu_count=None, tokens_per_joule=3.0)
    known = published_result(**place, gpu_count=1, tokens_per_joule=2.0)

    assert shown() == [unknown, known]


def test_an_unranked_best_without_a_gpu_count_leaves_its_place_to_the_next(place):
    first = published_result(**place, gpu_count=None, tokens_per_joule=3.0)
    second = published_result(**place, gpu_count=None, tokens_per_joule=2.0)
    published_result(**place, gpu_count=1, tokens_per_joule=2.5)

    unrank(only(first))

    assert [result for result in best("tokens_per_joule") if result.gpu_count is None] == [second]


def test_unranking_the_best_lets_the_next_best_stand_in(place):
    third = published_result(**place, tokens_per_joule=1.0)
    second = published_result(**place, tokens_per_joule=2.0)
    first = published_result(**place, tokens_per_joule=3.0)

    unrank(only(first))

    assert best("tokens_per_joule") == [second]
    assert third.is_ranked


def test_unranking_the_only_result_empties_its_cell(place):
    result = published_result(**place)

    unrank(only(result))

    assert not BestResult.objects.exists()


def test_equal_values_keep_one_best_and_the_same_one_whatever_came_first(place):
    results = [published_result(**place, tokens_per_joule=2.0) for _ in range(4)]
    kept = best("tokens_per_joule")

    rebuild_best_results()

    assert kept == best("tokens_per_joule") == [max(results, key=lambda result: result.pk)]


def test_ranking_twice_changes_nothing(place):
    result = published_result(**place)
    before = list(BestResult.objects.values_list("metric", "score", "result"))

    rank(only(result))

    assert list(BestResult.objects.values_list("metric", "score", "result")) == before


def test_a_self_reported_result_never_shadows_a_better_trusted_one_in_the_default_view(place):
    trusted = published_result(**place, tokens_per_joule=1.0, trust=Trust.PUBLISHED)
    reported = published_result(**place, tokens_per_joule=9.0, trust=Trust.SELF_REPORTED)

    assert shown() == [trusted]
    assert shown(min_trust=Trust.SELF_REPORTED) == [reported]


def test_the_data_version_grows_with_every_change(place):
    result = ResultFactory(**place, submission=SubmissionFactory(status=SubmissionStatus.PUBLISHED))
    numbers = []

    for step in (rank, unrank, rank):
        step(only(result))
        numbers.append(DataVersion.objects.get(pk=1).number)

    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("status", [status for status in SubmissionStatus if status != SubmissionStatus.PUBLISHED])
def test_only_results_of_published_submissions_are_ranked(place, status):
    result = ResultFactory(**place, submission=SubmissionFactory(status=status))

    assert rank(only(result)) == 0
    assert not BestResult.objects.exists()


@pytest.mark.parametrize("visibility", [Visibility.DRAFT, Visibility.PRIVATE])
def test_a_private_result_is_never_ranked(place, visibility):
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED, visibility=visibility)

    assert rank(only(ResultFactory(**place, submission=submission))) == 0


@pytest.mark.parametrize("kind", ["model", "hardware", "backend"])
def test_an_unmapped_result_is_never_ranked(place, kind):
    names = {"model_name": "a", "hardware_name": "b", "backend_name": "c"}
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED)

    result = ResultFactory(**{**place, kind: None}, **names, submission=submission)

    assert rank(only(result)) == 0


def test_a_blocked_result_is_never_ranked_and_a_warned_one_is(place):
    submission = SubmissionFactory(status=SubmissionStatus.PUBLISHED)
    blocked, warned = (ResultFactory(**place, submission=submission) for _ in range(2))
    Finding.objects.create(result=blocked, code="ROO1", severity="B", message="impossible", check_set="2026.1")
    Finding.objects.create(result=warned, code="DUR1", severity="W", message="short", check_set="2026.1")

    rank(Result.objects.filter(submission=submission))

    assert set(Result.objects.ranked()) == {warned}


def test_a_dispute_unranks_and_its_resolution_ranks_again(place, moderator):
    result = published_result(**place)

    review(submission=result.submission, action=ReviewAction.DISPUTE, by=moderator, reason="Too good.")
    disputed = shown()
    review(submission=result.submission, action=ReviewAction.RESTORE, by=moderator, reason="Measured again.")

    assert (disputed, shown()) == ([], [result])


def test_an_invalidated_result_stays_out(place, moderator):
    result = published_result(**place)
    review(submission=result.submission, action=ReviewAction.DISPUTE, by=moderator, reason="Too good.")

    review(submission=result.submission, action=ReviewAction.INVALIDATE, by=moderator, reason="It was.")

    assert rank(only(result)) == 0
    assert shown() == []


@pytest.mark.parametrize("take_back", [withdraw, delete])
def test_what_its_owner_takes_back_leaves_the_table_to_the_next(place, take_back):
    second = published_result(**place, tokens_per_joule=1.0)
    first = published_result(**place, tokens_per_joule=2.0)

    take_back(submission=first.submission, by=first.submission.owner)

    assert shown() == [second]


def cells() -> set[tuple[Any, ...]]:
    names = [field.attname for field in BestResult._meta.concrete_fields if field.name != "id"]
    return set(BestResult.objects.values_list(*names))


@pytest.mark.parametrize("seed", range(8))
def test_rebuilding_gives_what_ranking_step_by_step_kept(seed):
    choose = random.Random(seed)
    models, gpus, backends = [LanguageModelFactory() for _ in "ab"], [HardwareFactory()], [BackendFactory()]
    for _ in range(30):
        result = published_result(
            model=choose.choice(models),
            hardware=choose.choice(gpus),
            backend=choose.choice(backends),
            gpu_count=choose.choice([None, 1, 2]),
            precision=choose.choice(["", "bf16"]),
            energy_scope=choose.choice(["", "gpu"]),
            tokens_per_joule=choose.choice([None, 1.0, 2.0, 3.0]),
            itl_ms_p50=choose.choice([None, 5.0, 6.0]),
            trust=choose.choice([Trust.SELF_REPORTED, Trust.PUBLISHED]),
        )
        if choose.random() < 0.3:
            unrank(only(result))
        elif choose.random() < 0.2:
            unrank(only(choose.choice(list(Result.objects.ranked()))))

    kept = cells()
    rebuild_best_results()

    assert kept == cells()
