"""A site that speaks the agent protocol from memory, and fails as a test wants it to."""

import base64
import contextlib
import hashlib
import json
import re
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BASE = "/api/agent/v1"
TIMES = {"poll_s": 0.1, "heartbeat_s": 0.2, "lease_s": 30, "offer_s": 5, "flush_s": 0.1}
LIMITS = {
    "log_chunk": 4096, "log_total": 64 << 20, "artifact_chunk": 4096, "artifact_total": 1 << 30, "artifacts": 200,
    "artifact_inline": 2048, "artifact_batch": 3000, "telemetry_batch": 600, "events_batch": 100,
}  # fmt: skip
CONFIG = """task:
  model: Qwen/Qwen2.5-0.5B
  dataset:
    n_prompts: 4
  max_input_tokens: 64
  max_output_tokens: 64
engine: transformers
transformers:
  engine_params:
    dtype: bfloat16
  llem_execution:
    batch_size: 1
"""


class Problem(Exception):
    def __init__(self, status, code, headers=None, **extra):
        super().__init__(code)
        self.status, self.code, self.headers, self.extra = status, code, headers or {}, extra


@dataclass
class Attempt:
    id: str
    offer: dict
    claim_id: str = ""
    state: str = "queued"
    directive: str = "continue"
    log: bytes = b""
    events: dict = field(default_factory=dict)
    samples: dict = field(default_factory=dict)
    artifacts: dict = field(default_factory=dict)
    phases: list = field(default_factory=list)
    finish: dict | None = None
    finish_body: bytes = b""
    accepts: int = 0
    declined: dict | None = None
    go_in_s: float | None = None


class FakeProtocolSite:
    def __init__(self, **times):
        self.times, self.limits = {**TIMES, **times}, dict(LIMITS)
        self.attempts: dict[str, Attempt] = {}
        self.sessions, self.heartbeats, self.claims = [], [], []
        self.tokens = ["gpa_the-first-token-of-this-host"]
        self.code: str | None = "gpe_code"
        self.files: dict[str, dict] = {}
        self.calls: Counter = Counter()
        self.drain = False
        self.rotate = False
        #: path pattern -> how many answers get lost after they were made
        self.lose: dict[str, int] = {}
        #: path pattern -> answers given first: (status, code)
        self.refuse: dict[str, list] = {}
        self._lock = threading.Lock()
        self._port = 0
        self.start()

    def start(self):
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = site.take(self.command, self.path, self.headers, body)
                if status == 0:
                    self.close_connection = True
                    return
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)

            def handle(self):
                with contextlib.suppress(OSError):  # the agent was killed
                    super().handle()

            def log_message(self, *_):
                pass

        for method in ("GET", "POST", "PATCH", "DELETE", "HEAD"):
            setattr(Handler, f"do_{method}", Handler.do_any)
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def order(self, config=CONFIG, *, executor="simulate", collect=("out/**/*.json",), **more):
        """A job in the queue, as the attempt that it will be."""
        limits = {"fetch_s": 60, "wall_s": 60, "silence_s": 60, "disk_mib": 1000, **more.pop("limits", {})}
        offer = {
            "attempt": str(uuid.uuid4()), "job": len(self.attempts) + 1, "number": 1,
            "accept_within_s": self.times["offer_s"], "gpus": [], "executor": executor, "engine": "transformers",
            "image": None, "config": config, "config_sha256": hashlib.sha256(config.encode()).hexdigest(),
            "limits": limits, "collect": list(collect), "model": None, **more,
        }  # fmt: skip
        attempt = Attempt(offer["attempt"], offer)
        with self._lock:
            self.attempts[attempt.id] = attempt
        return attempt

    # answers

    def take(self, method, path, headers, body):
        with self._lock:
            call = f"{method} {re.sub(r'/[0-9a-f-]{36}', '/ID', path.removeprefix(BASE))}"
            self.calls[call] += 1
            if refused := next((self.refuse[key] for key in self.refuse if key in call and self.refuse[key]), None):
                status, code = refused.pop(0)
                return self.problem(Problem(status, code))
            match = re.match(rf"{BASE}/attempts/([^/]+)/", path)
            known = self.attempts.get(match[1]) if match else None
            told = {"X-Attempt-Directive": known.directive} if known else {}
            try:
                status, more, answer = self.answer(method, path, headers, body)
            except Problem as problem:
                problem.headers.update(told)
                return self.problem(problem)
            for key, left in self.lose.items():
                if key in call and left:
                    self.lose[key] -= 1
                    return 0, {}, b""
            return status, {**more, **told}, json.dumps(answer).encode() if answer is not None else b""

    def problem(self, problem):
        body = {"status": problem.status, "code": problem.code, "detail": problem.code, **problem.extra}
        return problem.status, problem.headers, json.dumps(body).encode()

    def answer(self, method, path, headers, body):
        path = path.removeprefix(BASE)
        if path in {"/meta", "/enroll"}:
            return self.enroll(json.loads(body)) if body else self.meta()
        if headers["Authorization"] not in {f"Bearer {token}" for token in self.tokens}:
            raise Problem(401, "not_authenticated")
        calls = {"/session": self.session, "/token/rotate": self.rotate_token}
        if path in calls:
            return calls[path](method, body)
        if not self.sessions or headers["X-Agent-Session"] != self.sessions[-1]["session"]:
            raise Problem(409, "session_replaced")
        asked = {"/claim": self.claim, "/heartbeat": self.heartbeat}
        if path in asked:
            return asked[path](json.loads(body))
        _, kind, pk, *call = path.split("/")
        if kind == "artifacts":
            return self.piece(pk, headers, body)
        if pk not in self.attempts:
            raise Problem(404, "no_attempt")
        return getattr(self, call[0])(self.attempts[pk], headers, body)

    def rotate_token(self, method, body):
        self.tokens.append(f"gpa_another-token-of-this-host-{len(self.tokens)}")
        self.rotate = False
        return 201, {}, {"token": self.tokens[-1]}

    def meta(self):
        return 200, {}, {"protocol": {"min": 1, "max": 1}, "limits": self.limits}

    def enroll(self, told):
        if told["code"] != self.code:
            raise Problem(401, "bad_code")
        self.code = None
        return 201, {}, {"agent": str(uuid.uuid4()), "token": self.tokens[0]}

    def session(self, method, body):
        if method == "DELETE":
            self.sessions.append({"session": ""})
            return 204, {}, None
        told = json.loads(body)
        session = {"session": str(uuid.uuid4()), "told": told}
        self.sessions.append(session)
        todo = [self.todo(one) for one in told["attempts"]]
        reply = {"session": session["session"], "times": self.times, "limits": self.limits, "attempts": todo}
        return 201, {}, {**reply, "drain": self.drain}

    def todo(self, told):
        attempt = self.attempts.get(told["id"])
        do = "upload" if attempt is None or told["exit"] else "resume"
        return {"id": told["id"], "do": attempt.directive if attempt and attempt.directive != "continue" else do}

    def claim(self, told):
        self.claims.append(told)
        known = next((one for one in self.attempts.values() if one.claim_id == told["claim_id"]), None)
        found = known or next((one for one in self.attempts.values() if one.state == "queued"), None)
        if found is None or self.drain:
            return 204, {}, None
        if found.state == "queued":
            found.state, found.claim_id = "offered", told["claim_id"]
            found.offer["gpus"] = found.offer["gpus"] or told["gpus"][:1]
        return 200, {}, found.offer

    def accept(self, attempt, headers, body):
        attempt.accepts += 1
        if attempt.state == "gone":
            raise Problem(410, "offer_gone")
        attempt.state = "running" if attempt.state == "offered" else attempt.state
        return 200, {}, {"lease_s": self.times["lease_s"]}

    def decline(self, attempt, headers, body):
        attempt.state, attempt.declined = "declined", json.loads(body)
        return 200, {}, {}

    def heartbeat(self, told):
        self.heartbeats.append(told)
        todo = []
        for one in told["attempts"]:
            attempt = self.attempts.get(one["id"])
            if attempt is None:
                continue
            if not attempt.phases or attempt.phases[-1] != one["phase"]:
                attempt.phases.append(one["phase"])
            todo.append({"id": one["id"], "do": attempt.directive, "go_in_s": attempt.go_in_s})
        return 200, {}, {"attempts": todo, "drain": self.drain, "rotate_token": self.rotate}

    def log(self, attempt, headers, body):
        match = re.fullmatch(r"bytes (\d+)-(\d+)/\*", headers["Content-Range"])
        assert match
        start, last = int(match[1]), int(match[2])
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        assert headers["Content-Digest"] == f"sha-256=:{digest}:"
        assert last - start + 1 == len(body)
        end = {"Range": f"bytes=0-{len(attempt.log) - 1}"} if attempt.log else {}
        if start > len(attempt.log):
            raise Problem(416, "log_gap", headers=end)
        attempt.log += body[len(attempt.log) - start :]
        return 202, {"Range": f"bytes=0-{len(attempt.log) - 1}"}, {}

    def events(self, attempt, headers, body):
        for event in json.loads(body)["events"]:
            attempt.events.setdefault(event["seq"], event)
        return 200, {}, {"next_seq": next(n for n in range(1, len(attempt.events) + 2) if n not in attempt.events)}

    def telemetry(self, attempt, headers, body):
        told = json.loads(body)
        if told["first_seq"] <= len(attempt.samples) + 1:
            for place, t in enumerate(told["t"]):
                attempt.samples[told["first_seq"] + place] = t
        return 200, {}, {"next_seq": len(attempt.samples) + 1}

    def artifacts(self, attempt, headers, body):
        told = json.loads(body)
        if "files" in told:
            return 201, {}, {"files": [self.announced(attempt, one) for one in told["files"]]}
        return 201, {}, self.announced(attempt, told)

    def announced(self, attempt, told):
        content = base64.b64decode(told.get("content", ""))
        if content and hashlib.sha256(content).hexdigest() != told["sha256"]:
            raise Problem(422, "digest_mismatch", offset=0)
        known = attempt.artifacts.setdefault(told["name"], {**told, "id": str(uuid.uuid4()), "content": content})
        self.files[known["id"]] = known
        if known["sha256"] != told["sha256"]:
            raise Problem(409, "other_digest")
        return {"id": known["id"], "offset": len(known["content"])}

    def piece(self, pk, headers, body):
        file = self.files[pk]
        if int(headers["Upload-Offset"]) != len(file["content"]):
            raise Problem(409, "wrong_offset", offset=len(file["content"]))
        file["content"] += body
        if len(file["content"]) == file["size"] and hashlib.sha256(file["content"]).hexdigest() != file["sha256"]:
            file["content"] = b""
            raise Problem(422, "digest_mismatch", offset=0)
        return 204, {"Upload-Offset": str(len(file["content"]))}, None

    def finish(self, attempt, headers, body):
        if attempt.finish is not None and attempt.finish_body != body:
            raise Problem(409, "finish_conflict")
        report = json.loads(body)
        if missing := self.missing(attempt, report):
            raise Problem(422, "incomplete", **missing)
        attempt.finish, attempt.finish_body, attempt.state = report, body, "done"
        return 200, {}, {"verdict": "accepted", "job_state": report["outcome"]}

    def missing(self, attempt, report):
        missing: dict = {}
        if len(attempt.log) != report["log"]["size"]:
            missing["log_from"] = len(attempt.log)
        if len(attempt.samples) < report["telemetry"]["last_seq"]:
            missing["telemetry_from"] = len(attempt.samples) + 1
        if len(attempt.events) < report["events"]["last_seq"]:
            missing["events_from"] = len(attempt.events) + 1
        whole = {name: len(file["content"]) == file["size"] for name, file in attempt.artifacts.items()}
        if lacking := [one["name"] for one in report["artifacts"] if not whole.get(one["name"])]:
            missing["artifacts"] = lacking
        return missing
