"""From a parsed result and the catalogue to findings and a trust level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from leaderboard import checks
from leaderboard.checks import Context, HardwareFacts, ModelFacts, Severity
from leaderboard.checks.surroundings import Surroundings, standing
from leaderboard.metrics import cost_usd, gpu_seconds_per_million_tokens
from leaderboard.models import Backend, Finding, Hardware, LanguageModel, Provenance, Result, Submission, Trust
from leaderboard.normal import NormalResult, Origin, ParsedResult
from leaderboard.queries.peers import standings_of, surroundings_of

#: T2 needs these measured by the tool and read from its file
NEEDED_FOR_CHECKS_PASSED = ("throughput_tokens_per_s", "total_energy_j", "duration_s", "tokens_per_joule")
NAMED_BY_FILE = ("model", "hardware")
NOTHING_AROUND = Surroundings()
#: Result columns that hold the names as given, where a foreign key has the field's name
NAME_COLUMNS = {"model": "model_name", "hardware": "hardware_name", "backend": "backend_name"}


@dataclass(frozen=True, slots=True)
class Targets:
    """What the names of a result mean; None where the catalogue does not know."""

    model: LanguageModel | None
    hardware: Hardware | None
    backend: Backend | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What beside the figures decides how far a result is trusted: how it came here."""

    provenance: str
    is_simulated: bool = False

    @classmethod
    def of(cls, submission: Submission) -> Judged:
        return cls(submission.provenance, submission.is_simulated)


def surroundings(
    parsed: Sequence[ParsedResult], targets: Sequence[Targets], *, owner: int | None, apart_from: UUID | None
) -> list[Surroundings]:
    """What each result of one upload is held against; one query however many they are."""
    own = [
        standing(one.values, targets=(_pk(meant.model), _pk(meant.hardware), _pk(meant.backend)), owner=owner)
        for one, meant in zip(parsed, targets, strict=True)
    ]
    return surroundings_of(own, apart_from=apart_from)


def check(
    parsed: ParsedResult,
    targets: Targets,
    *,
    duplicate_of: str | None = None,
    around: Surroundings = NOTHING_AROUND,
) -> list[checks.Finding]:
    """Run the check set over one result with what the catalogue knows of it, and the results around it."""
    context = Context(
        hardware=hardware_facts(targets.hardware),
        model=model_facts(targets.model),
        backend_known=targets.backend is not None,
        now=timezone.now(),
        duplicate_of=duplicate_of,
        peers=around.peers,
        curve=around.curve,
    )
    return checks.run_checks(parsed, context)


def trust_level(parsed: ParsedResult, findings: Iterable[checks.Finding], judged_as: Judged) -> Trust:
    """The trust that the findings allow: T2 needs a clean sheet, a raw file and the file's own hardware snapshot.

    T3 needs a job of this site as well, and the energy that its host measured itself. What is simulated has none.
    """
    severities = {finding.severity for finding in findings}
    if Severity.BLOCK in severities or judged_as.is_simulated:
        return Trust.DRAFT
    if Severity.REVIEW in severities:
        return Trust.SELF_REPORTED
    if judged_as.provenance == Provenance.IMPORTED:
        return Trust.PUBLISHED
    if not _has_evidence(parsed):
        return Trust.SELF_REPORTED
    is_run_here = judged_as.provenance == Provenance.JOB and parsed.values.host_energy_j is not None
    return Trust.RUN_HERE if is_run_here else Trust.CHECKS_PASSED


def _has_evidence(parsed: ParsedResult) -> bool:
    from_file = all(parsed.origins.get(name) == Origin.FILE for name in NAMED_BY_FILE)
    measured = all(getattr(parsed.values, name) is not None for name in NEEDED_FOR_CHECKS_PASSED)
    return bool(from_file and measured and parsed.environment)


def check_stored(results: Sequence[Result]) -> list[list[checks.Finding]]:
    """Check stored results again with what the catalogue and the leaderboard now know, in their order.

    DUP1 is not asked again: what was there first does not change.
    """
    around = surroundings_of(standings_of(results))
    return [
        check(parsed_from(result), Targets(result.model, result.hardware, result.backend), around=near)
        for result, near in zip(results, around, strict=True)
    ]


@transaction.atomic
def rescore(result: Result, findings: Sequence[checks.Finding]) -> None:
    """Give a stored result these findings and the trust that follows."""
    result.findings.exclude(code="DUP1").delete()
    Finding.objects.bulk_create(finding_rows(result, findings))
    result.trust = trust_level(parsed_from(result), findings, Judged.of(result.submission))
    result.save(update_fields=["trust"])


def finding_rows(result: Result, findings: Iterable[checks.Finding]) -> list[Finding]:
    return [
        Finding(
            result=result,
            code=finding.code,
            severity=finding.severity.value,
            observed=finding.observed,
            limit=finding.limit,
            message=finding.message,
            field=finding.field or "",
            check_set=checks.CHECK_SET,
        )
        for finding in findings
    ]


def apply_price(result: Result) -> None:
    """Fill the cost columns from throughput, GPU count and the catalogue's price."""
    seconds = gpu_seconds_per_million_tokens(result.gpu_count, result.throughput_tokens_per_s)
    price = result.hardware.usd_per_gpu_hour if result.hardware else None
    result.gpu_seconds_per_million_tokens = seconds
    result.cost_per_million_tokens_usd = cost_usd(seconds, price)


def normal_form(result: Result) -> NormalResult:
    """The stored result in the normal form, with the names as the file gave them."""
    values = {}
    for name in NormalResult.model_fields:
        value = getattr(result, NAME_COLUMNS.get(name, name))
        values[name] = None if value == "" else value
    return NormalResult.model_validate(values)


def parsed_from(result: Result) -> ParsedResult:
    """A stored result as its importer gave it."""
    cycles = [
        NormalResult.model_validate(
            {name: getattr(cycle, name) for name in NormalResult.model_fields if hasattr(cycle, name)}
        )
        for cycle in result.measurements.all()
    ]
    return ParsedResult(
        values=normal_form(result),
        origins={name: Origin(origin) for name, origin in result.origins.items()},
        file=result.file,
        notes=result.notes,
        cycles=cycles,
        stated_statistics=_stated_statistics(result, cycles),
        config=result.config,
        environment=result.environment,
        warnings=result.warnings,
        identity=result.identity,
    )


def _stated_statistics(result: Result, cycles: Sequence[NormalResult]) -> dict[str, dict[str, float]]:
    """What the file itself stated: all that is kept of a result without cycles, none of one with them."""
    kept = {} if cycles else result.statistics
    return {name: {key: value for key, value in figures.items() if value is not None} for name, figures in kept.items()}


def _pk(row: LanguageModel | Hardware | Backend | None) -> int | None:
    return None if row is None else row.pk


def hardware_facts(hardware: Hardware | None) -> HardwareFacts | None:
    if hardware is None:
        return None
    tflops = {
        precision: value
        for precision in ("fp16", "bf16", "fp8", "fp4")
        if (value := getattr(hardware, f"{precision}_dense_tflops")) is not None
    }
    return HardwareFacts(
        name=hardware.name,
        vendor=hardware.vendor,
        memory_gb=hardware.memory_gb,
        bandwidth_gb_per_s=hardware.bandwidth_gb_per_s,
        tflops=tflops,
        tdp_w=hardware.tdp_w,
    )


def model_facts(model: LanguageModel | None) -> ModelFacts | None:
    if model is None:
        return None
    return ModelFacts(
        name=model.name,
        parameters_total_b=model.parameters_total_b,
        parameters_active_b=model.parameters_active_b,
    )
