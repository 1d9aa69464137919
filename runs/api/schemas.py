"""/schemas/<name>.schema.json: the contract's JSON Schemas, made from the types that validate."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from runs.wire import Body, EvalScore, GpuConfig, ProgressEvent, RunBody

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SHAPES: dict[str, type[Body]] = {
    "ProgressEvent": ProgressEvent,
    "EvalScore": EvalScore,
    "Run": RunBody,
    "GpuConfig": GpuConfig,
}


def json_schema(name: str) -> dict[str, Any]:
    """The schema of one shape, draft 2020-12. Raises KeyError for a name that is not in SHAPES."""
    return {"$schema": DRAFT, "$id": f"/schemas/{name}.schema.json", **SHAPES[name].model_json_schema(), "title": name}


@require_safe
def schema(request: HttpRequest, name: str) -> JsonResponse:
    """ProgressEvent and progress-event are the same name."""
    found = next((known for known in SHAPES if known.lower() == name.lower().replace("-", "").replace("_", "")), None)
    if found is None:
        raise Http404
    return JsonResponse(json_schema(found), content_type="application/schema+json")
