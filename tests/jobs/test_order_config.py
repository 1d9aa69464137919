from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.config import LlemOrder, errors_of

WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown field": ({"x": 1}, "x", "there is no such field"),
    "text for a number": ({"n_prompts": "12"}, "n_prompts", "whole numbers only"),
    "a flag for a number": ({"n_prompts": True}, "n_prompts", "whole numbers only"),
    "too many": ({"n_prompts": 2001}, "n_prompts", "must be less than or equal to 2000"),
    "one of several": ({"batch_sizes": [1, 0]}, "batch_sizes.1", "must be greater than or equal to 1"),
    "none": ({"batch_sizes": []}, "batch_sizes", "tuple should have at least 1 item after validation, not 0"),
    "twice": ({"batch_sizes": [2, 2]}, "batch_sizes", "each value once"),
    "a precision of another engine": (
        {"engine": "vllm", "precision": "int4"}, "precision", "vllm runs bf16, fp16, fp8, not int4"
    ),
    "settings of another engine": (
        {"vllm": {"block_size": 16}}, "engine", "settings of vllm do nothing with the engine transformers"
    ),
    "three parameters": (
        {"batch_sizes": [1, 2], "sweep": {"n_prompts": [1, 2], "max_output_tokens": [1, 2]}},
        "batch_sizes", "at most 2 parameters can be varied at once",
    ),
    "a grid too large": (
        {"batch_sizes": list(range(1, 14)), "sweep": {"n_prompts": [1, 2, 3, 4, 5]}},
        "batch_sizes", "65 configurations are more than the 64 of one job",
    ),
    "not a number": ({"temperature": float("nan")}, "temperature", "must be a finite number"),
    "stages that do not divide": (
        {"engine": "vllm", "gpu_count": 3, "vllm": {"pipeline_parallel_size": 2}},
        "gpu_count", "2 pipeline stages do not divide 3 GPUs",
    ),
    "fp8 of TensorRT without its backend": (
        {"engine": "tensorrt", "precision": "fp8", "tensorrt": {"backend": "pytorch"}},
        "precision", "fp8 needs the backend trt",
    ),
    "a mode without compiling": (
        {"transformers": {"torch_compile_mode": "default"}}, "transformers", "a compile mode needs torch.compile"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "place", "words"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_named(fields: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(ValidationError) as error:
        LlemOrder.model_validate({"model": "org/name", **fields})

    assert errors_of(error.value) == {place: words}


def test_what_is_stored_makes_the_same_order() -> None:
    order = LlemOrder.model_validate(
        {"model": "org/name", "engine": "vllm", "batch_sizes": [1, 8], "sweep": {"n_prompts": [5, 6]}, "sampling": None}
    )

    assert LlemOrder.model_validate(order.stored()) == order


def test_a_grid_is_every_combination() -> None:
    order = LlemOrder.model_validate({"model": "org/name", "batch_sizes": [1, 8], "sweep": {"n_prompts": [5, 6]}})

    assert [(one.batch_sizes, one.n_prompts) for one in order.each()] == [((1,), 5), ((1,), 6), ((8,), 5), ((8,), 6)]
