"""Results of vLLM's `bench serve` (before 0.9: benchmark_serving.py), one JSON object per run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from leaderboard.importers.base import Document, Measurement, Sides
from leaderboard.importers.draft import NAIVE_TIME, Draft
from leaderboard.importers.fields import Fields
from leaderboard.importers.serving import (
    UNLIMITED,
    ask_from_outside,
    load_identity,
    rate_or_unlimited,
    read_latency,
    read_requests,
)

TOOL = "vllm bench serve"
_DATE = "%Y%m%d-%H%M%S"
_FAMILIES = {"ttft": "ttft", "tpot": "tpot", "itl": "itl", "e2e": "e2el"}
_PARTS = {"mean": "mean", "p50": "median", "p90": "p90", "p95": "p95", "p99": "p99"}
#: `backend` names the protocol of the client; of these, the server is known by it
_ENGINES = {
    "vllm": "vllm",
    "vllm-chat": "vllm",
    "tgi": "tgi",
    "sglang": "sglang",
    "sglang-oai": "sglang",
    "tensorrt-llm": "tensorrt-llm",
    "lmdeploy": "lmdeploy",
    "deepspeed-mii": "deepspeed-mii",
    "llama.cpp": "llama.cpp",
}
#: settings worth keeping; the raw values of every request are not
_SETTINGS = (
    "backend", "endpoint_type", "label", "tokenizer_id", "num_prompts", "request_rate", "burstiness",
    "max_concurrency", "ramp_up_strategy", "ramp_up_start_rps", "ramp_up_end_rps",
)  # fmt: skip


class VllmBench:
    """One run against a server. Arrays of `--save-detailed` are not read."""

    shapes = ("vllm_bench",)

    def detect(self, keys: frozenset[str]) -> str | None:
        signs = {"model_id", "request_throughput", "completed", "total_input_tokens"}
        return "vllm_bench" if signs <= keys else None

    def read(self, document: Document, _sides: Sides) -> Sequence[Measurement]:
        result = Fields(document.data, document.path)
        if "total_output_tokens" not in result.data:
            raise result.refuse("total_output_tokens", "is missing: runs of embedding and ranking models are not read")
        draft = Draft(document.path)
        draft.computed("tool", TOOL, "The shape of the file is this tool's.")
        draft.missing("tool_version", "The tool does not write its version into the file.")
        draft.given("model", result.text("model_id"), "The name under which the server offers the model.")
        _read_engine(draft, result)
        _read_load(draft, result)
        _read_figures(draft, result)
        for family, word in _FAMILIES.items():
            read_latency(draft, family, {part: result.number(f"{name}_{word}_ms") for part, name in _PARTS.items()})
        ask_from_outside(draft)
        config = {name: result.raw(name) for name in _SETTINGS if name in result.data}
        return [Measurement(draft.finish(identity=load_identity(draft), config=config), "vllm_bench")]


def _read_engine(draft: Draft, result: Fields) -> None:
    protocol = result.text("backend", limit=80) or result.text("endpoint_type", limit=80)
    draft.given("backend", _ENGINES.get(protocol or ""), "The protocol that the client spoke, after its engine.")
    if protocol:
        draft.missing("backend", f"The client spoke {protocol!r}, which several engines do; please state the engine.")
    if any(name.startswith("spec_decode_") for name in result.data):
        draft.computed("speculative_decoding", True, "The file counts accepted draft tokens.")


def _read_load(draft: Draft, result: Fields) -> None:
    draft.given("concurrency", result.small("max_concurrency"))
    draft.missing("concurrency", "The client set no limit; please state how many sequences the engine ran together.")
    draft.given("request_rate_per_s", rate_or_unlimited(result, "request_rate"))
    if str(result.raw("request_rate")).lower() in UNLIMITED:
        draft.missing("request_rate_per_s", "All requests were sent at once, or as fast as the concurrency allowed.")
    answered, failed = result.count("completed"), result.count("failed")
    asked = result.count("num_prompts")
    if failed is None and asked is not None and answered is not None and asked >= answered:
        failed = asked - answered
    read_requests(draft, result, answered=answered, failed=failed)


def _read_figures(draft: Draft, result: Fields) -> None:
    draft.given("output_tokens", result.tokens("total_output_tokens"))
    draft.given("input_tokens", result.count("total_input_tokens"))
    draft.given("duration_s", result.measured("duration"))
    draft.given("throughput_tokens_per_s", result.measured("output_throughput"))
    draft.given("total_throughput_tokens_per_s", result.measured("total_token_throughput"))
    draft.given("requests_per_s", result.measured("request_throughput"))
    ended = _date(result)
    draft.given("ended_at", ended, NAIVE_TIME)
    duration = draft.number("duration_s")
    if ended and duration and duration < (ended - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds():
        note = f"The file's date is that of the end: less the duration. {NAIVE_TIME}"
        draft.computed("started_at", ended - timedelta(seconds=duration), note)


def _date(result: Fields) -> datetime | None:
    text = result.text("date", limit=40)
    if text is None:
        return None
    try:
        return datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    except ValueError:
        raise result.refuse("date", f"is {text!r}, but must be like 20260314-093000") from None
