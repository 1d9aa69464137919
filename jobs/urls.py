from django.urls import URLPattern

app_name = "jobs"

# /jobs/new/, /races/new/, /results/<id>/verify/
ordering_urls: list[URLPattern] = []

# /jobs/, /jobs/<id>/
job_urls: list[URLPattern] = []

# /agents/, /agents/<id>/
agent_urls: list[URLPattern] = []

urlpatterns = [*ordering_urls, *job_urls, *agent_urls]
