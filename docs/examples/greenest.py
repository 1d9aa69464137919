"""The configuration with the most tokens per joule whose first token comes in time.

python greenest.py 500
"""

import sys

from gpuagent.client import Client


def main(ttft_ms: float) -> None:
    with Client() as client:
        told = client.analysis.ask(goal="tokens_per_joule", ttft_ms_p90_max=ttft_ms)
        print(told.question)
        if told.answer is None:
            print("None:", " ".join(told.why_none))
            return
        print(told.answer.sentence)
        print(told.page)

        print("\nThe first five, whatever the model:")
        for result in client.benchmarks.list(sort="-tokens_per_joule", ttft_ms_p90_max=ttft_ms, limit=5):
            print(f"{result.tokens_per_joule:8.2f} tok/J  {result.model} on {result.gpu_count} x {result.hardware}")


if __name__ == "__main__":
    main(float(sys.argv[1]))
