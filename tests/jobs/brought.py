"""Jobs that are over, with the files that their hosts sent."""

import gzip
import hashlib
import json
from datetime import UTC, datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from jobs.models import Artifact, JobState
from tests.jobs.factories import AgentFactory, AttemptFactory, JobFactory
from tests.leaderboard.importers.samples import bundle_entries

BEGAN = datetime(2026, 8, 10, 9, 30, tzinfo=UTC)
#: of the sample's 123 s
JOULES = 15_917.0
FOLDER = "out/study_2026-08-10/c1_gpt2"
COLUMNS = ["power_w", "energy_mj", "util"]


def header(gpus=1, **changes):
    return {
        "format": "gpuagent-telemetry",
        "columns": COLUMNS,
        "gpus": [{"uuid": f"GPU-{n}"} for n in range(gpus)],
        **changes,
    }


def samples(seconds=60.0, *, power_w=400.0, counter=True, gpus=1, begin=0.0, period_s=0.1):
    """Constant power, with a counter that began before."""
    for number in range(round(seconds / period_s) + 1):
        t = number * period_s
        row = [power_w, round(5e6 + power_w * t * 1000) if counter else None, 99]
        yield {"t": t, "unix": begin + t, "gpu": [row] * gpus}


def packed(lines):
    return gzip.compress("".join(f"{json.dumps(line)}\n" for line in lines).encode())


def keep(attempt, name, content):
    digest = hashlib.sha256(content).hexdigest()
    artifact = Artifact.objects.create(
        attempt=attempt,
        name=name,
        size_bytes=len(content),
        received_bytes=len(content),
        sha256=digest,
        completed_at=timezone.now(),
    )
    if not default_storage.exists(artifact.storage_name):
        default_storage.save(artifact.storage_name, ContentFile(content))


def keep_bundle(attempt, folder=FOLDER, **changes):
    for entry in bundle_entries(folder, **changes):
        keep(attempt, entry.path, entry.content)


def keep_telemetry(attempt, joules=JOULES):
    lines = samples(143.0, power_w=joules / 123, begin=BEGAN.timestamp() - 10)
    keep(attempt, "telemetry.ndjson.gz", packed([header(), *lines]))


def succeeded(*, joules=JOULES, agent=None, bundle=None, **fields):
    """A job that is over, with what its host sent."""
    job = JobFactory(**{"state": JobState.SUCCEEDED, "ended_at": timezone.now(), **fields})
    attempt = AttemptFactory(
        job=job, agent=agent or AgentFactory(), state="done", verdict="accepted", outcome="succeeded"
    )
    if bundle is not False:
        keep_bundle(attempt, **(bundle or {}))
    if joules:
        keep_telemetry(attempt, joules)
    return job
