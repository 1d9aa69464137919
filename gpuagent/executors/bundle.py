"""Writes results as llenergymeasure 0.7.0 does: a study folder with manifest.json, in it a bundle of each run."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gpuagent.executors import plausible
from gpuagent.executors.plausible import Figures

TOOL_VERSION = "0.7.0"
BUNDLE_VERSION = "2.0"
NOTICE = "Simulated: no GPU took part, and every figure in this file is made up."
_HASH_LENGTH = 16
#: what a wattmeter and NVML may differ by
_METER = 1.004


def config_hash(cell: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(cell, sort_keys=True).encode()).hexdigest()[:_HASH_LENGTH]


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_text(json.dumps(content, indent=2))
    scratch.replace(path)


def now_text() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Study:
    """The folder of one study; its manifest always says how far it has come."""

    def __init__(self, out: Path, name: str, runs: list[tuple[dict[str, Any], int]]) -> None:
        self.folder = out / f"{name}_{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
        self._is_single = len(runs) == 1
        self._manifest: dict[str, Any] = {
            "schema_version": "2.0",
            "study_name": name,
            "study_design_hash": "" if self._is_single else config_hash({"runs": [cell for cell, _ in runs]}),
            "llenergymeasure_version": TOOL_VERSION,
            "started_at": now_text(),
            "completed_at": None,
            "status": "running",
            "total_experiments": len(runs),
            "experiments": [_entry(cell, cycle) for cell, cycle in runs],
        }
        self.save()

    def bundle_folder(self, place: int) -> Path:
        entry = self._manifest["experiments"][place]
        cell_name = entry["config_summary"].split(" / ")
        model, engine = cell_name[0].rpartition("/")[2], cell_name[1]
        number = "" if self._is_single else f"{place + 1:03d}_"
        return self.folder / f"{number}c{entry['cycle']}_{model}-{engine}_{entry['config_hash'][:8]}"

    def begin(self, place: int) -> None:
        self._manifest["experiments"][place].update(status="running", started_at=now_text())
        self.save()

    def complete(self, place: int, result: Mapping[str, Any]) -> None:
        self._manifest["experiments"][place].update(
            status="completed",
            completed_at=now_text(),
            result_file=f"{self.bundle_folder(place).name}/result.json",
            elapsed_seconds=result["total_inference_time_sec"],
            inference_seconds=result["total_inference_time_sec"],
            energy_joules=result["total_energy_j"],
            adj_energy_joules=result["energy_adjusted_j"],
            throughput_tok_s=result["avg_tokens_per_second"],
            energy_per_token_mj=result["energy_per_token_mj_adjusted"],
        )
        self.save()

    def fail(self, place: int, kind: str, message: str) -> None:
        self._manifest["experiments"][place].update(
            status="failed", completed_at=now_text(), error_type=kind, error_message=message
        )
        self.save()

    def end(self, status: str) -> None:
        for entry in self._manifest["experiments"]:
            if status == "interrupted" and entry["status"] == "running":
                entry["status"] = "interrupted"
        self._manifest.update(status=status, completed_at=now_text())
        self.save()

    def save(self) -> None:
        states = [entry["status"] for entry in self._manifest["experiments"]]
        counted = ("completed", "failed", "pending", "skipped", "interrupted")
        self._manifest.update({state: states.count(state) for state in counted})
        write_json(self.folder / "manifest.json", self._manifest)


def _entry(cell: Mapping[str, Any], cycle: int) -> dict[str, Any]:
    empty = dict.fromkeys(
        (
            *("result_file", "log_file", "error_type", "error_message", "started_at", "completed_at"),
            *("elapsed_seconds", "inference_seconds", "energy_joules", "adj_energy_joules"),
            *("throughput_tok_s", "energy_per_token_mj"),
        )
    )
    summary = f"{cell['task']['model']} / {cell['engine']} / n_prompts={cell['task']['dataset']['n_prompts']}"
    return {
        "config_hash": config_hash(cell),
        "config_summary": summary,
        "cycle": cycle,
        "status": "pending",
        "resolved_config_hash": hashlib.sha256(json.dumps(cell, sort_keys=True).encode()).hexdigest(),
        **empty,
    }


def write_bundle(
    folder: Path, cell: Mapping[str, Any], run: Figures, *, gpus: int, began: datetime, lasted_s: float
) -> dict[str, Any]:
    """Write result.json, config.json and system.json of one run and return the result."""
    # Each window has its own identifier: the second of the start alone is not one.
    identity = {
        "bundle_version": BUNDLE_VERSION,
        "experiment_id": f"{cell['task']['model']}_{began:%Y%m%d_%H%M%S_%f}",
        "declared_config_hash": config_hash(cell),
    }
    result = _result(identity, cell, run, gpus=gpus, began=began, lasted_s=lasted_s)
    write_json(folder / "result.json", result)
    write_json(folder / "config.json", _config(identity, cell, lasted_s))
    write_json(folder / "system.json", _system(identity, began))
    return result


def _result(
    identity: Mapping[str, Any], cell: Mapping[str, Any], run: Figures, *, gpus: int, began: datetime, lasted_s: float
) -> dict[str, Any]:
    each_j = run.power_w * lasted_s * _METER
    energy_j = each_j * gpus
    adjusted_j = energy_j - plausible.IDLE_W * gpus * lasted_s
    tokens = run.input_tokens + run.output_tokens
    return {
        **identity,
        "llenergymeasure_version": TOOL_VERSION,
        "serving_mode": "offline",
        "engine": cell["engine"],
        "model_name": cell["task"]["model"],
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "total_tokens": tokens,
        "total_energy_j": energy_j,
        "total_inference_time_sec": lasted_s,
        "avg_tokens_per_second": tokens / lasted_s,
        "avg_energy_per_token_j": energy_j / run.output_tokens,
        "energy_per_token_mj_adjusted": 1000 * adjusted_j / run.output_tokens,
        "energy_per_token_mj_total": 1000 * energy_j / run.output_tokens,
        "total_flops": run.flops_per_token * tokens,
        "flops_per_output_token": run.flops_per_token,
        "flops_per_input_token": run.flops_per_token,
        "flops_per_second": run.flops_per_token * tokens / lasted_s,
        "energy_adjusted_j": adjusted_j,
        "energy_per_device_j": [each_j] * gpus,
        "energy_breakdown": {
            "raw_j": energy_j,
            "adjusted_j": adjusted_j,
            "baseline_power_w": plausible.IDLE_W * gpus,
            "baseline_method": "fresh",
            "baseline_timestamp": f"{began - timedelta(seconds=30):%Y-%m-%dT%H:%M:%S.%fZ}",
            "baseline_cache_age_sec": 30.0,
        },
        "multi_gpu": _multi_gpu(each_j, gpus, run) if gpus > 1 else None,
        "measurement_warnings": [NOTICE],
        "warmup_excluded_samples": 6,
        "model_load_time_sec": round(run.weights_mib / 4000, 3),
        "reproducibility_notes": NOTICE,
        "timeseries": None,
        "start_time": f"{began:%Y-%m-%dT%H:%M:%S.%f}",
        "end_time": f"{began + timedelta(seconds=lasted_s):%Y-%m-%dT%H:%M:%S.%f}",
        "latency_stats": _latencies(run),
        "extended_metrics": _extended(run, lasted_s),
    }


def _multi_gpu(each_j: float, gpus: int, run: Figures) -> dict[str, Any]:
    return {
        "num_gpus": gpus,
        "energy_per_gpu_j": [each_j] * gpus,
        "energy_total_j": each_j * gpus,
        "energy_per_output_token_j": each_j * gpus / run.output_tokens,
    }


def _latencies(run: Figures) -> dict[str, Any]:
    found: dict[str, Any] = {"measurement_mode": "true_streaming"}
    for metric, centre, samples in (("ttft", run.ttft_ms, run.requests), ("itl", run.itl_ms, run.output_tokens)):
        shares = {"mean": 1.0, "median": 0.99, "p95": 1.12, "p99": 1.21}
        found |= {f"{metric}_{word}_ms": centre * share for word, share in shares.items()}
        found[f"{metric}_samples"] = samples
    return found | {"ttft_min_ms": run.ttft_ms * 0.85, "ttft_max_ms": run.ttft_ms * 1.3}


def _extended(run: Figures, lasted_s: float) -> dict[str, Any]:
    return {
        "tpot_ms": run.itl_ms,
        "memory": {
            "total_vram_mb": float(plausible.GPU_MEMORY_MIB),
            "model_memory_mb": run.weights_mib,
            "peak_memory_mb": run.peak_mib,
            "inference_memory_mb": run.peak_mib - run.weights_mib,
        },
        "gpu_utilisation": {
            "sm_utilisation_mean": float(run.util),
            "sm_utilisation_samples": max(1, round(lasted_s * 10)),
        },
        "batch": {"effective_batch_size": float(run.batch_size), "batch_utilisation": 1.0},
    }


def _config(identity: Mapping[str, Any], cell: Mapping[str, Any], lasted_s: float) -> dict[str, Any]:
    return {
        **identity,
        "engine": cell["engine"],
        "engine_version": "0.0.0+simulated",
        "model_name": cell["task"]["model"],
        "measurement_methodology": "total",
        "steady_state_not_detected": False,
        "steady_state_window": [0.0, lasted_s],
        "declared_config": cell,
    }


def _system(identity: Mapping[str, Any], began: datetime) -> dict[str, Any]:
    return {
        **identity,
        "hardware": {
            "gpu": {
                "name": plausible.GPU_NAME,
                "vram_total_mb": float(plausible.GPU_MEMORY_MIB),
                "compute_capability": "8.0",
            },
            "thermal": {"power_limit_w": plausible.POWER_LIMIT_W, "default_power_limit_w": plausible.POWER_LIMIT_W},
            "collected_at": f"{began:%Y-%m-%d %H:%M:%S}",
        },
        "python_version": sys.version.partition(" ")[0],
        "tool_version": TOOL_VERSION,
        "simulated": True,
    }
