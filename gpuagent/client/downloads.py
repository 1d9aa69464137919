"""One file from the site to a file here."""

from __future__ import annotations

from gpuagent.client.sinks import Destination, Download, Sink
from gpuagent.client.steps import Request, Save, Steps, ask


def download(request: Request, to: Destination, *, sha256: str = "") -> Steps[Download]:
    """Raises Damaged where the digest is another one; a file at `to` is then as it was."""
    sink = Sink(to)
    try:
        yield from ask(Save(request, sink))
        return sink.finish(sha256)
    finally:
        sink.abandon()
