"""The folder that Ada measured: an llem result, a load test, a file in the site's own form, a broken one, and logs."""

import io
import json
import zipfile

from tests.leaderboard.importers import load_samples, samples

#: it names no GPU count and no precision
OWN_FORM = {name: value for name, value in samples.normal().items() if name not in ("gpu_count", "precision")}
DOCUMENTS = {
    "sweep/gpt2/result.json": json.dumps(samples.result_2()),
    "sweep/serving/vllm-bench.json": json.dumps(load_samples.vllm_bench()),
    "sweep/own/run.json": json.dumps(OWN_FORM),
    "sweep/own/cut-off.json": json.dumps(OWN_FORM)[:60],
}
#: as many as make the site read them in the background
LOGS = {f"sweep/logs/{number:03}.log": f"request {number}: 200 OK\n" for number in range(60)}


def mixed_zip():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**DOCUMENTS, **LOGS}.items():
            archive.writestr(name, text)
    return held.getvalue()
