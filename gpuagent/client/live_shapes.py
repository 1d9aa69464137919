"""Live runs as they are read: the published contract under the names that `Run.log` and `Run.score` use."""

from __future__ import annotations

from datetime import datetime

from pydantic import AliasChoices, Field

from gpuagent.client.shape import Shape


class LiveLane(Shape):
    """A GPU of a run, or several that work as one."""

    name: str
    type: str = ""
    vram_gb: float | None = Field(None, alias="vramGB")
    cost_per_hour: float | None = Field(None, alias="costPerHour")


class LiveRun(Shape):
    """One run; `ended_at` is None while it goes on."""

    id: str
    started_at: datetime = Field(alias="startedAt")
    ended_at: datetime | None = Field(None, alias="endedAt")
    label: str | None = None
    gpus: list[LiveLane] = []
    models: list[str] = []
    simulated: bool = False
    #: running, finished, failed, stopped, or what a newer site says
    status: str = ""
    note: str | None = None


class LiveEvent(Shape):
    """One moment of one lane. `stream_id` is what `after=` takes to go on from here."""

    run_id: str = Field(alias="runId")
    ts: datetime
    gpu: str = Field(alias="gpuId")
    model: str
    use_case: str = Field(alias="useCase")
    tokens_per_s: float = Field(validation_alias=AliasChoices("tokenPerSec", "tokPerSec"))
    latency_ms: float = Field(alias="latencyMs")
    vram_used_mb: float = Field(alias="vramUsedMB")
    eval_index: int = Field(alias="evalProgressIdx")
    eval_total: int = Field(alias="evalTotal")
    power_w: float | None = Field(None, alias="powerW")
    energy_j: float | None = Field(None, alias="energyJ")
    gpu_util_pct: float | None = Field(None, alias="gpuUtilPct")
    temperature_c: float | None = Field(None, alias="temperatureC")
    output_tokens: int | None = Field(None, alias="outputTokens")
    ttft_ms: float | None = Field(None, alias="ttftMs")
    stream_id: int | None = None


class LiveDimensions(Shape):
    correctness: float
    completeness: float
    format_quality: float = Field(alias="formatQuality")
    conciseness: float


class LiveScore(Shape):
    """How well a model did on one test case; shares are 0 to 1."""

    run_id: str = Field(alias="runId")
    model: str
    use_case: str = Field(alias="useCase")
    test_case_id: str = Field(alias="testCaseId")
    composite: float
    dimensions: LiveDimensions
    tokens_per_s: float | None = Field(None, alias="tokPerSec")


class LiveRunDetail(Shape):
    """A run and the scores of its test cases."""

    run: LiveRun
    scores: list[LiveScore] = []


class LiveRuns(Shape):
    runs: list[LiveRun]


class LiveEvents(Shape):
    events: list[LiveEvent]
