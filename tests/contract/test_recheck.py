"""Whatever the site can order passes the list that the agent has of its own."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gpuagent.host.recheck import RULES, check_llem, parse
from jobs.config import LlemOrder
from jobs.rendering import PATHS, render
from tests.jobs.test_rendering import ORDERS

#: of an order, what hypothesis finds too seldom by itself
ANY = {
    "engine": st.sampled_from(["transformers", "vllm", "tensorrt"]),
    "precision": st.sampled_from(["fp32", "fp16", "bf16", "fp8", "int8", "int4"]),
    "batch_sizes": st.lists(st.integers(1, 1024), min_size=1, max_size=4, unique=True),
    "n_prompts": st.integers(1, 2_000),
    "max_output_tokens": st.integers(1, 8_192),
    "n_cycles": st.integers(1, 10),
    "cycle_order": st.sampled_from(["sequential", "interleave", "shuffle", "reverse", "latin_square"]),
    "prompt_order": st.sampled_from(["interleaved", "grouped", "shuffled"]),
    "sampling": st.sampled_from([None, "deterministic", "standard", "creative", "factual"]),
    "temperature": st.none() | st.floats(0, 2),
    "top_p": st.none() | st.floats(0, 1, exclude_min=True),
    "repetition_penalty": st.none() | st.floats(0.5, 2),
    "latency": st.booleans(),
    "gpu_count": st.integers(1, 8),
    "sweep": st.fixed_dictionaries(
        {},
        optional={
            "precision": st.lists(st.sampled_from(["bf16", "fp16", "fp8", "int8"]), max_size=3, unique=True),
            "n_prompts": st.lists(st.integers(1, 2_000), max_size=3, unique=True),
            "max_output_tokens": st.lists(st.integers(1, 8_192), max_size=3, unique=True),
        },
    ),
}


def test_the_agent_knows_every_place_that_the_site_can_write():
    assert set(PATHS) <= set(RULES)


def test_the_agent_knows_no_place_that_the_site_cannot_write():
    assert set(RULES) <= set(PATHS)


@pytest.mark.parametrize("fields", ORDERS.values(), ids=list(ORDERS))
def test_orders_that_are_tested_elsewhere_pass(fields):
    order = LlemOrder.model_validate({"model": "Qwen/Qwen2.5-0.5B", **fields})

    check_llem(parse(render(order, seed=2**31 - 1, wall_s=86_400)), model=order.model)


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
@given(st.fixed_dictionaries({}, optional=ANY))
def test_any_order_passes(fields):
    try:
        order = LlemOrder.model_validate({"model": "Qwen/Qwen2.5-0.5B", **fields})
    except ValidationError:
        return

    check_llem(parse(render(order, seed=0, wall_s=300)), model=order.model)
