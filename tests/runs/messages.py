"""Bodies of the live contract, with only the fields that matter to a test."""

from __future__ import annotations

from typing import Any

TS = "2026-05-01T12:00:00.000Z"


def progress(**fields: Any) -> dict[str, Any]:
    return {
        "runId": "run-1",
        "ts": TS,
        "gpuId": "gpu-0",
        "model": "llama",
        "useCase": "code-review",
        "tokenPerSec": 42.5,
        "latencyMs": 23.0,
        "vramUsedMB": 41000,
        "evalProgressIdx": 3,
        "evalTotal": 12,
        **fields,
    }


def score(**fields: Any) -> dict[str, Any]:
    return {
        "runId": "run-1",
        "model": "llama",
        "useCase": "code-review",
        "testCaseId": "case-1",
        "composite": 0.8,
        "dimensions": {"correctness": 0.9, "completeness": 0.8, "formatQuality": 1, "conciseness": 0.5},
        "tokPerSec": 40.0,
        **fields,
    }


def run(**fields: Any) -> dict[str, Any]:
    return {
        "id": "run-1",
        "startedAt": TS,
        "endedAt": None,
        "label": "Nightly",
        "gpus": [{"name": "gpu-0", "type": "A100", "vramGB": 80, "costPerHour": 1.29}],
        "models": ["llama"],
        **fields,
    }
