"""Small samples of every shape, so that importer tests hold without the shared data folder."""

import copy
import hashlib
import json

from lemsite.lib.archives import Entry
from tests.leaderboard.importers import load_samples, power_samples

GPU = "NVIDIA A100-PCIE-40GB"


def entry(data, path="result.json"):
    return Entry(path, json.dumps(data).encode())


def config_hash(config):
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def changed(data, **changes):
    """A deep copy with dotted names set, such as effective_config__n=3."""
    found = copy.deepcopy(data)
    for name, value in changes.items():
        *steps, last = name.split("__")
        place = found
        for step in steps:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    return found


def effective_config(**changes):
    config = {
        "model": "gpt2",
        "backend": "pytorch",
        "n": 5,
        "dataset": "aienergyscore",
        "precision": "bf16",
        "max_input_tokens": 512,
        "max_output_tokens": 128,
        "energy": {"backend": "auto"},
        "pytorch": None,
        "vllm": None,
        "tensorrt": None,
        "output_dir": "/tmp/pytest-of-root/run0",
    }
    return config | changes


def environment(**changes):
    return {
        "hardware": {
            "gpu": {"name": GPU, "vram_total_mb": 40960.0},
            "cuda": {"version": "12.2", "driver_version": "535.261.03"},
            "thermal": {"power_limit_w": 250.0},
        },
        "python_version": "3.11.10",
        "tool_version": "0.8.0",
        "installed_packages": ["torch==2.5.1+cu124", "transformers==5.3.0"],
    } | changes


def result_2(config=None, **changes):
    config = config or effective_config()
    result = {
        "schema_version": "2.0",
        "experiment_id": "gpt2_20260313_142111",
        "measurement_config_hash": config_hash(config),
        "backend": config["backend"],
        "backend_version": None,
        "total_tokens": 1920,
        "total_energy_j": 228.03882500813023,
        "total_inference_time_sec": 4.294965875800699,
        "avg_tokens_per_second": 447.03498363466264,
        "avg_energy_per_token_j": 0.3563106640752035,
        "total_flops": 477848862720.0,
        "flops_per_output_token": 746638848.0,
        "flops_per_second": 111257895065.56113,
        "baseline_power_w": 35.94775694444444,
        "energy_adjusted_j": 68.95598090375523,
        "energy_per_device_j": None,
        "multi_gpu": None,
        "environment_snapshot": environment(),
        "measurement_warnings": ["short_measurement_duration: measurement < 10s"],
        "reproducibility_notes": "Energy measured via NVML polling. Accuracy +/-5%.",
        "start_time": "2026-03-13T14:21:11.145237",
        "end_time": "2026-03-13T14:21:15.570627",
        "effective_config": config,
        "process_results": [],
        "aggregation": {"method": "single_process", "num_processes": 1},
        "latency_stats": None,
        "extended_metrics": {"tpot_ms": None, "memory": {"peak_memory_mb": 263.11767578125}},
    }
    return result | changes


def result_3(**changes):
    result = result_2()
    for name in ("backend", "backend_version", "environment_snapshot", "effective_config"):
        del result[name]
    return result | {"schema_version": "3.0", "engine": "transformers", "model_name": "gpt2"} | changes


def result_5(**changes):
    result = {
        "schema_version": "5.0",
        "experiment_id": "gpt2_20260720_093000",
        "measurement_config_hash": "f055201785933212",
        "llenergymeasure_version": "0.6.0",
        "engine": "transformers",
        "model_name": "gpt2",
        "input_tokens": 10800,
        "output_tokens": 15360,
        "total_tokens": 26160,
        "total_energy_j": 15917.1,
        "total_inference_time_sec": 123.08,
        "avg_tokens_per_second": 212.54468638284044,
        "avg_energy_per_token_j": 1.03626953125,
        "total_flops": 6510690754560.0,
        "energy_per_device_j": [15917.1],
        "start_time": "2026-08-11T09:00:00",
        "end_time": "2026-08-11T09:02:03.080000",
        "reproducibility_notes": "Energy measured via NVML polling. Accuracy +/-5%.",
    }
    return result | changes


def environment_5(**changes):
    sides = {"experiment_id": "gpt2_20260720_093000", "measurement_config_hash": "f055201785933212"}
    return environment(tool_version="0.6.0") | sides | changes


def declared_config(**changes):
    return {
        "task": {
            "model": "gpt2",
            "dataset": {"source": "aienergyscore", "n_prompts": 60},
            "max_input_tokens": 256,
            "max_output_tokens": 256,
        },
        "engine": "transformers",
        "serving_mode": "offline",
        "measurement": {"energy_sampler": "zeus"},
        "transformers": {"engine_params": {"dtype": "bfloat16"}, "llem_execution": {"batch_size": 4}},
        "vllm": None,
        "server": None,
    } | changes


def bundle(declared=None, **changes):
    declared = declared or declared_config()
    result = {
        "bundle_version": "2.0",
        "experiment_id": "gpt2_20260810_093000",
        "declared_config_hash": config_hash(declared),
        "llenergymeasure_version": "0.7.0",
        "serving_mode": "offline",
        "engine": "transformers",
        "model_name": "gpt2",
        "input_tokens": 10800,
        "output_tokens": 15360,
        "total_tokens": 26160,
        "total_energy_j": 15917.0,
        "total_inference_time_sec": 123.0,
        "avg_tokens_per_second": 212.7,
        "avg_energy_per_token_j": 1.0363,
        "total_flops": 6510690754560.0,
        "energy_per_device_j": [15917.0],
        "energy_breakdown": {"raw_j": 15917.0, "adjusted_j": 9517.0, "baseline_power_w": 52.0},
        "start_time": "2026-08-10T09:30:00",
        "end_time": "2026-08-10T09:32:03",
        "latency_stats": {
            "ttft_mean_ms": 38.2,
            "ttft_median_ms": 37.9,
            "ttft_p95_ms": 46.1,
            "ttft_p99_ms": 49.4,
            "ttft_min_ms": 30.0,
            "ttft_max_ms": 51.0,
            "ttft_samples": 60,
            "itl_mean_ms": 7.4,
            "itl_median_ms": 7.4,
            "itl_p95_ms": 8.1,
            "itl_p99_ms": 8.4,
            "itl_samples": 400,
            "measurement_mode": "true_streaming",
        },
    }
    return result | changes


def config_side(declared=None, **changes):
    declared = declared or declared_config()
    return {
        "bundle_version": "2.0",
        "experiment_id": "gpt2_20260810_093000",
        "declared_config_hash": config_hash(declared),
        "engine": declared["engine"],
        "engine_version": "5.14.1",
        "model_name": "gpt2",
        "observed_config_hash": "a1ac0ca5",
        "declared_config": declared,
    } | changes


def system_side(declared=None, **changes):
    sides = {
        "bundle_version": "2.0",
        "experiment_id": "gpt2_20260810_093000",
        "declared_config_hash": config_hash(declared or declared_config()),
    }
    return environment(tool_version="0.7.0") | sides | changes


def bundle_entries(folder="", declared=None, **changes):
    where = f"{folder}/" if folder else ""
    return [
        entry(bundle(declared, **changes), f"{where}result.json"),
        entry(config_side(declared), f"{where}config.json"),
        entry(system_side(declared), f"{where}system.json"),
    ]


def server_declared():
    traffic = {"rate": 4.0, "concurrency_cap": 32, "slo": {"ttft_ms": 300.0}}
    return declared_config(
        engine="vllm",
        serving_mode="server",
        transformers=None,
        vllm={"engine_params": {"dtype": "bfloat16", "max_num_seqs": 64}},
        server={"traffic": traffic},
    )


def server_bundle(**changes):
    percentiles = {"p50_ms": 44.5, "p90_ms": 53.6, "p99_ms": 60.8, "samples": 938}
    result = bundle(
        server_declared(),
        serving_mode="server",
        engine="vllm",
        input_tokens=None,
        total_tokens=None,
        output_tokens=60116,
        total_energy_j=28320.0,
        total_inference_time_sec=240.0,
        avg_tokens_per_second=250.48333333333332,
        avg_energy_per_token_j=0.47108922749351256,
        latency_stats=None,
        server_metrics={
            "request_throughput_req_s": 3.9,
            "completed_count": 938,
            "error_count": 10,
            "timeout_count": 0,
            "completion_rate": 0.9894,
            "ttft": percentiles,
            "tpot": percentiles,
            "itl": percentiles,
            "e2e": percentiles,
        },
        server={
            "level_index": 0,
            "window_index": 0,
            "level_window_count": 3,
            "level_valid": False,
            "invalid_reason": "J/token drifted",
            "pre_window_protocol": "composite warmup",
            "attribution_policy": "span-clipped",
        },
    )
    return result | changes


def process(index=0, **changes):
    found = {
        "schema_version": "2.0.0",
        "experiment_id": "0007",
        "process_index": index,
        "gpu_id": index,
        "gpu_name": GPU,
        "model_name": "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "timestamps": {"start": "2025-12-29T10:00:00", "end": "2025-12-29T10:01:00.500000", "duration_sec": 60.5},
        "inference_metrics": {
            "total_tokens": 19200,
            "input_tokens": 6400,
            "output_tokens": 12800,
            "inference_time_sec": 60.5,
        },
        "energy_metrics": {
            "total_energy_j": 11180.0,
            "gpu_energy_j": 9982.5,
            "cpu_energy_j": 998.25,
            "ram_energy_j": 199.65,
        },
        "compute_metrics": {"flops_per_second": 7e11, "peak_memory_mb": 4100.0, "compute_precision": "float16"},
        "energy_breakdown": {"baseline_power_w": 52.0},
    }
    return found | changes


def aggregated(processes=2, **changes):
    result = {
        "schema_version": "2.0.0",
        "experiment_id": "0007",
        "aggregation": {"method": "sum_energy_avg_throughput", "num_processes": processes, "warnings": []},
        "total_tokens": 19200 * processes,
        "total_energy_j": 11180.0 * processes,
        "total_inference_time_sec": 60.5 * processes,
        "avg_tokens_per_second": 317.0,
        "avg_energy_per_token_j": 0.58,
        "total_flops": 8.4e13,
        "process_results": [process(index) for index in range(processes)],
        "start_time": "2025-12-29T10:00:00",
        "end_time": "2025-12-29T10:01:04",
    }
    return result | changes


def multi_cycle(energies=(11000.0, 11200.0, 11400.0), **changes):
    cycles = [
        aggregated(
            1,
            experiment_id=f"0009_c{number}",
            total_energy_j=energy,
            start_time=f"2025-12-29T10:0{number}:00",
            end_time=f"2025-12-29T10:0{number + 1}:00",
        )
        for number, energy in enumerate(energies)
    ]
    return {
        "schema_version": "3.0.0",
        "experiment_id": "0009",
        "backend": "pytorch",
        "num_cycles": len(cycles),
        "statistics": {
            "energy_mean_j": 11200.0,
            "energy_std_j": 200.0,
            "energy_cv": 0.0179,
            "throughput_mean_tps": 320.0,
        },
        "cycle_results": cycles,
        "effective_config": {"model_name": "TinyLlama/TinyLlama-1.1B-Chat-v1.0"},
    } | changes


def manifest(results, **changes):
    """`results` are (path, config hash) pairs."""
    return {
        "schema_version": "2.0",
        "study_name": "my-study",
        "study_design_hash": "0b2fc77124d6ed7a",
        "llenergymeasure_version": "0.8.0",
        "started_at": "2026-11-21T05:06:27.310537Z",
        "total_experiments": len(results),
        "experiments": [
            {"config_hash": name, "cycle": cycle, "status": "completed", "result_file": path}
            for cycle, (path, name) in enumerate(results, start=1)
        ],
    } | changes


def study_result(experiments, **changes):
    return {
        "experiments": experiments,
        "name": "my-study",
        "study_design_hash": "0b2fc77124d6ed7a",
        "measurement_protocol": {"n_cycles": len(experiments)},
        "result_files": [],
        "summary": {},
    } | changes


def cycles_of_result_2(energies=(220.0, 230.0, 240.0)):
    return [
        result_2(
            total_energy_j=energy, start_time=f"2026-03-13T14:2{number}:00", end_time=f"2026-03-13T14:2{number}:05"
        )
        for number, energy in enumerate(energies)
    ]


def normal(**changes):
    return {
        "model": "meta-llama/Llama-3.1-8B",
        "hardware": "H100-SXM",
        "gpu_count": 1,
        "backend": "vllm",
        "precision": "fp16",
        "batch_size": 32,
        "output_tokens": 100000,
        "duration_s": 50.0,
        "total_energy_j": 25000.0,
        "energy_scope": "gpu",
        "started_at": "2026-05-01T12:00:00Z",
    } | changes


#: every shape by its name, as the entries of an upload
ALL = {
    "aggregated_v1": lambda: [entry(aggregated())],
    "multi_cycle_v1": lambda: [entry(multi_cycle())],
    "raw_process_v1": lambda: [entry(process(effective_config={"pytorch": {"num_processes": 1, "batch_size": 8}}))],
    "result_2": lambda: [entry(result_2())],
    "result_3": lambda: [entry(result_3())],
    "result_5": lambda: [entry(result_5()), entry(environment_5(), "environment.json")],
    "bundle_2": bundle_entries,
    "study_manifest": lambda: [
        entry(manifest([("a/result.json", result_2()["measurement_config_hash"])]), "manifest.json"),
        entry(result_2(), "a/result.json"),
    ],
    "study_result": lambda: [entry(study_result(cycles_of_result_2()))],
    "aiperf": lambda: [entry(power_samples.aiperf_later())],
    "ml_energy_v2": lambda: [entry(power_samples.ml_energy_v2())],
    "ml_energy_v3": lambda: [entry(power_samples.ml_energy_model())],
    "ml_energy_run": lambda: [entry(power_samples.ml_energy_run())],
    "localscore": lambda: [entry(power_samples.localscore())],
    "optimum_benchmark": lambda: [entry(power_samples.optimum())],
    "optimum_report": power_samples.optimum_entries,
    "vllm_bench": lambda: [entry(load_samples.vllm_bench())],
    "guidellm_1": lambda: [entry(load_samples.guidellm_1())],
    "guidellm_2": lambda: [entry(load_samples.guidellm_2())],
    "inference_perf": lambda: [entry(load_samples.inference_perf())],
    "llm_d_1": lambda: [entry(load_samples.llm_d_1())],
    "llm_d_2": lambda: [entry(load_samples.llm_d_2())],
    "normal": lambda: [entry(normal())],
    "normal_csv": lambda: [Entry("table.csv", b"model,hardware,output_tokens,total_energy_j\ngpt2,A100,640,228.0\n")],
}
