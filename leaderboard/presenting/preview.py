"""What was understood of an upload: per value, what is missing, what was removed, what the checks found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from django.urls import reverse

from leaderboard import format as fmt
from leaderboard import metrics
from leaderboard.models import (
    Backend,
    Finding,
    Hardware,
    LanguageModel,
    Result,
    Submission,
    SubmissionStatus,
    Visibility,
)
from leaderboard.normal import EnergyScope, Precision
from leaderboard.pages import FieldGroup, PreviewPage, PreviewResult, StateField
from leaderboard.presenting.common import SIMULATED, gpu_words, model_link, result_badge, result_url
from leaderboard.presenting.result import (
    CONFIGURATION,
    HEADLINE,
    configuration_rows,
    event_rows,
    file_rows,
    finding_row,
    metric_groups,
    metric_row,
)
from leaderboard.services.reading import ESSENTIAL, Missing, Reading, missing_in
from leaderboard.services.scoring import finding_rows
from leaderboard.services.storing import result_row
from leaderboard.services.submissions import CHANGEABLE

MAX_SHOWN = 50
SHAPE_LABELS = {
    "aggregated_v1": "llem, first generation: aggregated result",
    "multi_cycle_v1": "llem, first generation: several cycles",
    "raw_process_v1": "llem, first generation: one process",
    "result_2": "llem result, schema 2.0",
    "result_3": "llem result, schema 3.0",
    "result_5": "llem result, schema 5.0",
    "bundle_2": "llem 0.7 bundle",
    "study_manifest": "llem study folder",
    "study_result": "llem StudyResult",
    "aiperf": "AIPerf profile export",
    "ml_energy_v2": "ML.ENERGY leaderboard row, version 2",
    "ml_energy_v3": "ML.ENERGY leaderboard rows, version 3",
    "ml_energy_run": "ML.ENERGY benchmark result",
    "localscore": "LocalScore run, JSON or SQLite",
    "optimum_benchmark": "optimum-benchmark result",
    "optimum_report": "optimum-benchmark report with its configuration",
    "vllm_bench": "vLLM bench serve result",
    "guidellm_1": "GuideLLM report, version 1 and before",
    "guidellm_2": "GuideLLM report, version 2",
    "inference_perf": "inference-perf lifecycle metrics",
    "llm_d_1": "llm-d benchmark report 0.1, YAML or JSON",
    "llm_d_2": "llm-d benchmark report 0.2, YAML or JSON",
    "normal": "this site's own form, JSON",
    "normal_csv": "this site's own form, CSV",
    "mixed": "files of several shapes",
}


def blocked_preview(reading: Reading) -> PreviewPage:
    """An upload that was not stored, because a result in it cannot be right; the impossible ones first."""
    submission = Submission(shape=reading.shape, stated=reading.stated)
    order = sorted(range(len(reading.results)), key=lambda place: not reading.results[place].is_blocked)
    shown = []
    for place in order[:MAX_SHOWN]:
        result = result_row(submission, place, reading.results[place])
        shown.append(_preview_result(result, finding_rows(result, reading.results[place].findings), url=""))
    return PreviewPage(
        shape=reading.shape,
        shape_label=shape_label(reading.shape),
        status="",
        status_label="Not stored",
        results=shown,
        state_fields=[],
        redacted=reading.redacted,
        ignored=reading.ignored,
        files=[],
        blocked=reading.blocked,
        can_confirm=False,
        next_step=f"{reading.blocked} of {len(reading.results)} results cannot be right. Nothing was stored. "
        "The findings say which value is at fault; correct the files and upload them again.",
    )


def submission_preview(
    submission: Submission,
    errors: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
    last_time: Mapping[str, Any] | None = None,
) -> PreviewPage:
    """`last_time` is what the owner stated for such files before: it fills the inputs, and says so."""
    first = submission.results.order_by("position")[:MAX_SHOWN]
    results = first.select_related("model", "hardware", "backend", "submission").prefetch_related("findings")
    missing = missing_in(submission)
    is_open = submission.status in CHANGEABLE and not submission.is_simulated
    lacking = [one.field for one in missing if one.field in ESSENTIAL]
    steps = ["state", "confirm"] if is_open else []
    urls = {f"{step}_url": reverse(f"leaderboard:submission_{step}", args=[submission.pk]) for step in steps}
    return PreviewPage(
        shape=submission.shape,
        shape_label=shape_label(submission.shape),
        status=submission.status,
        status_label=SIMULATED.label if submission.is_simulated else submission.get_status_display(),
        results=[_preview_result(one, list(one.findings.all()), url=result_url(one)) for one in results],
        state_fields=_state_fields(submission, missing, errors or {}, given=given or {}, last_time=last_time or {})
        if is_open
        else [],
        redacted=submission.redacted,
        ignored=[],
        files=file_rows(submission),
        blocked=0,
        can_confirm=is_open and not lacking,
        next_step=_next_step(submission, lacking),
        events=event_rows(submission),
        visibility=submission.visibility,
        note=submission.note,
        url=reverse("leaderboard:submission", args=[submission.pk]),
        **urls,
    )


def shape_label(shape: str) -> str:
    return SHAPE_LABELS.get(shape, shape.replace("_", " "))


def _preview_result(result: Result, findings: Sequence[Finding], *, url: str) -> PreviewResult:
    groups = [FieldGroup("Configuration", configuration_rows(result)), *metric_groups(result)]
    return PreviewResult(
        title=f"{model_link(result).label} on {gpu_words(result)}",
        file=result.file,
        runs=fmt.count(result.runs, "run") if result.runs else "",
        trust=result_badge(result),
        headline=[metric_row(result, metrics.BY_NAME[name]) for name in HEADLINE],
        groups=groups,
        findings=[finding_row(finding) for finding in findings],
        url=url,
    )


def _state_fields(
    submission: Submission,
    missing: Sequence[Missing],
    errors: Mapping[str, str],
    *,
    given: Mapping[str, str],
    last_time: Mapping[str, Any],
) -> list[StateField]:
    """Inputs for what is missing, and for what was stated before, so that it can be corrected."""
    reasons = {one.field: one.why for one in missing}
    for name in submission.stated:
        reasons.setdefault(name, "Stated by you.")
    offered = {name: value for name, value in last_time.items() if name in reasons and name not in submission.stated}
    for name in offered.keys() - given.keys():
        reasons[name] = f"You stated this last time: check it. {reasons[name]}"
    values = {**offered, **submission.stated, **given}
    return [
        StateField(
            name=name,
            label=CONFIGURATION[name][0],
            unit=CONFIGURATION[name][1],
            why=why,
            value=str(values.get(name, "")),
            error=errors.get(name, ""),
            kind=_kind(name),
            options=_options(name),
            suggestions=_suggestions(name),
        )
        for name, why in reasons.items()
    ]


def _kind(name: str) -> str:
    if _options(name):
        return "select"
    return "number" if name.endswith(("_count", "_size", "_tokens", "_parallel", "concurrency", "requests")) else "text"


def _options(name: str) -> list[tuple[str, str]]:
    choices: Mapping[str, tuple[Any, ...]] = {
        "precision": get_args(Precision),
        "energy_scope": get_args(EnergyScope),
        "prefix_caching": ("true", "false"),
        "speculative_decoding": ("true", "false"),
    }
    if name == "hardware":
        return [("", "choose"), *Hardware.objects.values_list("slug", "name")]
    return [("", "choose"), *((choice, choice) for choice in choices[name])] if name in choices else []


def _suggestions(name: str) -> list[str]:
    if name == "model":
        return list(LanguageModel.objects.values_list("name", flat=True))
    return list(Backend.objects.values_list("slug", flat=True)) if name == "backend" else []


def _next_step(submission: Submission, lacking: Sequence[str]) -> str:
    status = SubmissionStatus(submission.status)
    if submission.is_simulated:
        return SIMULATED.title
    if status in CHANGEABLE and lacking:
        return f"State the {' and the '.join(lacking)}: without it no table can rank the result."
    return {
        SubmissionStatus.DRAFT: _draft_says(submission),
        SubmissionStatus.CHANGES_REQUESTED: "A moderator asks for changes. Answer below, then hand it in again.",
        SubmissionStatus.PENDING: "A moderator looks at it next. It becomes public when it is approved.",
        SubmissionStatus.PUBLISHED: "Public and ranked.",
        SubmissionStatus.REJECTED: "It was not published; the history says why.",
        SubmissionStatus.DISPUTED: "Someone disputes it; it is not ranked until that is settled.",
        SubmissionStatus.INVALIDATED: "It turned out wrong and is no longer ranked.",
        SubmissionStatus.WITHDRAWN: "You took it back.",
    }[status]


def _draft_says(submission: Submission) -> str:
    if submission.visibility != Visibility.PRIVATE:
        return "Only you see this draft. Confirm it to hand it to a moderator."
    people = submission.shares.count()
    seen_by = f"you and {fmt.count(people, 'person', 'people')} that you chose" if people else "only you"
    return f"Private: {seen_by} and moderators see it. You can still make it public."
