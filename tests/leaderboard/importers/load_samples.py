"""Small reports of load generators: one server, 200 requests of 512 and 128 tokens in 20 s, 32 at a time."""

MS = {"ttft": (100.0, 98.0, 140.0, 150.0, 180.0), "tpot": (22.0, 21.8, 24.0, 25.0, 27.0)}
MS |= {"itl": (22.0, 21.5, 26.0, 28.0, 31.0), "e2e": (2894.0, 2870.0, 3200.0, 3300.0, 3500.0)}


def vllm_bench(**changes):
    figures = {
        f"{part}_{word}_ms": value
        for family, word in (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("e2e", "e2el"))
        for part, value in zip(("mean", "median", "p90", "p95", "p99"), MS[family], strict=True)
    }
    return {
        "date": "20260314-093000",
        "endpoint_type": "vllm",
        "backend": "vllm",
        "label": None,
        "model_id": "meta-llama/Llama-3.1-8B-Instruct",
        "tokenizer_id": "hf-internal-testing/llama-tokenizer",
        "num_prompts": 200,
        "request_rate": "inf",
        "burstiness": 1.0,
        "max_concurrency": 32,
        "duration": 20.0,
        "completed": 200,
        "failed": 0,
        "total_input_tokens": 102400,
        "total_output_tokens": 25600,
        "request_throughput": 10.0,
        "request_goodput": None,
        "output_throughput": 1280.0,
        "total_token_throughput": 6400.0,
        "max_output_tokens_per_s": 1500.0,
        "max_concurrent_requests": 40,
        **figures,
        "std_ttft_ms": 12.5,
        "p99.9_ttft_ms": 190.0,
    } | changes


def _summary(family, scale=1.0):
    names = ("mean", "median", "p90", "p95", "p99")
    return {name: value * scale for name, value in zip(names, MS[family], strict=True)} | {"min": 0.001, "p0.1": 0.001}


def inference_perf(**changes):
    """A stage; seconds throughout."""
    return {
        "benchmark_time_seconds": 20.0,
        "load_summary": {
            "count": 200,
            "schedule_delay": {"mean": 0.0005, "min": -0.0002},
            "send_duration": 18.0,
            "requested_rate": 10.0,
            "achieved_rate": 11.1,
        },
        "successes": {
            "count": 200,
            "latency": {
                "request_latency": _summary("e2e", 1e-3),
                "normalized_time_per_output_token": _summary("tpot", 1e-3),
                "time_per_output_token": _summary("tpot", 1e-3),
                "time_to_first_token": _summary("ttft", 1e-3),
                "inter_token_latency": _summary("itl", 1e-3),
            },
            "throughput": {
                "input_tokens_per_sec": 5120.0,
                "output_tokens_per_sec": 1280.0,
                "total_tokens_per_sec": 6400.0,
                "requests_per_sec": 10.0,
            },
            "output_len": {"mean": 128.0},
        },
        "failures": {"count": 0, "request_latency": None, "prompt_len": None},
    } | changes


def prometheus(**changes):
    """What inference-perf writes beside it about the server's own metrics."""
    return {
        "load_summary": {},
        "successes": {"count": 200, "rate": 10.0, "request_latency": {"mean": 2.9}},
        "failures": {},
    } | changes


def _distribution(mean, p50, p90, p95, p99, *, count=200):
    figures = {
        "mean": mean,
        "median": p50,
        "count": count,
        "total_sum": mean * count,
        "percentiles": {"p001": 0.0, "p50": p50, "p90": p90, "p95": p95, "p99": p99},
    }
    return {"successful": figures, "errored": dict.fromkeys(("mean", "median", "count", "total_sum"), 0.0)}


def _even(value):
    return _distribution(value, value, value, value, value)


def guidellm_metrics():
    return {
        "request_totals": {"successful": 200, "errored": 0, "incomplete": 3, "total": 203},
        "requests_per_second": _even(10.0),
        "request_concurrency": _even(28.9),
        "request_latency": _distribution(*(value / 1000 for value in MS["e2e"])),
        "prompt_token_count": _even(512.0),
        "output_token_count": _even(128.0),
        "time_to_first_token_ms": _distribution(*MS["ttft"]),
        "time_per_output_token_ms": _even(22.6),
        "inter_token_latency_ms": _distribution(*MS["tpot"]),
        "output_tokens_per_second": _even(1290.0),
        "tokens_per_second": _even(6450.0),
    }


def guidellm_benchmark(strategy=None, **changes):
    return {
        "type_": "generative_benchmark",
        "config": {
            "id_": "1",
            "strategy": strategy or {"type_": "concurrent", "streams": 32},
            "constraints": {"max_requests": {"max_num": 200}},
            "backend": {
                "target": "http://localhost:8000",
                "model": "meta-llama/Llama-3.1-8B-Instruct",
                "api_key": "sk-abcdefghijklmnop1234",
                "extras": {"headers": {"Authorization": "Bearer abcdefghij"}},
            },
        },
        "metrics": guidellm_metrics(),
        "start_time": 1773480600.0,
        "end_time": 1773480620.0,
        "duration": 20.0,
    } | changes


def guidellm_2(*benchmarks, **changes):
    return {
        "metadata": {"version": 2, "guidellm_version": "0.7.3", "python_version": "3.12.8", "platform": "Linux"},
        "config": {"spec": {"data": [{"kind": "synthetic_text", "prompt_tokens": 512, "output_tokens": 128}]}},
        "benchmarks": list(benchmarks) or [guidellm_benchmark()],
    } | changes


def guidellm_1(*benchmarks, **changes):
    """0.4 to 0.6: the same benchmarks under other settings."""
    return {
        "metadata": {"version": 1, "guidellm_version": "0.5.4", "python_version": "3.12.8", "platform": "Linux"},
        "args": {"target": "http://localhost:8000", "data": ["prompt_tokens=512,output_tokens=128"], "model": None},
        "benchmarks": list(benchmarks) or [guidellm_benchmark()],
    } | changes


def guidellm_old(strategy=None):
    """Before 0.4: no metadata, settings in `args`, model in `worker`, totals outside the metrics, no p50."""
    metrics = guidellm_metrics()
    totals = metrics.pop("request_totals")
    for distribution in metrics.values():
        del distribution["successful"]["percentiles"]["p50"]
    benchmark = guidellm_benchmark() | {
        "args": {"strategy": strategy or {"type_": "synchronous"}, "max_number": 200},
        "worker": {"backend_model": "meta-llama/Llama-3.1-8B-Instruct", "backend_target": "http://localhost:8000"},
        "request_loader": {"data": "prompt_tokens=512,output_tokens=128", "processor": "gpt2"},
        "metrics": metrics,
        "request_totals": totals,
    }
    del benchmark["config"]
    return {"benchmarks": [benchmark]}


def _quantity(family, units, scale=1.0):
    names = ("mean", "p50", "p90", "p95", "p99")
    return {"units": units} | {name: value * scale for name, value in zip(names, MS[family], strict=True)}


def llm_d_1(**changes):
    return {
        "version": "0.1",
        "scenario": {
            "model": {"name": "meta-llama/Llama-3.1-8B-Instruct", "quantization": "fp16"},
            "host": {
                "type": ["replica"],
                "accelerator": [{"model": "H100", "memory": 80, "count": 1, "parallelism": {"tp": 1, "pp": 1}}],
            },
            "platform": {"engine": [{"name": "vllm", "version": "0.9.0.1", "args": {"--max-num-seqs": 64}}]},
            "load": {"name": "vllm-benchmark", "args": {"request_rate": "inf", "max_concurrency": 32}},
        },
        "metrics": {
            "time": {"duration": 18.0, "start": 1773480600.0, "stop": 1773480620.0},
            "requests": {
                "total": 200,
                "failures": 0,
                "incomplete": 0,
                "input_length": {"units": "count", "mean": 512.0},
                "output_length": {"units": "count", "mean": 128.0},
            },
            "latency": {
                "request_latency": _quantity("e2e", "ms"),
                "time_per_output_token": _quantity("tpot", "ms/token"),
                "inter_token_latency": _quantity("itl", "ms/token"),
                "time_to_first_token": _quantity("ttft", "ms"),
            },
            "throughput": {
                "input_tokens_per_sec": 5120.0,
                "output_tokens_per_sec": 1280.0,
                "total_tokens_per_sec": 6400.0,
                "requests_per_sec": 10.0,
            },
            "resources": {
                "accelerator": [
                    {
                        "power": {"units": "Watts", "mean": 480.0},
                        "memory": {"consumption": {"units": "GiB", "mean": 60.0, "max": 70.0}},
                    }
                ]
            },
        },
    } | changes


def llm_d_2(**changes):
    return {
        "version": "0.2",
        "run": {
            "uid": "38b1f169",
            "user": "alice",
            "time": {"start": "2026-03-14T09:30:00Z", "end": "2026-03-14T09:45:00Z", "duration": "PT15M"},
        },
        "scenario": {
            "stack": [
                {
                    "metadata": {"label": "vllm-svc-0", "cfg_id": "cc73fc6b"},
                    "standardized": {
                        "kind": "inference_engine",
                        "tool": "vllm",
                        "tool_version": "docker.io/vllm/vllm-openai:v0.11.0",
                        "role": "replica",
                        "replicas": 1,
                        "model": {"name": "meta-llama/Llama-3.1-8B-Instruct"},
                        "accelerator": {
                            "model": "NVIDIA H100 80GB HBM3",
                            "count": 1,
                            "parallelism": {"tp": 1, "dp": 1, "dp_local": 1, "workers": 1, "pp": 1},
                        },
                    },
                    "native": {"args": {"dtype": "bfloat16", "max-num-seqs": "64", "enable-prefix-caching": None}},
                },
                {"standardized": {"kind": "generic", "tool": "inference_scheduler", "tool_version": "0.3.2"}},
            ],
            "load": {
                "standardized": {
                    "tool": "inference-perf",
                    "tool_version": "0.3.0",
                    "stage": 3,
                    "rate_qps": 10.0,
                    "concurrency": ".inf",
                }
            },
        },
        "results": {
            "request_performance": {
                "aggregate": {
                    "requests": {
                        "total": 204,
                        "failures": 4,
                        "input_length": {"units": "count", "mean": 512.0},
                        "output_length": {"units": "count", "mean": 128.0},
                    },
                    "latency": {
                        "request_latency": _quantity("e2e", "s", 1e-3),
                        "time_per_output_token": _quantity("tpot", "s/token", 1e-3),
                        "inter_token_latency": _quantity("itl", "s/token", 1e-3),
                        "time_to_first_token": _quantity("ttft", "s", 1e-3),
                    },
                    "throughput": {
                        "input_token_rate": {"units": "tokens/s", "mean": 5120.0},
                        "output_token_rate": {"units": "tokens/s", "mean": 1280.0},
                        "total_token_rate": {"units": "tokens/s", "mean": 6400.0},
                        "request_rate": {"units": "queries/s", "mean": 10.0},
                    },
                }
            },
            "observability": {
                "components": [
                    {
                        "component_label": "vllm-svc-0",
                        "aggregate": {
                            "power_consumption": {"units": "Watts", "mean": 480.0},
                            "gpu_memory_usage": {"units": "GiB", "mean": 60.0, "max": 70.0},
                            "gpu_utilization": {"units": "percent", "mean": 76.0},
                        },
                    }
                ]
            },
        },
    } | changes
