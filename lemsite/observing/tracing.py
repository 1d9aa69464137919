"""Traces to an OpenTelemetry collector: a span for each request, by its route, and one for each query on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from lemsite import __version__
from lemsite.lib import request_ids
from lemsite.observing.middleware import route_of

MIDDLEWARE = "lemsite.observing.tracing.traced"


def start() -> None:
    """Before the first request: Django reads its list of middleware only once."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    names = {"service.name": settings.OTEL_SERVICE_NAME, "service.version": __version__}
    sampler = ParentBased(TraceIdRatioBased(settings.OTEL_SAMPLE_PERCENT / 100))
    provider = TracerProvider(resource=Resource.create(names), sampler=sampler)
    address = f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    trace.set_tracer_provider(provider)
    # Queries without their parameters, which are the default.
    PsycopgInstrumentor().instrument(skip_dep_check=True)
    if MIDDLEWARE not in settings.MIDDLEWARE:
        settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]


def traced(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The trace goes on that a caller or the proxy began (traceparent)."""
    from opentelemetry import propagate, trace

    tracer = trace.get_tracer("lemsite", __version__)

    def middleware(request: HttpRequest) -> HttpResponse:
        method = request.method or ""
        carrier = {name.lower(): value for name, value in request.headers.items()}
        context: Any = propagate.extract(carrier)
        with tracer.start_as_current_span(method, context=context, kind=trace.SpanKind.SERVER) as span:
            response = get_response(request)
            route = route_of(request)
            span.update_name(f"{method} {route}")
            span.set_attributes({"http.request.method": method, "http.route": route})
            span.set_attributes({"http.response.status_code": response.status_code})
            span.set_attribute("lemsite.request_id", request_ids.current())
            if response.status_code >= 500:
                span.set_status(trace.StatusCode.ERROR)
            return response

    return middleware
