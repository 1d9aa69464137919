"""Orders a benchmark on the site's GPUs, follows it, and prints what was measured.

python order_job.py Qwen/Qwen2.5-7B-Instruct
"""

import sys

from gpuagent.client import Client


def main(model: str) -> None:
    config = {"model": model, "engine": "vllm", "precision": "bf16", "batch_sizes": [1, 16], "n_cycles": 3}
    with Client() as client:
        told = client.jobs.estimate(config)
        print(f"about {told.estimate.minutes} minutes, place {told.position} in the queue ({told.estimate.basis})")

        ordered = client.jobs.order(config)
        print(f"job {ordered.id}: {ordered.url}")
        job = client.jobs.wait(ordered.id, on_change=lambda job: print(job.state))
        if job.state != "succeeded" or job.submission is None:
            sys.exit(f"{job.state}: {job.reason}")

        for result in client.submissions.get(job.submission).results:
            print(f"batch {result.batch_size}: {result.tokens_per_joule} tok/J, {result.throughput_tokens_per_s} tok/s")


if __name__ == "__main__":
    main(sys.argv[1])
