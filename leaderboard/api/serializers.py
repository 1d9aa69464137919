"""The shapes of what the API takes and answers. Answers are built in bodies.py, for speed; these describe them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from leaderboard.field_kinds import KINDS, FieldKind
from leaderboard.metrics import BY_NAME
from leaderboard.models import (
    BatchState,
    Finding,
    Licence,
    Provenance,
    ReviewAction,
    SubmissionStatus,
    Visibility,
)
from leaderboard.models.result import TRUST_CODES
from leaderboard.normal import Origin
from leaderboard.result_values import PRICED, REPORTED
from lemsite.lib.api_schema import ErrorSerializer

TRUST_LEVELS = tuple(TRUST_CODES.values())
#: what an owner may set: the steps open to them, and what finishes a draft
STEP_CHOICES = [
    (step.value, step.label) for step in (SubmissionStatus.PENDING, SubmissionStatus.WITHDRAWN, SubmissionStatus.DRAFT)
]
FINISHED_CHOICES = [(seen_by.value, seen_by.label) for seen_by in (Visibility.PUBLIC, Visibility.PRIVATE)]
_FIELDS: dict[type, type[serializers.Field[Any, Any, Any, Any]]] = {
    int: serializers.IntegerField,
    float: serializers.FloatField,
    bool: serializers.BooleanField,
    str: serializers.CharField,
    datetime: serializers.DateTimeField,
}
_MEANINGS = {
    "model": "the catalogue's org/name, or the name as given where the catalogue does not know it",
    "hardware": "the catalogue's slug, or the name as given where the catalogue does not know it",
    "backend": "the catalogue's slug, or the name as given where the catalogue does not know it",
}
_MEASURES = ("mean", "sd", "ci95_low", "ci95_high", "cv")


def _field(kind: FieldKind) -> serializers.Field[Any, Any, Any, Any]:
    words = _MEANINGS.get(kind.name, kind.meaning)
    words = f"{words} ({kind.unit})" if kind.unit and words else words or kind.unit
    if kind.choices:
        return serializers.ChoiceField(kind.choices, allow_null=True, help_text=words)
    return _FIELDS[kind.type](allow_null=True, help_text=words)


class StatisticsSerializer(serializers.Serializer[Any]):
    """One metric over the cycles."""

    n = serializers.IntegerField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: serializers.FloatField(allow_null=True) for name in _MEASURES}}


class NormalSerializer(serializers.Serializer[Any]):
    """The normal form: every metric by its name, null where it is unknown."""

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: _field(kind) for name, kind in KINDS.items()}}


class ResultSerializer(NormalSerializer):
    """One measured configuration as it stands in a list."""

    id = serializers.UUIDField(allow_null=True, help_text="null in a dry run")
    submission = serializers.UUIDField(allow_null=True)
    trust = serializers.ChoiceField(TRUST_LEVELS)
    licence = serializers.ChoiceField(
        Licence.choices, allow_null=True, help_text="SPDX; null for rows with a source_name, under the terms of it"
    )
    status = serializers.CharField(help_text="the status of its submission")
    is_simulated = serializers.BooleanField(help_text="made up by a job without a GPU; never ranked")
    url = serializers.URLField(allow_null=True, help_text="its page")
    statistics = serializers.DictField(child=StatisticsSerializer(), help_text="metric -> figures over the cycles")
    provenance = serializers.DictField(
        child=serializers.ChoiceField([origin.value for origin in Origin]), help_text="field -> where its value is from"
    )
    notes = serializers.DictField(child=serializers.CharField(), help_text="field -> how it was derived")

    def get_fields(self) -> dict[str, Any]:
        reported = {
            name: serializers.CharField(allow_null=True, help_text="the name as it was given") for name in REPORTED
        }
        priced = {
            name: serializers.FloatField(allow_null=True, help_text=f"{BY_NAME[name].meaning} ({BY_NAME[name].unit})")
            for name in PRICED
        }
        return {**super().get_fields(), **reported, **priced}


class FindingSerializer(serializers.Serializer[Any]):
    """What one check found."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(Finding.Severity.values, help_text="B blocks, R is for a moderator, W warns")
    observed = serializers.CharField()
    limit = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    check_set = serializers.CharField()


class PlacedFindingSerializer(FindingSerializer):
    """What one check found on one of several results."""

    result = serializers.IntegerField(help_text="the place of the result in `results`, from 0")


class ResultDetailSerializer(ResultSerializer):
    """One measured configuration with all that is known of it."""

    findings = FindingSerializer(many=True)
    config = serializers.DictField()
    environment = serializers.DictField()
    warnings = serializers.ListField(child=serializers.CharField(), help_text="the tool's own")
    file = serializers.CharField(help_text="the file of the upload that it was read from")


class MissingSerializer(serializers.Serializer[Any]):
    """A value that some result lacks and that may be stated."""

    field = serializers.CharField()
    why = serializers.CharField()


class IgnoredSerializer(serializers.Serializer[Any]):
    """A file of the upload that was left out."""

    file = serializers.CharField()
    why = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """What an upload was understood as."""

    status = serializers.CharField(help_text="draft or pending; impossible in a dry run that would be refused")
    trust = serializers.ChoiceField(TRUST_LEVELS, help_text="the lowest of its results")
    shape = serializers.CharField()
    redacted = serializers.ListField(child=serializers.CharField(), help_text="what was removed before storing")
    results = ResultSerializer(many=True)
    findings = PlacedFindingSerializer(many=True)
    missing = MissingSerializer(many=True)
    ignored = IgnoredSerializer(many=True)


class SubmissionRowSerializer(serializers.Serializer[Any]):
    """A submission as it stands in a list."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(SubmissionStatus.choices)
    trust = serializers.ChoiceField(TRUST_LEVELS, help_text="the lowest of its results")
    url = serializers.URLField(help_text="its page")
    shape = serializers.CharField()
    visibility = serializers.ChoiceField(Visibility.choices)
    licence = serializers.ChoiceField(Licence.choices)
    version = serializers.IntegerField(help_text="counts up when the files are replaced")
    provenance = serializers.ChoiceField(Provenance.choices)
    is_simulated = serializers.BooleanField(help_text="made up by a job without a GPU; never ranked")
    owner = serializers.CharField(allow_null=True)
    check_set = serializers.CharField()
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)


class FileSerializer(serializers.Serializer[Any]):
    """One file of a submission, as it is stored after redaction."""

    name = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class SubmissionSerializer(SubmissionRowSerializer):
    """A submission with its results, findings and files."""

    redacted = serializers.ListField(child=serializers.CharField())
    results = ResultSerializer(many=True)
    findings = PlacedFindingSerializer(many=True)
    missing = MissingSerializer(many=True)
    stated = serializers.DictField()
    note = serializers.CharField(allow_null=True, help_text="Markdown; null for others before it is published")
    files = FileSerializer(many=True)


class CreatedSerializer(SubmissionSerializer):
    """A submission just stored, and which files of the upload were left out."""

    ignored = IgnoredSerializer(many=True)


class BatchRowSerializer(serializers.Serializer[Any]):
    """An upload of many files that is read in the background."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(BatchState.choices)
    url = serializers.URLField(help_text="where the API says how far it is")


class AcceptedSerializer(serializers.Serializer[Any]):
    """Many files: they are read in the background."""

    batch = BatchRowSerializer()


class RefusedSerializer(serializers.Serializer[Any]):
    """A file that could not be read, or a result that cannot be right."""

    file = serializers.CharField()
    message = serializers.CharField()


class BatchSerializer(BatchRowSerializer):
    """How far an upload of many files is, and what came of it."""

    files_done = serializers.IntegerField()
    files_total = serializers.IntegerField(help_text="0 while they have not been counted")
    refused = RefusedSerializer(many=True)
    submission = serializers.UUIDField(allow_null=True)
    submission_url = serializers.URLField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class EventSerializer(serializers.Serializer[Any]):
    """One line of the audit log."""

    action = serializers.ChoiceField(ReviewAction.choices)
    from_status = serializers.CharField()
    to_status = serializers.CharField()
    reason = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()


class HistorySerializer(serializers.Serializer[Any]):
    """The audit log of one submission, oldest first."""

    results = EventSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="always null: the log comes whole")


class StrictSerializer(serializers.Serializer[Any]):
    """Input: a field that is not known is an error, not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields] if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {str(name)[:80]: f"is not a field here; known are {known}" for name in unknown}
            )
        return super().to_internal_value(data)


class StatedSerializer(StrictSerializer):
    """Values that the files lack; a value of null takes an earlier statement back."""

    stated = serializers.DictField(required=False)


class ChangesSerializer(StatedSerializer):
    """What its owner may change of a submission."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    visibility = serializers.ChoiceField(FINISHED_CHOICES, required=False)
    status = serializers.ChoiceField(
        STEP_CHOICES,
        required=False,
        help_text="pending hands a draft in for review, draft recalls it, withdrawn takes a submission back for good",
    )
    licence = serializers.ChoiceField(Licence.choices, required=False, help_text="with a step that hands it in")
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="for withdrawing or recalling"
    )


class ModelSerializer(serializers.Serializer[Any]):
    """A language model of the catalogue; parameters in 10^9."""

    name = serializers.CharField()
    title = serializers.CharField()
    organisation = serializers.CharField()
    family = serializers.CharField()
    parameters_total_b = serializers.FloatField(allow_null=True)
    parameters_active_b = serializers.FloatField(allow_null=True, help_text="read per token")
    licence = serializers.CharField(allow_null=True)
    source_url = serializers.URLField(allow_null=True)
    aliases = serializers.ListField(child=serializers.CharField())
    results = serializers.IntegerField(help_text="ranked results")
    url = serializers.URLField()


class HardwareSerializer(serializers.Serializer[Any]):
    """A GPU profile of the catalogue; units are in the names."""

    slug = serializers.CharField()
    name = serializers.CharField()
    vendor = serializers.CharField()
    architecture = serializers.CharField(allow_null=True)
    memory_gb = serializers.FloatField(allow_null=True)
    bandwidth_gb_per_s = serializers.FloatField(allow_null=True)
    fp16_dense_tflops = serializers.FloatField(allow_null=True)
    bf16_dense_tflops = serializers.FloatField(allow_null=True)
    fp8_dense_tflops = serializers.FloatField(allow_null=True)
    fp4_dense_tflops = serializers.FloatField(allow_null=True)
    tdp_w = serializers.FloatField(allow_null=True)
    usd_per_gpu_hour = serializers.FloatField(allow_null=True)
    price_source = serializers.CharField(allow_null=True)
    price_date = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_null=True)
    sources = serializers.ListField(child=serializers.DictField())
    aliases = serializers.ListField(child=serializers.CharField())
    results = serializers.IntegerField(help_text="ranked results")
    url = serializers.URLField()


class BoardSerializer(serializers.Serializer[Any]):
    """One page of the leaderboard."""

    results = ResultSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="the following page; null on the last")
    view = serializers.CharField()
    sort = serializers.CharField()


class ImpossibleSerializer(ErrorSerializer):
    """A refused upload, and what the checks found on its results."""

    findings = PlacedFindingSerializer(many=True)


class TombstoneSerializer(ErrorSerializer):
    """What stands where a published result was."""

    tombstone = serializers.DictField()


class ShareSerializer(StrictSerializer):
    """Someone whom a private submission is shared with."""

    username = serializers.CharField(max_length=151)


class SharesSerializer(serializers.Serializer[Any]):
    """Whom a private submission is shared with."""

    shared_with = serializers.ListField(child=serializers.CharField())
