"""Small samples of the tools that measure energy too: AIPerf, ML.ENERGY, LocalScore and optimum-benchmark.

Names and layouts are those of the tools' real files; the figures agree with each other and are nobody's measurement.
"""

import json
import sqlite3
from contextlib import closing

from lemsite.lib.archives import Entry

SECOND = 10**9
START = 1_762_551_534 * SECOND
RTX = "NVIDIA RTX 6000 Ada Generation"
UUID = "GPU-ef6ef310-f8e2-cef9-036e-8f12d59b5ffc"
OTHER_UUID = "GPU-11111111-2222-3333-4444-555555555555"
DCGM = "http://localhost:9400/metrics"
SECOND_DCGM = "http://localhost:9402/metrics"


def entry(data, path="result.json"):
    return Entry(path, json.dumps(data).encode())


# AIPerf


def metric(unit, avg, **more):
    return {"unit": unit, "avg": avg, **more}


def spread(unit, value):
    """A metric with percentiles that rise."""
    parts = ("p50", 1.0), ("p90", 1.1), ("p95", 1.2), ("p99", 1.3)
    return {"unit": unit, "avg": value, "min": value * 0.9, "max": value * 1.4} | {n: value * f for n, f in parts}


def gpu(uuid=UUID, **changes):
    return {
        "gpu_index": 0,
        "gpu_name": RTX,
        "gpu_uuid": uuid,
        "hostname": "node17",
        "metrics": {
            "gpu_power_usage": spread("W", 100.0),
            "power_management_limit": metric("W", 300.0),
            "energy_consumption": metric("MJ", 32.601, min=32.6, max=32.602),
            "gpu_memory_used": metric("GB", 49.5, max=49.6),
        },
    } | changes


def aiperf(**changes):
    """20 s, 10 requests of 100 + 200 tokens, one GPU that two exporters list."""
    return {
        "request_throughput": metric("requests/sec", 0.5),
        "request_latency": spread("ms", 3652.0),
        "request_count": metric("requests", 10.0),
        "time_to_first_token": spread("ms", 30.0),
        "inter_token_latency": spread("ms", 18.2),
        "inter_chunk_latency": spread("ms", 18.2),
        "output_token_throughput": metric("tokens/sec", 100.0),
        "output_token_throughput_per_user": spread("tokens/sec/user", 55.0),
        "input_sequence_length": spread("tokens", 100.0),
        "min_request_timestamp": metric("ns", float(START)),
        "max_response_timestamp": metric("ns", float(START + 20 * SECOND)),
        "benchmark_duration": metric("sec", 20.0),
        "total_isl": metric("tokens", 1000.0),
        "total_osl": metric("tokens", 2000.0),
        "error_request_count": None,
        "telemetry_data": {
            "summary": {"endpoints_successful": [DCGM, SECOND_DCGM]},
            "endpoints": {"localhost:9400": {"gpus": {"gpu_0": gpu()}}, "localhost:9402": {"gpus": {"gpu_0": gpu()}}},
        },
        "input_config": {
            "endpoint": {"model_names": ["Qwen/Qwen3-0.6B"], "url": "localhost:8000", "api_key": "a-very-secret-word"},
            "input": {"extra": [["min_tokens", 200], ["api_key", "another-secret-word"]]},
            "loadgen": {"concurrency": 2, "request_count": 10},
            "cli_command": 'aiperf profile --model "Qwen/Qwen3-0.6B" --api-key "third-secret-word" --concurrency 2',
        },
        "was_cancelled": False,
        "error_summary": [],
        "start_time": "2025-11-07T13:38:54.000000",
        "end_time": "2025-11-07T13:39:14.000000",
    } | changes


def aiperf_later(**changes):
    """The layout since schema 1.3: the tool's version, models and phases, its own total, no time stamps in ns."""
    without = ("min_request_timestamp", "max_response_timestamp", "error_request_count")
    data = {name: value for name, value in aiperf().items() if name not in without}
    data |= {
        "schema_version": "1.3",
        "aiperf_version": "0.10.0",
        "benchmark_id": "b504c61e9d17",
        "nvidia_total_gpu_energy": metric("J", 2000.0),
        "telemetry_data": {
            "summary": {"endpoints_successful": [DCGM]},
            "endpoints": {"localhost:9400": {"gpus": {"gpu_0": gpu()}}},
        },
        "input_config": {
            "models": {"items": [{"name": "qwen3-0.6b"}]},
            "endpoint": {"urls": ["http://localhost:8000"], "type": "chat", "streaming": True},
            "datasets": [{"name": "main", "type": "public", "dataset": "sharegpt"}],
            "phases": [
                {"name": "warmup", "exclude_from_results": True, "concurrency": 16},
                {"name": "profiling", "requests": 10, "concurrency": 2},
            ],
        },
    }
    return data | changes


def reading(second, *, uuid=UUID, source=DCGM, watts=100.0, start=32.6, **changes):
    """The state at `second` after the start of the run, of a GPU that draws `watts` all the time."""
    return {
        "timestamp_ns": START + round(second * SECOND),
        "dcgm_url": source,
        "gpu_index": 0,
        "gpu_uuid": uuid,
        "gpu_model_name": RTX,
        "hostname": "node17",
        "telemetry_data": {"gpu_power_usage": watts, "energy_consumption": start + watts * (second + 10) / 1e6},
    } | changes


def readings(first=-2, last=22, **changes):
    return [reading(second, **changes) for second in range(first, last + 1)]


def telemetry(rows, path="gpu_telemetry_export.jsonl"):
    return Entry(path, b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def aiperf_entries(rows=None, **changes):
    both = [*readings(), *readings(source=SECOND_DCGM)]
    return [entry(aiperf(**changes), "profile_export_aiperf.json"), telemetry(both if rows is None else rows)]


# ML.ENERGY


def ml_energy_v2(**changes):
    return {
        "Model": "google/gemma-2-27b-it",
        "GPU": "NVIDIA H100 80GB HBM3",
        "TP": 2,
        "PP": 1,
        "Energy/req (J)": 240.0,
        "Avg TPOT (s)": 0.064,
        "Token tput (tok/s)": 1000.0,
        "Avg Output Tokens": 400.0,
        "Avg BS (reqs)": 62.5,
        "Max BS (reqs)": 64,
    } | changes


def ml_energy_row(**changes):
    """One configuration of a task's file of the third leaderboard."""
    return {
        "avg_batch_size": 15.9,
        "avg_output_len": 600.0,
        "avg_power_watts": 1200.0,
        "data_parallel": 1,
        "energy_per_request_joules": 240.0,
        "energy_per_token_joules": 0.4,
        "expert_parallel": 1,
        "gpu_model": "B200",
        "max_num_seqs": 16,
        "median_itl_ms": 5.0,
        "p90_itl_ms": 7.0,
        "p95_itl_ms": 8.0,
        "p99_itl_ms": 16.0,
        "model_id": "Qwen/Qwen3-14B",
        "num_gpus": 2,
        "output_throughput_tokens_per_sec": 3000.0,
        "tensor_parallel": 2,
        "weight_precision": "bfloat16",
    } | changes


def ml_energy_model(**changes):
    """A model's file of the third leaderboard: what all rows share is beside their list."""
    row = ml_energy_row(parallelization={"data_parallel": 1, "expert_parallel": 1, "tensor_parallel": 2})
    for name in ("model_id", "weight_precision", "tensor_parallel", "data_parallel", "expert_parallel"):
        del row[name]
    return {
        "model_id": "Qwen/Qwen3-14B",
        "task": "lm-arena-chat",
        "weight_precision": "fp8",
        "configurations": [row, row | {"max_num_seqs": 32, "avg_batch_size": 31.0}],
    } | changes


def ml_energy_run(**changes):
    """results.json of the benchmark itself, less its records of single requests."""
    return {
        "date": "20260314-093000",
        "model_id": "Qwen/Qwen3-14B",
        "num_prompts": 1024,
        "completed": 1024,
        "gpu_model": "B200",
        "num_gpus": 1,
        "max_num_seqs": 16,
        "request_rate": "inf",
        "max_concurrency": 64,
        "max_output_tokens": "dataset",
        "duration": 120.0,
        "steady_state_duration": 100.0,
        "steady_state_energy": 70_000.0,
        "steady_state_energy_per_token": 0.7,
        "total_input_tokens": 100_000,
        "total_output_tokens": 110_000,
        "request_throughput": 8.5,
        "output_throughput": 916.7,
        "mean_ttft_ms": 500.0,
        "median_ttft_ms": 450.0,
        "mean_itl_ms": 15.0,
        "median_itl_ms": 14.0,
        "p99_itl_ms": 30.0,
        "results": [{"prompt": "What is love?", "output_len": 100, "success": True}],
    } | changes


# LocalScore


def localscore_test(n_prompt=1024, n_gen=16, **changes):
    """4,000 prompt tokens and 100 generated tokens a second, at 300 W."""
    seconds = n_prompt / 4000 + n_gen / 100
    return {
        "name": f"pp{n_prompt}+tg{n_gen}",
        "model_name": "Meta Llama 3.1 8B Instruct",
        "model_quant_str": "Q4_K - Medium",
        "model_params_str": "8B",
        "model_n_params": 8_030_263_296,
        "n_prompt": n_prompt,
        "n_gen": n_gen,
        "avg_time_ms": seconds * 1000,
        "power_watts": 300.0,
        "prompt_tps": 4000.0,
        "gen_tps": 100.0,
        "ttft_ms": n_prompt / 4 + 10,
    } | changes


def localscore(**changes):
    """What the command line writes and sends to the website."""
    return {
        "runtime_info": {"name": "llamafile", "version": "0.9.1", "commit": "a30b324"},
        "system_info": {"cpu_name": "AMD EPYC 7352", "kernel_type": "Linux", "ram_gb": 125.64, "version": "Linux"},
        "accelerator_info": {
            "name": "NVIDIA GeForce RTX 3090",
            "manufacturer": "NVIDIA",
            "memory_gb": 23.59,
            "type": "GPU",
        },
        "results": [localscore_test(), localscore_test(16, 1536), localscore_test(1024, 1024)],
        "results_summary": {"avg_prompt_tps": 4000.0, "avg_gen_tps": 100.0, "avg_ttft_ms": 177.0},
    } | changes


def localscore_site(**changes):
    """A run as the website gives it."""
    own = ("model_name", "model_quant_str", "model_params_str", "model_n_params")
    tests = [{name: value for name, value in test.items() if name not in own} for test in localscore()["results"]]
    return {
        "id": 1,
        "created_at": "2025-03-19 21:50:27",
        "accelerator": "NVIDIA GeForce RTX 3090",
        "accelerator_type": "GPU",
        "accelerator_memory_gb": 23.59,
        "model": {"name": "Meta Llama 3.1 8B Instruct", "quant": "Q4_K - Medium", "params": 8_030_263_296},
        "runtime": {"name": "llamafile", "version": "0.9.1"},
        "system": {"cpu_name": "AMD EPYC 7352"},
        "results": tests,
    } | changes


SCHEMA = """
CREATE TABLE accelerators (id integer PRIMARY KEY, name text, type text, memory_gb real, manufacturer text);
CREATE TABLE benchmark_runs (id integer PRIMARY KEY, system_id integer, accelerator_id integer,
  model_variant_id integer, runtime_id integer, avg_gen_tps real, created_at integer DEFAULT (CURRENT_TIMESTAMP));
CREATE TABLE benchmark_systems (id integer PRIMARY KEY, cpu_name text, cpu_arch text, ram_gb real, kernel_type text,
  kernel_release text, system_version text);
CREATE TABLE model_variants (id integer PRIMARY KEY, model_id integer, quantization text);
CREATE TABLE models (id integer PRIMARY KEY, name text, params integer);
CREATE TABLE runtimes (id integer PRIMARY KEY, name text, version text, commit_hash text);
CREATE TABLE test_results (id integer PRIMARY KEY, benchmark_run_id integer, name text, n_prompt integer,
  n_gen integer, avg_time_ms real, power_watts real, prompt_tps real, gen_tps real, vram_used_mb real, ttft_ms real);
CREATE UNIQUE INDEX model_name_idx ON models (name);
"""
ROWS = """
INSERT INTO accelerators VALUES (1, 'NVIDIA GeForce RTX 3090', 'GPU', 23.59, 'NVIDIA');
INSERT INTO accelerators VALUES (2, 'Apple M4 Max 12P+4E+40GPU', 'GPU', 96.0, 'Apple');
INSERT INTO benchmark_systems VALUES (1, 'AMD EPYC 7352', 'x86_64', 125.64, 'Linux', '6.8.0', 'Ubuntu');
INSERT INTO models VALUES (1, 'Meta Llama 3.1 8B Instruct', 8030263296);
INSERT INTO model_variants VALUES (1, 1, 'Q4_K - Medium');
INSERT INTO runtimes VALUES (1, 'llamafile', '0.9.1', 'a30b324');
INSERT INTO benchmark_runs VALUES (1, 1, 1, 1, 1, 100.0, '2025-03-19 21:50:27');
INSERT INTO benchmark_runs VALUES (2, 1, 2, 1, 1, 100.0, '2025-03-19 22:00:00');
INSERT INTO test_results VALUES (1, 1, 'pp1024+tg16', 1024, 16, 416.0, 300.0, 4000.0, 100.0, NULL, 266.0);
INSERT INTO test_results VALUES (2, 1, 'pp16+tg1536', 16, 1536, 15364.0, 300.0, 4000.0, 100.0, NULL, 14.0);
INSERT INTO test_results VALUES (3, 2, 'pp16+tg1536', 16, 1536, 30728.0, 40.0, 2000.0, 50.0, NULL, 28.0);
"""


def database(more="", *, schema=SCHEMA, rows=ROWS):
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.executescript(schema + rows + more)
        return opened.serialize()


# optimum-benchmark


def latency(values):
    mean = sum(values) / len(values)
    parts = dict.fromkeys(("mean", "p50", "p90", "p95", "p99"), mean)
    return {"unit": "s", "values": values, "count": len(values), "total": sum(values), **parts, "stdev": 0}


def energy(gpu_kwh):
    return {"unit": "kWh", "cpu": gpu_kwh / 4, "ram": gpu_kwh / 4, "gpu": gpu_kwh, "total": gpu_kwh * 1.5}


def target(**given):
    return {"memory": None, "latency": None, "throughput": None, "energy": None, "efficiency": None} | given


def optimum_config(**changes):
    return {
        "name": "llama_awq",
        "backend": {
            "name": "pytorch",
            "version": "2.4.1",
            "_target_": "optimum_benchmark.backends.pytorch.backend.PyTorchBackend",
            "model": "meta-llama/Llama-3.1-8B-Instruct",
            "task": "text-generation",
            "device": "cuda",
            "device_ids": "1",
            "torch_dtype": "bfloat16",
            "quantization_scheme": None,
            "quantization_config": {},
        },
        "scenario": {
            "name": "inference",
            "input_shapes": {"batch_size": 2, "sequence_length": 64},
            "generate_kwargs": {"max_new_tokens": 101, "min_new_tokens": 101, "num_beams": 1},
        },
        "launcher": {"name": "process", "device_isolation": True},
        "environment": {
            "cpu": " AMD EPYC 7742 64-Core Processor",
            "gpu": ["NVIDIA DGX Display", "NVIDIA A100-SXM4-80GB"],
            "gpu_count": 2,
            "optimum_benchmark_version": "0.5.0",
        },
    } | changes


def optimum_report(**changes):
    """10 passes of 2 x 100 decoded tokens in 2 s each; one takes 600 J of the GPU."""
    memory = {"unit": "MB", "max_ram": 1449.0, "max_global_vram": 17_000.0, "max_allocated": 16_500.0}
    return {
        "load_model": target(latency=latency([11.7])),
        "prefill": target(latency=latency([0.03] * 10), energy=energy(1e-5)),
        "decode": target(
            memory=memory,
            latency=latency([2.0] * 10),
            throughput={"unit": "tokens/s", "value": 100.0},
            energy=energy(600 / 3.6e6),
        ),
        "per_token": target(latency=latency([0.02] * 30)),
    } | changes


def optimum(**changes):
    return {"config": optimum_config(), "report": optimum_report()} | changes


def optimum_entries():
    return [entry(optimum_report(), "benchmark_report.json"), entry(optimum_config(), "benchmark_config.json")]
