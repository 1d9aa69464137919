"""A server on this machine that takes a commit as Hugging Face does: preupload, LFS batch, upload, verify, commit."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_a-token-for-tests"


class FakeHub(ThreadingHTTPServer):
    """What it was sent: `files` of the dataset, commit summaries, and the headers of each upload."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.objects: dict[str, bytes] = {}
        self.summaries: list[str] = []
        self.upload_headers: list[dict[str, str]] = []
        #: path of the request -> status that it is answered with
        self.refused: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self._body()
        if not self._is_let_in():
            return
        if self.path.endswith("/preupload/main"):
            modes = [
                {"path": file["path"], "uploadMode": _mode(file["path"]), "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            self._answer({"files": modes})
        elif self.path.endswith("/info/lfs/objects/batch"):
            self._answer({"transfer": "basic", "objects": [self._action(one) for one in json.loads(body)["objects"]]})
        elif self.path == "/verify":
            self._answer({})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        else:
            self._commit([json.loads(line) for line in body.splitlines()])

    def do_PUT(self) -> None:
        body = self._body()
        self.server.upload_headers.append(dict(self.headers))
        self.server.objects[hashlib.sha256(body).hexdigest()] = body
        self._answer({})

    def _action(self, wanted: dict[str, Any]) -> dict[str, Any]:
        upload = {"href": f"{self.server.url}/upload/{wanted['oid']}"}
        return {**wanted, "actions": {"upload": upload, "verify": {"href": f"{self.server.url}/verify"}}}

    def _commit(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                self.server.summaries.append(value["summary"])
            elif line["key"] == "lfsFile":
                self.server.files[value["path"]] = self.server.objects[value["oid"]]
            elif line["key"] == "file":
                self.server.files[value["path"]] = base64.b64decode(value["content"])
        url = f"{self.server.url}/datasets/lemsite/results/commit/abc"
        self._answer({"success": True, "commitOid": "abc", "commitUrl": url, "hookOutput": ""})

    def _is_let_in(self) -> bool:
        status = next((status for path, status in self.server.refused.items() if path in self.path), 200)
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            status = 401
        if status != 200:
            self._answer({"error": f"Refused, {self.headers.get('authorization')}"}, status)
        return status == 200

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, content: dict[str, Any], status: int = 200) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _mode(path: str) -> str:
    return "lfs" if path.endswith(".parquet") else "regular"


@contextmanager
def running_hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        thread = threading.Thread(target=hub.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()
