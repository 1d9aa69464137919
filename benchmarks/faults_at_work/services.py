"""Services of a measurement's own that can fail: Redis, an S3 server, a small disk, a receiver of webhooks."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.load.site import free_port

STARTS_WITHIN_S = 60.0
S3_KEY, S3_SECRET, REGION = "key", "secret", "us-east-1"


class NotHere(RuntimeError):
    """This machine lacks what a fault needs."""


@contextmanager
def redis_server() -> Iterator[int]:
    """The port of a Redis with nothing in it that nobody else uses."""
    program = shutil.which("redis-server")
    if program is None:
        raise NotHere("redis-server is not installed")
    port = free_port()
    with _process([program, "--port", str(port), "--save", "", "--appendonly", "no"], port):
        yield port


@contextmanager
def s3_server() -> Iterator[int]:
    """The port of an S3 server with a bucket `files`."""
    try:
        import boto3
        import moto.server  # noqa: F401 - is it here?
    except ImportError:
        raise NotHere("moto[server] is not installed") from None
    port = free_port()
    with _process([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port):
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=S3_KEY,
            aws_secret_access_key=S3_SECRET,
            region_name=REGION,
        )
        client.create_bucket(Bucket="files")
        yield port


def storage_url(port: int) -> str:
    return f"s3://{S3_KEY}:{S3_SECRET}@127.0.0.1:{port}/files?region={REGION}&insecure=1"


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of so many MB, in memory."""
    if os.geteuid() != 0:
        raise NotHere("only root can mount a small file system")
    folder = Path(tempfile.mkdtemp(prefix="lemsite-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        folder.rmdir()
        raise NotHere("this machine does not let a file system be mounted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        with suppress(OSError):
            folder.rmdir()


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


class Receiver(threading.Thread):
    """Counts the webhooks that come, by their id."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ids: Counter[str] = Counter()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.ids[self.headers.get("webhook-id", "")] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
                """Nothing: what matters is counted."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"

    def run(self) -> None:
        self._server.serve_forever()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def _process(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{command[0]} did not start.")
        yield
    finally:
        process.kill()
        process.wait()


def made_rows(environment: dict[str, str], root: Path, *arguments: str) -> dict[str, list[str]]:
    command = [sys.executable, "-m", "benchmarks.faults_at_work.rows", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    made: dict[str, list[str]] = json.loads(done.stdout)
    return made
