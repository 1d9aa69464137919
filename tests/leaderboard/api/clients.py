"""How the tests talk to the API, and one plausible measurement to send."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.test import APIClient

from accounts.services.tokens import create_token

BENCHMARKS = "/api/benchmarks"
#: one plausible measurement in the normal form: physics and identities hold
SAMPLE: dict[str, Any] = {
    "model": "openai-community/gpt2",
    "hardware": "a100-pcie-40",
    "gpu_count": 1,
    "backend": "transformers",
    "precision": "bf16",
    "batch_size": 1,
    "output_tokens": 6400,
    "input_tokens": 12800,
    "duration_s": 43.0,
    "throughput_tokens_per_s": 148.837209,
    "total_energy_j": 2280.0,
    "tokens_per_joule": 2.807018,
    "energy_per_output_token_j": 0.35625,
    "energy_scope": "gpu",
}


def client_of(user: Any, *scopes: str) -> APIClient:
    _, plain = create_token(user=user, name="test", scopes=scopes or ("read", "submit"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")
    return client


def post_json(client: Any, body: Any, query: str = "") -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.generic("POST", f"{BENCHMARKS}{query}", raw, content_type="application/json")


def stored_files(folder: Any) -> list[Any]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
