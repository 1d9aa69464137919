from django.urls import URLPattern, path

from jobs.views import agents, jobs, ordering, racing, status

app_name = "jobs"

# /jobs/new/, /races/new/, /results/<id>/verify/
ordering_urls: list[URLPattern] = [
    path("jobs/new/", ordering.job_new, name="new"),
    path("results/<uuid:pk>/verify/", ordering.result_verify, name="verify"),
]

# /jobs/, /jobs/<id>/
job_urls: list[URLPattern] = [
    path("jobs/", jobs.job_list, name="list"),
    path("jobs/<int:pk>/", jobs.job_detail, name="detail"),
    path("jobs/<int:pk>/status/", jobs.job_status, name="detail_status"),
    path("jobs/<int:pk>/cancel/", jobs.job_cancel, name="cancel"),
    path("jobs/<int:pk>/hold/", jobs.job_hold, name="hold"),
    path("jobs/<int:pk>/release/", jobs.job_release, name="release"),
    path("jobs/<int:pk>/priority/", jobs.job_priority, name="priority"),
    path("jobs/<int:pk>/attempts/<int:number>/log.txt", jobs.job_log, name="log"),
    path("jobs/<int:pk>/attempts/<int:number>/series.json", jobs.job_series, name="series"),
]

# /agents/, /agents/<id>/
agent_urls: list[URLPattern] = [
    path("agents/", agents.agent_list, name="agents"),
    path("agents/enrol/", agents.agent_enrol, name="agent_enrol"),
    path("agents/<uuid:pk>/", agents.agent_detail, name="agent"),
    path("agents/<uuid:pk>/rotate/", agents.agent_rotate, name="agent_rotate"),
    *(
        path(f"agents/<uuid:pk>/{step}/", agents.agent_step, {"step": step}, name=f"agent_{step}")
        for step in agents.STEPS
    ),
]

# /races/, /races/<id>/
race_urls: list[URLPattern] = [
    path("races/", racing.race_list, name="race_list"),
    path("races/new/", racing.race_new, name="race_new"),
    path("races/<int:pk>/", racing.race_detail, name="race"),
    path("races/<int:pk>/cancel/", racing.race_cancel, name="race_cancel"),
]

# /status/
status_urls: list[URLPattern] = [path("status/", status.status, name="site_status")]

urlpatterns = [*status_urls, *ordering_urls, *job_urls, *agent_urls, *race_urls]
