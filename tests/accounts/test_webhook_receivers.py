"""The receivers of docs/notifications.md do what the page says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from accounts.models import DeliveryState, WebhookAttempt, WebhookDelivery
from accounts.services.delivering import deliver_due, sign
from accounts.services.webhooks import create_endpoint, new_secret, send_test

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
PATIENCE_S = 30


def block(language):
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return code


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running(tmp_path, secret, port):
    script = tmp_path / "receiver.py"
    script.write_text(block("python"), encoding="utf-8")
    environment = {**os.environ, "WEBHOOK_SECRET": secret}
    process = subprocess.Popen(
        [sys.executable, script, str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def port(settings):
    number = free_port()
    settings.WEBHOOK_PRIVATE_HOSTS = [f"127.0.0.1:{number}"]
    return number


@pytest.mark.django_db
def test_the_receiver_in_python_takes_what_is_genuine(owner, port, tmp_path):
    endpoint, secret = create_endpoint(user=owner, url=f"http://127.0.0.1:{port}/")
    send_test(endpoint=endpoint)

    with running(tmp_path, secret, port) as receiver:
        deliver_due()
        said = receiver.stdout.readline()

    delivery = WebhookDelivery.objects.get()
    assert said == f"{delivery.event_id} webhook.test A test\n"
    assert delivery.state == DeliveryState.DELIVERED


@pytest.mark.django_db
def test_the_receiver_in_python_refuses_what_another_secret_signed(owner, port, tmp_path):
    endpoint, _ = create_endpoint(user=owner, url=f"http://127.0.0.1:{port}/")
    send_test(endpoint=endpoint)

    with running(tmp_path, new_secret(), port):
        deliver_due()

    assert WebhookAttempt.objects.get().status == 401


def test_the_lines_for_a_shell_make_the_same_signature(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here")
    secret, body = new_secret(), '{"type":"webhook.test","title":"ü"}'
    (tmp_path / "body.json").write_text(body, encoding="utf-8")

    said = subprocess.run(
        ["sh", "-c", block("sh")],
        cwd=tmp_path,
        env={**os.environ, "WEBHOOK_SECRET": secret, "id": "event", "timestamp": "1614265330"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    expected = sign(secrets=[secret], event_id="event", timestamp=1614265330, body=body.encode())
    assert f"v1,{said.strip()}" == expected


def test_the_receiver_in_node_says_the_same(tmp_path):
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not here")
    secret, body, timestamp = new_secret(), b'{"a":1}', str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"event.{timestamp}.".encode() + body, hashlib.sha256).digest()
    headers = {"id": "event", "timestamp": timestamp, "signature": "v1,AAAA v1," + base64.b64encode(digest).decode()}
    given = "{" + ", ".join(f'"webhook-{name}": "{value}"' for name, value in headers.items()) + "}"
    calls = ", ".join(f"isGenuine('{secret}', {given}, Buffer.from('{text}'))" for text in (body.decode(), '{"a":2}'))
    (tmp_path / "check.mjs").write_text(f"{block('js')}\nconsole.log({calls});\n", encoding="utf-8")

    said = subprocess.run([node, "check.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert said == "true false\n"
