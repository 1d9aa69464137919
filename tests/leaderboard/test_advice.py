"""What to change first: hand-computed cases, and that nothing is advised that nobody measured."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.analysis.advice import Evidence, Wish, advise
from leaderboard.analysis.neighbours import AXES, Measured, pairs

START = {"batch_size": 8, "precision": "bf16", "backend": "vllm", "backend_version": "0.5.4", "gpu_count": 1}


def one(figure, *, number=0, model="m", scope="gpu", surroundings="a", pipeline=None, fits=True, **settings):
    merged = {name: value for name, value in {**START, **settings}.items() if value is not None}
    return Measured(
        uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {figure} {sorted(merged.items())} {model} {scope} {surroundings}"),
        model, merged, scope, surroundings, pipeline, figure, fits,
    )  # fmt: skip


def wish(start=None, *, higher=True, tolerance=0.1):
    return Wish(start or {}, higher, tolerance)


def advice_on(axis, own, others=(), given_wish=None):
    return next(row for row in advise(own, others, given_wish or wish()) if row.axis == axis)


def test_two_results_that_differ_in_one_setting_give_its_factor():
    found = advice_on("batch_size", [one(1.0), one(2.5, batch_size=32)])

    assert (found.best.before, found.best.after, found.best.factor) == (8, 32, 2.5)


def test_the_factor_is_the_median_of_the_pairs_with_their_range():
    own = [
        one(1.0), one(2.0, batch_size=32),
        one(2.0, precision="fp8"), one(6.0, precision="fp8", batch_size=32),
        one(1.0, precision="int8"), one(2.4, precision="int8", batch_size=32),
    ]  # fmt: skip

    best = advice_on("batch_size", own).best

    assert (best.lowest, best.factor, best.highest, len(best.pairs)) == (2.0, 2.4, 3.0, 3)


def test_where_less_is_better_a_smaller_figure_is_the_gain():
    found = advice_on("batch_size", [one(40.0), one(20.0, batch_size=4)], given_wish=wish(higher=False))

    assert (found.best.before, found.best.after, found.best.factor) == (8, 4, 2.0)


def test_results_that_differ_in_two_settings_are_no_pair():
    assert list(pairs([one(1.0), one(3.0, batch_size=32, precision="fp8")], True)) == []


@pytest.mark.parametrize("other", [{"scope": "wall"}, {"surroundings": "b"}, {"model": "n"}, {"pipeline": 2}])
def test_another_scope_workload_model_or_pipeline_is_no_pair(other):
    assert list(pairs([one(1.0), one(3.0, batch_size=32, **other)], True)) == []


def test_a_setting_that_one_side_does_not_state_makes_no_pair():
    assert list(pairs([one(1.0, batch_size=None), one(3.0, batch_size=32)], True)) == []


def test_another_backend_may_have_another_version():
    found = advice_on("backend", [one(1.0), one(1.5, backend="sglang", backend_version="0.4")])

    assert (found.best.before, found.best.after) == ("vllm", "sglang")


def test_versions_of_one_backend_are_a_setting_of_their_own():
    found = advise([one(1.0), one(1.3, backend_version="0.6.0")], [], wish())

    assert [row.axis for row in found if row.best] == ["backend_version"]


def test_tensor_parallelism_over_all_gpus_goes_with_their_number():
    own = [one(1.0, gpu_count=2, tensor_parallel=2), one(1.4, gpu_count=4, tensor_parallel=4)]

    assert [row.axis for row in advise(own, [], wish()) if row.best] == ["gpu_count"]


def test_tensor_parallelism_of_its_own_is_another_setting():
    own = [one(1.0, gpu_count=8, tensor_parallel=8), one(1.4, gpu_count=8, tensor_parallel=4)]

    assert [row.axis for row in advise(own, [], wish()) if row.best] == ["tensor_parallel"]


def test_the_largest_gain_comes_first_and_the_unmeasured_last():
    own = [one(1.0), one(2.0, batch_size=32), one(3.0, precision="fp8"), one(1.01, backend_version="0.6")]

    found = advise(own, [], wish())

    assert [row.axis for row in found[:3]] == ["precision", "batch_size", "backend_version"]
    assert [row.evidence for row in found[3:]] == [None] * (len(AXES) - 3)


def test_a_gain_within_the_tolerance_of_a_rerun_is_none():
    found = advice_on("batch_size", [one(1.0), one(1.09, batch_size=32)])

    assert found.evidence == Evidence.SAME_MODEL
    assert found.best is None


def test_a_step_out_of_the_readers_limits_is_not_advised():
    own = [one(1.0), one(2.0, batch_size=32), one(3.0, batch_size=128, fits=False)]

    found = advice_on("batch_size", own)

    assert (found.best.before, found.best.after) == (8, 32)
    assert found.outside_limits == 2


def test_a_pair_may_begin_outside_the_limits():
    assert advice_on("batch_size", [one(1.0, fits=False), one(2.0, batch_size=32)]).best.after == 32


def test_with_a_start_only_steps_from_it_count():
    own = [one(1.0), one(2.0, batch_size=32), one(2.5, batch_size=64)]

    found = advice_on("batch_size", own, given_wish=wish({"batch_size": 32}))

    assert (found.evidence, found.best.before, found.best.after) == (Evidence.YOURS, 32, 64)


def test_a_start_that_nobody_measured_beside_a_change_falls_back_to_other_configurations():
    own = [one(1.0), one(2.0, precision="fp8"), one(5.0, batch_size=64)]

    found = advice_on("precision", own, given_wish=wish({"batch_size": 64, "precision": "bf16"}))

    assert (found.evidence, found.best.factor) == (Evidence.SAME_MODEL, 2.0)


def test_other_models_are_asked_only_where_the_model_itself_has_no_pair():
    own = [one(1.0), one(2.0, batch_size=32)]
    others = [one(1.0, model="n"), one(9.0, model="n", batch_size=32), one(1.5, model="n", precision="fp8")]

    found = {row.axis: row for row in advise(own, others, wish())}

    assert (found["batch_size"].evidence, found["batch_size"].best.factor) == (Evidence.SAME_MODEL, 2.0)
    assert (found["precision"].evidence, found["precision"].best.factor) == (Evidence.OTHER_MODELS, 1.5)


def test_what_other_models_show_comes_after_what_the_model_shows():
    own = [one(1.0), one(2.0, batch_size=32)]
    others = [one(1.0, model="n"), one(9.0, model="n", precision="fp8")]

    assert [row.axis for row in advise(own, others, wish())[:2]] == ["batch_size", "precision"]


def test_many_results_of_one_configuration_are_one_say():
    own = [one(1.0), one(2.0, number=1), one(3.0, number=2), one(4.0, batch_size=32)]

    best = advice_on("batch_size", own).best

    assert (best.factor, len(best.pairs)) == (2.0, 1)


def test_a_figure_of_zero_says_nothing():
    assert list(pairs([one(0.0), one(2.0, batch_size=32)], True)) == []


def test_many_values_of_one_setting_are_thinned_out_to_the_ends_and_some_between():
    found = advice_on("batch_size", [one(float(size), batch_size=size) for size in range(1, 1001)])

    assert (found.best.before, found.best.after) == (1, 1000)
    assert len(found.steps) == 24 * 23


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "batch_size": st.sampled_from([1, 8, 32]),
        "concurrency": st.sampled_from([1, 4]),
        "precision": st.sampled_from(["bf16", "fp8"]),
        "backend": st.sampled_from(["vllm", "sglang"]),
        "backend_version": st.sampled_from(["1", "2"]),
        "gpu_count": st.sampled_from([1, 2, 4]),
        "tensor_parallel": st.sampled_from([1, 2, 4]),
        "power_limit_w": st.sampled_from([300.0, 400.0]),
    },
)
MEASURED = st.builds(
    Measured,
    id=st.uuids(),
    model=st.sampled_from(["m", "n"]),
    settings=SETTINGS,
    scope=st.sampled_from(["gpu", "wall"]),
    surroundings=st.sampled_from(["a", "b"]),
    pipeline_parallel=st.sampled_from([None, 1, 2]),
    figure=st.floats(0.01, 100),
    fits=st.booleans(),
)


def differing(pair):
    """The settings that differ, less what follows from the one that was changed."""
    before, after = pair.before.settings, pair.after.settings
    names = {name for name in AXES if before.get(name) != after.get(name)}
    if "backend" in names:
        names.discard("backend_version")
    over_all = [
        one.settings.get("tensor_parallel", 0) * (one.pipeline_parallel or 1) == one.settings.get("gpu_count")
        for one in (pair.before, pair.after)
    ]
    if "gpu_count" in names and all(over_all):
        names.discard("tensor_parallel")
    return names


@given(st.lists(MEASURED, max_size=30), SETTINGS, st.booleans())
def test_nothing_is_advised_that_nobody_measured(measured, start, higher):
    own = [point for point in measured if point.model == "m"]
    others = [point for point in measured if point.model == "n"]

    for row in advise(own, others, Wish(start, higher, 0.05)):
        asked = others if row.evidence == Evidence.OTHER_MODELS else own
        for step in row.steps:
            assert step.after in {point.settings.get(row.axis) for point in asked if point.fits}
            assert start.get(row.axis, step.before) == step.before
            for pair in step.pairs:
                assert pair.before in asked
                assert pair.after in asked
                assert differing(pair) == {row.axis}
                assert (pair.before.scope, pair.before.surroundings) == (pair.after.scope, pair.after.surroundings)
        if row.best:
            assert row.best in row.steps
            assert row.best.factor > 1.05
