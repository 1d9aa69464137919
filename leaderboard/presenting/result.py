"""The page of one result: every value with unit, scope, interval and where it comes from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from django.urls import reverse

from leaderboard import format as fmt
from leaderboard import metrics
from leaderboard.metrics import METRICS, Metric
from leaderboard.models import Finding, Licence, Provenance, Result, ReviewEvent, Submission, SubmissionStatus
from leaderboard.normal import Origin
from leaderboard.pages import (
    CycleTable,
    EventRow,
    FieldGroup,
    FieldRow,
    FileRow,
    FindingRow,
    Link,
    ResultPage,
)
from leaderboard.presenting.checked import checked_words
from leaderboard.presenting.common import (
    ORIGIN_WORDS,
    SCOPE_SENTENCES,
    SIMULATED,
    backend_words,
    batch_words,
    gpu_words,
    hardware_link,
    model_link,
    person_link,
    result_badge,
)
from lemsite.lib.markdown import render

HEADLINE = (
    "tokens_per_joule",
    "throughput_tokens_per_s",
    "energy_per_output_token_j",
    "itl_ms_p50",
    "avg_power_w",
    "peak_memory_mb",
)
CYCLE_METRICS = (
    "tokens_per_joule",
    "throughput_tokens_per_s",
    "energy_per_output_token_j",
    "total_energy_j",
    "host_energy_j",
    "duration_s",
    "avg_power_w",
)
#: field -> (label, unit); the order of the page
CONFIGURATION: dict[str, tuple[str, str]] = {
    "model": ("Model", ""),
    "hardware": ("Hardware", ""),
    "gpu_count": ("GPU count", ""),
    "backend": ("Backend", ""),
    "backend_version": ("Backend version", ""),
    "precision": ("Precision", ""),
    "batch_size": ("Batch size", "sequences"),
    "concurrency": ("Concurrency", "requests"),
    "request_rate_per_s": ("Request rate", "1/s"),
    "tensor_parallel": ("Tensor parallel", "GPUs"),
    "pipeline_parallel": ("Pipeline parallel", "GPUs"),
    "dataset": ("Prompts", ""),
    "requests": ("Requests", ""),
    "success_rate": ("Success rate", ""),
    "max_input_tokens": ("Longest input", "tok"),
    "max_output_tokens": ("Longest output", "tok"),
    "power_limit_w": ("Power limit", "W per GPU"),
    "prefix_caching": ("Prefix caching", ""),
    "speculative_decoding": ("Speculative decoding", ""),
    "energy_scope": ("Energy scope", ""),
    "energy_method": ("Energy method", ""),
    "runs": ("Runs", ""),
    "tool": ("Tool", ""),
    "tool_version": ("Tool version", ""),
    "config_hash": ("Configuration hash", ""),
    "started_at": ("Started", ""),
    "ended_at": ("Ended", ""),
}
MAX_ENVIRONMENT_ROWS = 60
LICENCES: dict[Licence, tuple[str, str]] = {
    Licence.CC_BY: ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    Licence.CC0: ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    Licence.CC_BY_SA: ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
}


def result_page(result: Result, *, is_mine: bool) -> ResultPage:
    submission = result.submission
    return ResultPage(
        pk=result.pk,
        title=f"{model_link(result).label} on {gpu_words(result)}",
        subtitle=", ".join(part for part in _subtitle(result) if part),
        model=model_link(result),
        hardware=hardware_link(result),
        trust=result_badge(result),
        state=state_sentence(submission, is_mine=is_mine),
        headline=[metric_row(result, metrics.BY_NAME[name]) for name in HEADLINE],
        metrics=metric_groups(result),
        configuration=configuration_rows(result),
        environment=list(itertools.islice(_flat(result.environment), MAX_ENVIRONMENT_ROWS)),
        findings=[finding_row(finding) for finding in result.findings.all()],
        cycles=_cycle_table(result),
        warnings=result.warnings,
        source=Link(result.source_name, result.source_url) if result.source_url else None,
        source_date=result.source_date,
        owner=_owner(submission),
        licence=_licence(submission),
        note=render(submission.note) if submission.note else "",
        submitted=fmt.day(submission.submitted_at or submission.created_at),
        files=file_rows(submission) if is_mine or submission.is_public else [],
        redacted=submission.redacted,
        events=event_rows(submission),
        yaml=reproduction_yaml(result),
        json_url=f"/api/benchmarks/{result.pk}",
        submission_url=reverse("leaderboard:submission", args=[submission.pk]) if is_mine else "",
        scope_sentence=SCOPE_SENTENCES.get(result.energy_scope, "") if result.tokens_per_joule else "",
        host_sentence=host_sentence(result),
        checked=checked_words(result),
    )


def host_sentence(result: Result) -> str:
    """What the tool and the host of the job each measured, side by side; "" where there is no host's figure."""
    if result.host_energy_j is None:
        return ""
    by_host = f"{fmt.number(result.host_energy_j, 5)} J by the host's own sampling of its GPUs"
    if result.total_energy_j is None:
        return f"{by_host}; the tool measured none."
    off = fmt.number(100 * abs(result.total_energy_j / result.host_energy_j - 1), 2)
    return f"{fmt.number(result.total_energy_j, 5)} J by the tool, {by_host}: {off} % apart."


def metric_row(result: Result, metric: Metric) -> FieldRow:
    value: float | None = getattr(result, metric.name, None)
    statistics: Mapping[str, Any] = result.statistics.get(metric.name) or {}
    interval = ""
    if value is not None:
        interval = fmt.interval_percent(float(value), statistics.get("ci95_low"), statistics.get("ci95_high"))
    return FieldRow(
        name=metric.name,
        label=metric.label,
        value=fmt.number(value, 5),
        unit=metric.unit,
        origin=_origin(result, metric.name),
        note=result.notes.get(metric.name, ""),
        meaning=metric.meaning,
        interval=interval,
    )


def metric_groups(result: Result) -> list[FieldGroup]:
    """All metrics by group; of the twenty latencies only those that were measured."""
    groups = []
    for label, group in itertools.groupby(METRICS, key=lambda metric: metric.group):
        rows = [metric_row(result, metric) for metric in group if metric.name != "co2_g_per_million_tokens"]
        if label == "Latency":
            rows = [row for row in rows if row.value] or [FieldRow("", "TTFT, ITL, TPOT and E2E", "", "ms", "missing")]
        groups.append(FieldGroup(label, rows))
    return groups


def configuration_rows(result: Result) -> list[FieldRow]:
    rows = []
    for name, (label, unit) in CONFIGURATION.items():
        value = configuration_value(result, name)
        rows.append(
            FieldRow(name, label, value, unit if value else "", _origin(result, name), result.notes.get(name, ""))
        )
    return rows


def configuration_value(result: Result, name: str) -> str:
    if name in ("started_at", "ended_at"):
        return fmt.minute(getattr(result, name))
    if name in ("model", "hardware", "backend"):
        target, written = getattr(result, name), getattr(result, f"{name}_name")
        known = getattr(target, "name", "")
        return f"{known} (given as {written})" if known and written and known != written else known or written
    return fmt.exact(getattr(result, name))


def state_sentence(submission: Submission, *, is_mine: bool) -> str:
    status = SubmissionStatus(submission.status)
    if status == SubmissionStatus.PUBLISHED and submission.is_public:
        return ""
    if submission.is_simulated:
        return f"{SIMULATED.label}. {SIMULATED.title}"
    if submission.is_public:
        return f"{status.label}: it is not ranked. The history below says why."
    who = "only you and moderators see this page" if is_mine else "only its owner and moderators see this page"
    return f"{status.label}: {who}."


def finding_row(finding: Finding) -> FindingRow:
    return FindingRow(
        code=finding.code,
        severity=finding.severity,
        severity_label=Finding.Severity(finding.severity).label,
        observed=finding.observed,
        limit=finding.limit,
        message=finding.message,
        url=f"{reverse('leaderboard:methodology')}#{finding.code}",
    )


def event_rows(submission: Submission) -> list[EventRow]:
    return [
        EventRow(fmt.minute(event.created_at), event.get_action_display(), actor.label, event.reason, actor.url)
        for event in submission.events.all()
        for actor in [_actor(event)]
    ]


def file_rows(submission: Submission) -> list[FileRow]:
    """The files of the present version."""
    return [
        FileRow(raw.name, fmt.size(raw.size_bytes), reverse("leaderboard:raw_file", args=[submission.pk, raw.pk]))
        for raw in submission.raw_files.all()
        if raw.version == submission.version
    ]


def reproduction_yaml(result: Result) -> str:
    """The configuration as an experiment file for `llem run`, or "" where the result does not hold one."""
    config = _without_nulls(result.config)
    if not config:
        return ""
    head = (
        f"# llem run experiment.yaml   (measured with llenergymeasure {result.tool_version or 'of unknown version'})\n"
    )
    return head + yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _subtitle(result: Result) -> Iterator[str]:
    yield result.precision
    yield backend_words(result)
    yield f"batch {batch_words(result)}" if batch_words(result) else ""
    yield fmt.count(result.runs, "run") if result.runs else ""


def _origin(result: Result, name: str) -> str:
    # The cost is the site's own arithmetic, on no file's word.
    unnamed = Origin.COMPUTED if name == "cost_per_million_tokens_usd" else Origin.MISSING
    return ORIGIN_WORDS[Origin(result.origins.get(name, unnamed))]


def _owner(submission: Submission) -> Link:
    if submission.owner is None and submission.provenance == Provenance.IMPORTED:
        return Link("carried over from a published source", "")
    return person_link(submission.owner)


def _licence(submission: Submission) -> Link | None:
    if submission.provenance == Provenance.IMPORTED:
        return None
    return Link(*LICENCES[Licence(submission.licence)])


def _actor(event: ReviewEvent) -> Link:
    return person_link(event.actor) if event.actor else Link("the site", "")


def _cycle_table(result: Result) -> CycleTable | None:
    cycles = list(result.measurements.all())
    columns = [metrics.BY_NAME[name] for name in CYCLE_METRICS]
    columns = [column for column in columns if any(getattr(cycle, column.name) is not None for cycle in cycles)]
    if not cycles and not result.statistics:
        return None
    columns = columns or [metrics.BY_NAME[name] for name in CYCLE_METRICS if name in result.statistics]
    rows = [[str(cycle.cycle), *(fmt.number(getattr(cycle, column.name), 5) for column in columns)] for cycle in cycles]
    return CycleTable(
        heads=["Cycle", *(f"{column.label}, {column.unit}" for column in columns)],
        rows=rows,
        summary=[row for row in _summary_rows(result, columns) if any(row[1:])],
    )


def _summary_rows(result: Result, columns: Sequence[Metric]) -> Iterator[list[str]]:
    statistics = [result.statistics.get(column.name) or {} for column in columns]
    yield ["Mean", *(fmt.number(one.get("mean"), 5) for one in statistics)]
    yield ["Standard deviation", *(fmt.number(one.get("sd"), 3) for one in statistics)]
    yield ["95 % interval", *(_interval(one) for one in statistics)]
    yield ["CV", *(f"{fmt.number(one['cv'] * 100, 3)} %" if one.get("cv") is not None else "" for one in statistics)]


def _interval(one: Mapping[str, Any]) -> str:
    low, high = one.get("ci95_low"), one.get("ci95_high")
    return "" if low is None or high is None else f"{fmt.number(low, 5)} to {fmt.number(high, 5)}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every filled leaf of a nested mapping, with its dotted path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        if value:
            yield path, ", ".join(fmt.exact(item) if not isinstance(item, dict | list) else "…" for item in value[:20])
    elif value is not None and value != "":
        yield path, fmt.exact(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        filled = {name: _without_nulls(inner) for name, inner in value.items()}
        return {name: inner for name, inner in filled.items() if inner is not None and inner != {}}
    return value
