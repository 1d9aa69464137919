"""What may be ordered as an energy benchmark: our own typed list over llem's configuration.

Whatever llem could be made to load, run or write through its own configuration has no field here: code from a model,
arguments handed on, images, runners, paths, the environment. `jobs.rendering` writes llem's YAML from it, and nothing
else does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from jobs.limits import MAX_SWEEP_CELLS, MAX_WALL_S

MODEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$"
MAX_VALUES = 16
MAX_AXES = 2

EngineName = Literal["transformers", "vllm", "tensorrt"]
PrecisionName = Literal["fp32", "fp16", "bf16", "fp8", "int8", "int4"]
#: what each engine makes of a plain checkpoint
PRECISIONS: Mapping[EngineName, tuple[PrecisionName, ...]] = {
    "transformers": ("bf16", "fp16", "fp32", "int8", "int4"),
    "vllm": ("bf16", "fp16", "fp8"),
    "tensorrt": ("bf16", "fp16", "fp8"),
}

ModelId = Annotated[str, StringConstraints(pattern=MODEL_PATTERN)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Label = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,39})?$")]
BatchSize = Annotated[int, Field(ge=1, le=1024)]


class _Strict(BaseModel):
    """Unknown names are refused, and nothing is turned into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=(), allow_inf_nan=False)


def _wrong(kind: str, message: str) -> PydanticCustomError:
    """An error whose words are the reader's, without pydantic's own in front."""
    return PydanticCustomError(kind, message)


class TransformersOptions(_Strict):
    """Settings of the engine Transformers; what is left out is up to it."""

    attn_implementation: Literal["eager", "sdpa", "flash_attention_2"] | None = Field(default=None, title="Attention")
    use_cache: bool | None = Field(default=None, title="KV cache")
    cache_implementation: Literal["dynamic", "static"] | None = Field(default=None, title="Kind of KV cache")
    num_beams: Annotated[int, Field(ge=1, le=8)] | None = Field(default=None, title="Beams")
    prompt_lookup_num_tokens: Annotated[int, Field(ge=1, le=32)] | None = Field(
        default=None, title="Prompt lookup tokens"
    )
    bnb_4bit_quant_type: Literal["nf4", "fp4"] | None = Field(default=None, title="4-bit type", description="int4 only")
    bnb_4bit_use_double_quant: bool | None = Field(default=None, title="Double quantisation", description="int4 only")
    torch_compile: bool | None = Field(default=None, title="torch.compile")
    torch_compile_mode: Literal["default", "reduce-overhead", "max-autotune"] | None = Field(
        default=None, title="Compile mode", description="with torch.compile only"
    )
    allow_tf32: bool | None = Field(default=None, title="TF32")

    @model_validator(mode="after")
    def _modes_need_what_they_belong_to(self) -> Self:
        if self.torch_compile_mode is not None and not self.torch_compile:
            raise _wrong("compile_mode", "a compile mode needs torch.compile")
        return self


class VllmOptions(_Strict):
    """Settings of vLLM; what is left out is up to it."""

    gpu_memory_utilization: Annotated[float, Field(ge=0.1, le=0.98)] | None = Field(
        default=None, title="Share of GPU memory"
    )
    max_model_len: Annotated[int, Field(ge=64, le=262_144)] | None = Field(default=None, title="Context, tokens")
    max_num_batched_tokens: Annotated[int, Field(ge=64, le=262_144)] | None = Field(
        default=None, title="Tokens per step"
    )
    block_size: Literal[8, 16, 32, 64, 128] | None = Field(default=None, title="KV block size")
    kv_cache_dtype: Literal["auto", "fp8", "fp8_e4m3", "fp8_e5m2"] | None = Field(default=None, title="KV cache type")
    enforce_eager: bool | None = Field(default=None, title="Eager, no CUDA graphs")
    enable_chunked_prefill: bool | None = Field(default=None, title="Chunked prefill")
    enable_prefix_caching: bool | None = Field(default=None, title="Prefix caching")
    pipeline_parallel_size: Annotated[int, Field(ge=1, le=8)] | None = Field(
        default=None, title="Pipeline stages", description="must divide the GPUs; the rest is tensor parallel"
    )
    ignore_eos: bool | None = Field(default=None, title="Always generate to the limit")


class TensorrtOptions(_Strict):
    """Settings of TensorRT-LLM; what is left out is up to it."""

    backend: Literal["pytorch", "trt"] | None = Field(default=None, title="Backend")
    max_input_len: Annotated[int, Field(ge=1, le=262_144)] | None = Field(default=None, title="Longest input, tokens")
    max_seq_len: Annotated[int, Field(ge=1, le=262_144)] | None = Field(default=None, title="Longest sequence, tokens")
    max_num_tokens: Annotated[int, Field(ge=64, le=262_144)] | None = Field(default=None, title="Tokens per step")
    fast_build: bool | None = Field(default=None, title="Fast engine build")
    ignore_eos: bool | None = Field(default=None, title="Always generate to the limit")


class Sweep(_Strict):
    """Values of one parameter each; every combination is run."""

    precision: Annotated[tuple[PrecisionName, ...], Field(strict=False, max_length=MAX_VALUES)] = ()
    n_prompts: Annotated[tuple[Annotated[int, Field(ge=1, le=2_000)], ...], Field(strict=False)] = ()
    max_input_tokens: Annotated[tuple[Annotated[int, Field(ge=1, le=32_768)], ...], Field(strict=False)] = ()
    max_output_tokens: Annotated[tuple[Annotated[int, Field(ge=1, le=8_192)], ...], Field(strict=False)] = ()

    @field_validator("*")
    @classmethod
    def _differ(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return distinct(values)

    def axes(self) -> dict[str, tuple[Any, ...]]:
        return {name: values for name in type(self).model_fields if (values := getattr(self, name))}


SWEEPABLE = tuple(Sweep.model_fields)


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(values) > MAX_VALUES:
        raise _wrong("too_many", f"at most {MAX_VALUES} values")
    if len(set(values)) != len(values):
        raise _wrong("repeated", "each value once")
    return values


class LlemOrder(_Strict):
    """One energy benchmark as somebody may order it."""

    model: ModelId = Field(title="Model", description="org/name, of the catalogue")
    engine: EngineName = Field(default="transformers", title="Engine")
    precision: PrecisionName = Field(default="bf16", title="Precision", description="of the weights")
    batch_sizes: Annotated[tuple[BatchSize, ...], Field(min_length=1, strict=False)] = Field(
        default=(1,), title="Batch sizes", description="one or several, such as 1, 8, 32; sequences at once for vLLM"
    )
    sweep: Sweep = Sweep()

    n_prompts: Annotated[int, Field(ge=1, le=2_000)] = Field(default=100, title="Prompts")
    max_input_tokens: Annotated[int, Field(ge=1, le=32_768)] = Field(default=256, title="Input tokens, at most")
    max_output_tokens: Annotated[int, Field(ge=1, le=8_192)] = Field(default=256, title="Output tokens, at most")
    dataset: Literal["aienergyscore"] = Field(default="aienergyscore", title="Prompts from")
    prompt_order: Literal["interleaved", "grouped", "shuffled"] = Field(
        default="interleaved", title="Order of the prompts"
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(default=42, title="Seed")

    n_cycles: Annotated[int, Field(ge=1, le=10)] = Field(
        default=3, title="Cycles", description="independent repeats; from 3 on there is an interval"
    )
    cycle_order: Literal["sequential", "interleave", "shuffle", "reverse", "latin_square"] = Field(
        default="interleave", title="Order of the cycles"
    )
    warmup_prompts: Annotated[int, Field(ge=1, le=50)] = Field(default=5, title="Warm-up prompts")
    settle_s: Annotated[int, Field(ge=30, le=600)] = Field(default=60, title="Settling before the window, s")
    baseline_s: Annotated[int, Field(ge=5, le=120)] = Field(default=30, title="Idle power measured for, s")
    latency: bool = Field(
        default=False, title="Measure latencies per token", description="may disturb the energy, and the result says so"
    )

    sampling: Literal["deterministic", "standard", "creative", "factual"] | None = Field(
        default="deterministic", title="Sampling"
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(default=None, title="Temperature")
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(default=None, title="Top-p")
    top_k: Annotated[int, Field(ge=0, le=1_000)] | None = Field(default=None, title="Top-k")
    repetition_penalty: Annotated[float, Field(ge=0.5, le=2)] | None = Field(default=None, title="Repetition penalty")

    hardware: Slug | None = Field(default=None, title="GPU")
    gpu_count: Annotated[int, Field(ge=1, le=8)] = Field(default=1, title="GPUs")
    label: Label = Field(default="", title="Host with the label")
    wall_minutes: Annotated[int, Field(ge=5, le=MAX_WALL_S // 60)] | None = Field(
        default=None, title="Stopped after, minutes", description="left empty, three times the estimate"
    )

    transformers: TransformersOptions = TransformersOptions()
    vllm: VllmOptions = VllmOptions()
    tensorrt: TensorrtOptions = TensorrtOptions()

    @field_validator("model")
    @classmethod
    def _is_no_path(cls, value: str) -> str:
        if ".." in value or "--" in value:
            raise _wrong("model", "org/name, without .. or --")
        return value

    @field_validator("batch_sizes")
    @classmethod
    def _differ(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return distinct(values)

    @model_validator(mode="after")
    def _is_a_grid_that_can_be_run(self) -> Self:
        if len(self.axes()) > MAX_AXES:
            raise _wrong("sweep", f"at most {MAX_AXES} parameters can be varied at once")
        if self.cells > MAX_SWEEP_CELLS:
            raise _wrong("sweep", f"{self.cells} configurations are more than the {MAX_SWEEP_CELLS} of one job")
        return self

    @model_validator(mode="after")
    def _suits_its_engine(self) -> Self:
        for name in PRECISIONS:
            if name != self.engine and getattr(self, name).model_dump(exclude_none=True):
                raise _wrong("engine", f"settings of {name} do nothing with the engine {self.engine}")
        known = PRECISIONS[self.engine]
        for precision in self.sweep.precision or (self.precision,):
            if precision not in known:
                raise _wrong("precision", f"{self.engine} runs {', '.join(known)}, not {precision}")
            if precision == "fp8" and self.tensorrt.backend == "pytorch":
                raise _wrong("precision", "fp8 needs the backend trt")
        return self

    @model_validator(mode="after")
    def _divides_its_gpus(self) -> Self:
        stages = self.vllm.pipeline_parallel_size or 1
        if self.gpu_count % stages:
            raise _wrong("gpus", f"{stages} pipeline stages do not divide {self.gpu_count} GPUs")
        return self

    def axes(self) -> dict[str, tuple[Any, ...]]:
        """parameter -> its values, of those that are varied; the batch size first."""
        swept = self.sweep.axes()
        return {"batch_size": self.batch_sizes, **swept} if len(self.batch_sizes) > 1 else swept

    def each(self) -> Iterator[LlemOrder]:
        """The configurations of the grid, each as an order of its own that varies nothing."""
        axes = self.axes()
        for values in itertools.product(*axes.values()):
            chosen: dict[str, Any] = dict(zip(axes, values, strict=True))
            batch_size = chosen.pop("batch_size", self.batch_sizes[0])
            yield self.model_copy(update={"batch_sizes": (batch_size,), "sweep": Sweep(), **chosen})

    @property
    def cells(self) -> int:
        """How many configurations there are; each is run once a cycle."""
        cells = 1
        for values in self.axes().values():
            cells *= len(values)
        return cells

    @property
    def runs(self) -> int:
        return self.cells * self.n_cycles

    def stored(self) -> dict[str, Any]:
        """As a job keeps it: JSON, without what is as it always is."""
        always = {"model", "engine", "precision", "batch_sizes"}
        told = self.model_dump(mode="json", exclude_defaults=True)
        return {**{name: self.model_dump(mode="json")[name] for name in sorted(always)}, **told}


def errors_of(error: ValidationError) -> dict[str, str]:
    """dotted field -> what is wrong with it, in a few words; "" is the order as a whole."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False):
        place = ".".join(str(step) for step in problem["loc"] if step != "function-after")
        if problem["type"] == "extra_forbidden":
            words = "there is no such field"
        elif problem["type"] == "string_pattern_mismatch":
            words = _FORMS.get(place, "not in the form that is asked for")
        elif problem["type"] in ("int_type", "int_from_float", "int_parsing"):
            words = "whole numbers only"
        else:
            words = problem["msg"].replace("Input should be", "must be")
            words = words[:1].lower() + words[1:]
        found.setdefault(place or _PLACES.get(problem["type"], ""), words)
    return found


def sentence(words: str) -> str:
    """Words of a machine as a sentence; one that begins with a field's name keeps it as it is."""
    first = words.partition(" ")[0]
    begun = words if "_" in first else words[:1].upper() + words[1:]
    return begun if begun.endswith((".", "?", "!")) else f"{begun}."


#: field -> how it is written
_FORMS = {
    "model": "written as org/name, such as Qwen/Qwen2.5-7B-Instruct",
    "hardware": "the GPU's name in the catalogue's addresses, such as h100-sxm",
    "label": "one word of letters, digits, dots, dashes and underscores",
}
#: errors of the order as a whole, and the field that they are shown at
_PLACES = {"sweep": "batch_sizes", "engine": "engine", "precision": "precision", "gpus": "gpu_count"}
