"""A loop whose progress is live on the site. Logging never waits and never raises; the site may even be away.

python stream_loop.py 100
"""

import random
import sys
import time

from gpuagent.client import Gpu, Run


def work() -> tuple[int, float]:
    """Stands for your step: how many tokens it made, and how long that took."""
    begin = time.perf_counter()
    time.sleep(0.01)
    return random.randint(900, 1100), time.perf_counter() - begin


def main(steps: int) -> None:
    gpu = Gpu("a100-0", "A100", vram_gb=80, cost_per_hour=1.89)
    with Run("fine-tune", gpus=[gpu], models=["Qwen/Qwen2.5-7B-Instruct"]) as run:
        for step in range(1, steps + 1):
            tokens, seconds = work()
            run.log(
                use_case="training",
                tokens_per_s=tokens / seconds,
                latency_ms=seconds * 1000,
                output_tokens=tokens,
                eval_index=step,
                eval_total=steps,
            )
    print(run.id, run.counts)


if __name__ == "__main__":
    main(int(sys.argv[1]))
