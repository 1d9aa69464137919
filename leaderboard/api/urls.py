from leaderboard.api.views import (
    analysis,
    batches,
    benchmarks,
    catalogue,
    community,
    comparing,
    dumps,
    exports,
    owning,
    people,
    submissions,
)
from lemsite.lib.api_paths import api_path

# /api/benchmarks
benchmark_urls = [
    *api_path("benchmarks", benchmarks.BenchmarkList.as_view(), "benchmark-list"),
    *api_path("benchmarks.csv", exports.CSVExport.as_view(), "benchmark-csv"),
    *api_path("benchmarks.json", exports.JSONExport.as_view(), "benchmark-json"),
    *api_path("benchmarks.parquet", exports.ParquetExport.as_view(), "benchmark-parquet"),
    *api_path("benchmarks/<uuid:pk>", benchmarks.BenchmarkDetail.as_view(), "benchmark"),
    *api_path("benchmarks/<uuid:pk>/raw", benchmarks.BenchmarkRaw.as_view(), "benchmark-raw"),
    *api_path("benchmarks/<uuid:pk>/comments", community.BenchmarkComments.as_view(), "benchmark-comments"),
    *api_path("benchmarks/<uuid:pk>/disputes", community.BenchmarkDisputes.as_view(), "benchmark-disputes"),
]

# /api/dumps
dump_urls = [
    *api_path("dumps", dumps.DumpList.as_view(), "dump-list"),
]

# /api/comments
comment_urls = [
    *api_path("comments/<int:pk>", community.CommentDetail.as_view(), "comment"),
]

# /api/submissions
submission_urls = [
    *api_path("submissions", submissions.SubmissionList.as_view(), "submission-list"),
    *api_path("submissions/<uuid:pk>", submissions.SubmissionDetail.as_view(), "submission"),
    *api_path("submissions/<uuid:pk>/raw", submissions.SubmissionRaw.as_view(), "submission-raw"),
    *api_path("submissions/<uuid:pk>/files", owning.SubmissionFiles.as_view(), "submission-files"),
    *api_path("submissions/<uuid:pk>/shares", owning.SubmissionShares.as_view(), "submission-shares"),
    *api_path("submissions/<uuid:pk>/history", submissions.SubmissionHistory.as_view(), "submission-history"),
]

# /api/batches
batch_urls = [
    *api_path("batches/<uuid:pk>", batches.BatchDetail.as_view(), "batch"),
]

# /api/models, /api/hardware
catalogue_urls = [
    *api_path("models", catalogue.ModelList.as_view(), "model-list"),
    *api_path("models/<word:organisation>/<word:name>", catalogue.ModelDetail.as_view(), "model"),
    *api_path("hardware", catalogue.HardwareList.as_view(), "hardware-list"),
    *api_path("hardware/<slug:slug>", catalogue.HardwareDetail.as_view(), "hardware"),
]

# /api/analysis
analysis_urls = [
    *api_path("analysis", analysis.Analysis.as_view(), "analysis"),
]

# /api/compare
compare_urls = [
    *api_path("compare", comparing.Comparison.as_view(), "compare"),
]

# /api/users/<name>
people_urls = [
    *api_path("users/<word:name>/submissions", people.PersonSubmissions.as_view(), "user-submissions"),
]

urlpatterns = [
    *benchmark_urls,
    *dump_urls,
    *comment_urls,
    *submission_urls,
    *batch_urls,
    *catalogue_urls,
    *people_urls,
    *compare_urls,
    *analysis_urls,
]
