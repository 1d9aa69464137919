from django.urls import URLPattern, path

from jobs.api import agent_calls as calls
from jobs.api import agent_intake as intake
from jobs.api import jobs
from lemsite.lib.api_paths import api_path

# /api/jobs
job_urls: list[URLPattern] = [
    *api_path("jobs", jobs.JobList.as_view(), "jobs"),
    *api_path("jobs/estimate", jobs.JobEstimate.as_view(), "job-estimate"),
    *api_path("jobs/<int:pk>", jobs.JobDetail.as_view(), "job"),
    *api_path("jobs/<int:pk>/cancel", jobs.JobCancel.as_view(), "job-cancel"),
    *api_path("jobs/<int:pk>/log", jobs.JobLog.as_view(), "job-log"),
]

# /api/agent/v1
agent_urls: list[URLPattern] = [
    path("agent/v1/meta", intake.Meta.as_view(), name="agent-meta"),
    path("agent/v1/enroll", intake.Enroll.as_view(), name="agent-enroll"),
    path("agent/v1/session", intake.Session.as_view(), name="agent-session"),
    path("agent/v1/token/rotate", intake.RotateToken.as_view(), name="agent-rotate"),
    path("agent/v1/claim", calls.Claim.as_view(), name="agent-claim"),
    path("agent/v1/heartbeat", calls.Heartbeat.as_view(), name="agent-heartbeat"),
    path("agent/v1/attempts/<uuid:pk>/accept", calls.Accept.as_view(), name="agent-accept"),
    path("agent/v1/attempts/<uuid:pk>/decline", calls.Decline.as_view(), name="agent-decline"),
    path("agent/v1/attempts/<uuid:pk>/finish", calls.Finish.as_view(), name="agent-finish"),
    path("agent/v1/attempts/<uuid:pk>/log", intake.Log.as_view(), name="agent-log"),
    path("agent/v1/attempts/<uuid:pk>/events", intake.Events.as_view(), name="agent-events"),
    path("agent/v1/attempts/<uuid:pk>/telemetry", intake.Telemetry.as_view(), name="agent-telemetry"),
    path("agent/v1/attempts/<uuid:pk>/artifacts", intake.Artifacts.as_view(), name="agent-artifacts"),
    path("agent/v1/artifacts/<uuid:pk>", intake.ArtifactPieces.as_view(), name="agent-artifact"),
]

urlpatterns = [*job_urls, *agent_urls]
