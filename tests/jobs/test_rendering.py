from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from llenergymeasure.api import load_study

from jobs.config import LlemOrder
from jobs.rendering import render
from jobs.trying import refusals

ORDERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sweep of batch and precision": {"batch_sizes": [1, 8], "sweep": {"precision": ["bf16", "int8", "int4"]}},
    "vllm": {
        "engine": "vllm",
        "batch_sizes": [1, 8],
        "sweep": {"precision": ["bf16", "fp8"]},
        "vllm": {"enable_prefix_caching": True, "gpu_memory_utilization": 0.8, "ignore_eos": True, "block_size": 16},
    },
    "tensorrt in fp8 on two GPUs": {
        "engine": "tensorrt",
        "precision": "fp8",
        "gpu_count": 2,
        "sweep": {"max_output_tokens": [64, 128], "n_prompts": [10, 20]},
    },
    "compiled int4": {
        "precision": "int4",
        "gpu_count": 2,
        "sampling": None,
        "temperature": 0.7,
        "transformers": {"torch_compile": True, "torch_compile_mode": "default", "bnb_4bit_quant_type": "nf4"},
    },
}


def order_of(**fields: Any) -> LlemOrder:
    return LlemOrder.model_validate({"model": "openai-community/gpt2", **fields})


@pytest.mark.parametrize("fields", ORDERS.values(), ids=list(ORDERS))
def test_llem_reads_every_run_that_was_ordered(tmp_path: Path, fields: dict[str, Any]) -> None:
    order = order_of(**fields)
    path = tmp_path / "config.yaml"
    path.write_text(render(order, seed=7, wall_s=3600))

    study = load_study(path)

    assert (len(study.experiments), study.skipped_configs) == (order.runs, [])


def test_the_seed_is_the_one_that_was_drawn() -> None:
    document = yaml.safe_load(render(order_of(seed=1), seed=99, wall_s=3600))

    assert document["task"]["random_seed"] == 99


def test_no_run_may_take_longer_than_the_job() -> None:
    document = yaml.safe_load(render(order_of(), seed=1, wall_s=1234))

    assert document["study_execution"]["experiment_timeout_seconds"] == 1234


def test_pipeline_stages_leave_the_rest_to_tensor_parallel() -> None:
    document = yaml.safe_load(
        render(order_of(engine="vllm", gpu_count=8, vllm={"pipeline_parallel_size": 2}), seed=1, wall_s=60)
    )

    assert document["vllm"]["engine_params"]["tensor_parallel_size"] == 4


def test_a_rule_of_the_engine_is_heard_before_the_queue() -> None:
    order = order_of(engine="vllm", batch_sizes=[1, 8, 512], vllm={"max_num_batched_tokens": 128})

    assert refusals(order) == [
        "1 of 3 configurations: max_num_batched_tokens (128) must be greater than or equal to max_num_seqs (512)."
    ]


@pytest.mark.parametrize("fields", ORDERS.values(), ids=list(ORDERS))
def test_the_engines_have_no_rule_against_these(fields: dict[str, Any]) -> None:
    assert refusals(order_of(**fields)) == []
