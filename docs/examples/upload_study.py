"""Hands in a folder of results: looks first at what it would become, then stores it and waits until it is read.

python upload_study.py results/study-7
"""

import sys

from gpuagent.client import Client, Refused


def main(folder: str) -> None:
    with Client() as client:
        preview = client.benchmarks.preview(folder)
        for finding in preview.findings:
            print(f"{finding.severity} {finding.code}: {finding.message}")
        for missing in preview.missing:
            print(f"missing: {missing.field} ({missing.why})")
        if preview.status == "impossible":
            sys.exit("This cannot be right; nothing was stored.")

        try:
            done = client.benchmarks.upload(
                folder,
                note="The night run of study 7.",
                visibility="private",
                on_progress=lambda batch: print(f"{batch.files_done} of {batch.files_total} files"),
            )
        except Refused as refused:
            sys.exit(str(refused))
        for file in done.refused:
            print(f"left out: {file.file}: {file.message}")
        if done.submission:
            print(f"{len(done.submission.results)} results: {done.submission.url}")


if __name__ == "__main__":
    main(sys.argv[1])
