"""The rows of the leaderboard: catalogue, submissions, results, ranking, moderation, and what readers add."""

from leaderboard.models.batch import BatchState, StatedDefaults, UploadBatch
from leaderboard.models.catalogue import (
    Backend,
    BackendAlias,
    Hardware,
    HardwareAlias,
    LanguageModel,
    ModelAlias,
    UnknownName,
    fold_name,
)
from leaderboard.models.community import Comment, CommentReport, Watch
from leaderboard.models.moderation import CannedAnswer, Dispute, DisputeState, ScoreReview, ScoreReviewState
from leaderboard.models.ranking import BestResult, DataVersion, FacetCounts
from leaderboard.models.result import Finding, Measurement, Result, Trust
from leaderboard.models.sharing import Dump, SavedComparison, ShortLink, WeeklyDigest
from leaderboard.models.submission import (
    OPEN,
    TRANSITIONS,
    Licence,
    Provenance,
    RawFile,
    ReviewAction,
    ReviewEvent,
    Share,
    Submission,
    SubmissionStatus,
    SubmissionVersion,
    Tombstone,
    Visibility,
)

__all__ = [
    "OPEN",
    "TRANSITIONS",
    "Backend",
    "BackendAlias",
    "BatchState",
    "BestResult",
    "CannedAnswer",
    "Comment",
    "CommentReport",
    "DataVersion",
    "Dispute",
    "DisputeState",
    "Dump",
    "FacetCounts",
    "Finding",
    "Hardware",
    "HardwareAlias",
    "LanguageModel",
    "Licence",
    "Measurement",
    "ModelAlias",
    "Provenance",
    "RawFile",
    "Result",
    "ReviewAction",
    "ReviewEvent",
    "SavedComparison",
    "ScoreReview",
    "ScoreReviewState",
    "Share",
    "ShortLink",
    "StatedDefaults",
    "Submission",
    "SubmissionStatus",
    "SubmissionVersion",
    "Tombstone",
    "Trust",
    "UnknownName",
    "UploadBatch",
    "Visibility",
    "Watch",
    "WeeklyDigest",
    "fold_name",
]
