"""What the site renders is what a host's own list lets through, and what the simulated executor understands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpuagent.executors import plausible
from gpuagent.host import recheck
from jobs.config import PRECISIONS, LlemOrder
from jobs.rendering import PATHS, render
from tests.jobs.test_rendering import ORDERS, order_of


def test_the_site_writes_the_places_that_a_host_knows() -> None:
    assert set(recheck.RULES) == PATHS


@pytest.mark.parametrize("fields", ORDERS.values(), ids=list(ORDERS))
def test_the_simulated_executor_sees_the_grid_that_was_ordered(fields: dict[str, Any]) -> None:
    order = order_of(**fields)

    cells, cycles = plausible.study_of(recheck.parse(render(order, seed=7, wall_s=3600)))

    assert (len(cells), cycles) == (order.cells, order.n_cycles)


_ENGINE = st.sampled_from(list(PRECISIONS))
_SIZES = st.lists(st.integers(1, 1024), min_size=1, max_size=8, unique=True)


@st.composite
def orders(draw: st.DrawFn) -> LlemOrder | None:
    engine = draw(_ENGINE)
    fields = {
        "model": "org/name-7b.v2",
        "engine": engine,
        "precision": draw(st.sampled_from(PRECISIONS[engine])),
        "batch_sizes": draw(_SIZES),
        "sweep": draw(
            st.fixed_dictionaries({}, optional={
                "precision": st.lists(st.sampled_from(PRECISIONS[engine]), max_size=3, unique=True),
                "max_output_tokens": st.lists(st.integers(1, 8192), max_size=4, unique=True),
            })
        ),
        "n_prompts": draw(st.integers(1, 2000)),
        "n_cycles": draw(st.integers(1, 10)),
        "gpu_count": draw(st.integers(1, 8)),
        "settle_s": draw(st.integers(30, 600)),
        "temperature": draw(st.none() | st.floats(0, 2)),
        "top_k": draw(st.none() | st.integers(0, 1000)),
        "latency": draw(st.booleans()),
    }  # fmt: skip
    try:
        return LlemOrder.model_validate(fields)
    except ValidationError:
        return None


@given(orders(), st.integers(0, 2**31 - 1), st.integers(300, 24 * 3600))
def test_a_host_lets_through_whatever_can_be_ordered(order: LlemOrder | None, seed: int, wall_s: int) -> None:
    if order is None:
        return

    document = recheck.parse(render(order, seed=seed, wall_s=wall_s))

    recheck.check_llem(document, model=order.model)
