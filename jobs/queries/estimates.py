"""What the catalogue and the leaderboard know of an order before it is run."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import User
from accounts.services.preferences import preferences_of
from jobs.config import LlemOrder
from jobs.estimating import Board, Facts, Measured
from jobs.models import Agent
from leaderboard.board import DEFAULT_PUE
from leaderboard.checks.limits import COMPUTE_PEAKS
from leaderboard.models import Hardware, LanguageModel, Result

#: the site's slugs of the engines of llem
BACKENDS = {"transformers": "transformers", "vllm": "vllm", "tensorrt": "tensorrt-llm"}
#: stands in where nobody chose a GPU and no host is there
FALLBACK = "a100-sxm-80"
MAX_MEASURED = 200


def facts_of(order: LlemOrder, model: LanguageModel, hosts: Sequence[Agent], reader: User | None) -> Facts:
    hardware, reason = _hardware(order, hosts)
    preferences = preferences_of(reader) if reader else None
    pue = preferences.pue if preferences and preferences.pue is not None else DEFAULT_PUE
    return Facts(
        total_b=model.parameters_total_b,
        active_b=model.parameters_active_b or model.parameters_total_b,
        board=None if hardware is None else _board(hardware, order.precision, reason),
        measured=() if hardware is None else _measured(order, model, hardware),
        co2_g_per_kwh=preferences.co2_g_per_kwh if preferences else None,
        pue=pue,
    )


def _hardware(order: LlemOrder, hosts: Sequence[Agent]) -> tuple[Hardware | None, str]:
    """The GPU that was chosen, else that of a host which would run it, else a common one; and why."""
    if order.hardware:
        return Hardware.objects.filter(slug=order.hardware).first(), ""
    for agent in hosts:
        for gpu in agent.gpus.all():
            if gpu.hardware is not None:
                return gpu.hardware, f"the GPU of {agent.name}"
    return Hardware.objects.filter(slug=FALLBACK).first(), "as no GPU is chosen and no host that fits is there"


def _board(hardware: Hardware, precision: str, reason: str) -> Board:
    peaks = [
        factor * peak
        for name, factor in COMPUTE_PEAKS.get(precision, ())
        if (peak := getattr(hardware, f"{name}_dense_tflops", None)) is not None
    ]
    return Board(
        name=hardware.name,
        memory_gb=hardware.memory_gb,
        bandwidth_gb_per_s=hardware.bandwidth_gb_per_s,
        dense_tflops=max(peaks, default=None),
        tdp_w=hardware.tdp_w,
        usd_per_gpu_hour=hardware.usd_per_gpu_hour,
        reason=reason,
    )


def _measured(order: LlemOrder, model: LanguageModel, hardware: Hardware) -> tuple[Measured, ...]:
    rows = Result.objects.ranked().filter(
        model=model,
        hardware=hardware,
        gpu_count=order.gpu_count,
        backend__slug=BACKENDS[order.engine],
        batch_size__gt=0,
        throughput_tokens_per_s__gt=0,
    )
    found = rows.order_by("-trust", "-created_at").values_list(
        "precision", "batch_size", "throughput_tokens_per_s", "avg_power_w"
    )
    return tuple(
        Measured(precision, batch_size, rate, power_w)
        for precision, batch_size, rate, power_w in found[:MAX_MEASURED]
        if batch_size and rate
    )
