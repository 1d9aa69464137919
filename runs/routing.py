from django.urls import re_path

from runs.consumers import RunConsumer

websocket_urlpatterns = [
    re_path(r"^ws/runs/(?P<key>[^/\x00-\x1f\x7f]+)/?$", RunConsumer.as_asgi()),  # type: ignore[arg-type]  # an ASGI application
]
