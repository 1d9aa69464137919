from django.urls import URLPattern

# /api/jobs
job_urls: list[URLPattern] = []

# /api/agent/v1
agent_urls: list[URLPattern] = []

urlpatterns = [*job_urls, *agent_urls]
