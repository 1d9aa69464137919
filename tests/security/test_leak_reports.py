"""Tokens that a scanner found in public: a signed report closes them, an unsigned one does nothing."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts.models import AuditAction, AuditEvent, Notification
from accounts.services.tokens import create_token, find_token
from jobs.models import AgentToken, EnrolmentCode
from jobs.services.agents import issue_code
from lemsite.leak_reports import TOKEN_PATTERN
from tests.jobs.calling import Host
from tests.jobs.factories import AgentFactory

pytestmark = pytest.mark.django_db
WHERE = "https://example.org/a-repository/blob/main/.env"


def pem(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def scanner():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def keys(scanner, tmp_path, settings):
    """The file of keys, as GitHub hands it out."""
    path = tmp_path / "keys.json"

    def write(**listed):
        rows = [{"key_identifier": name, "key": pem(key), "is_current": True} for name, key in listed.items()]
        path.write_text(json.dumps({"public_keys": rows}))

    write(one=scanner)
    settings.LEAK_REPORT_KEYS = str(path)
    return write


@pytest.fixture
def report(client, keys, scanner):
    def report(*tokens, body=None, key=scanner, key_id="one", signature=None):
        content = [{"token": token, "type": "lemsite_api_token", "url": WHERE} for token in tokens]
        raw = json.dumps(content).encode() if body is None else body
        signed = base64.b64encode(key.sign(raw, ec.ECDSA(SHA256()))).decode() if signature is None else signature
        headers = {"Github-Public-Key-Identifier": key_id, "Github-Public-Key-Signature": signed}
        return client.post("/api/leaks", raw, content_type="application/json", headers=headers)

    return report


def test_a_signed_report_closes_the_token_and_tells_its_owner(report, owner):
    token, plain = create_token(user=owner, name="ci", scopes=["submit"])

    answer = report(plain)

    token.refresh_from_db()
    assert answer.json()[0]["label"] == "true_positive"
    assert token.revoked_at is not None
    assert find_token(plain) is None
    assert WHERE in owner.notifications.get().text
    assert AuditEvent.objects.get(action=AuditAction.REVOKE_LEAKED_TOKEN).person == owner


def test_the_token_is_repeated_nowhere(report, owner, caplog):
    _, plain = create_token(user=owner, name="ci", scopes=["submit"])

    answer = report(plain)

    assert plain not in answer.text
    assert plain not in caplog.text
    assert plain not in str(list(Notification.objects.values())) + str(list(AuditEvent.objects.values()))


def test_the_same_report_again_tells_nobody_again(report, owner):
    _, plain = create_token(user=owner, name="ci", scopes=["submit"])

    labels = [report(plain).json()[0]["label"] for _ in range(3)]

    assert labels == ["true_positive"] * 3
    assert owner.notifications.count() == AuditEvent.objects.count() == 1


def test_the_token_of_a_host_is_closed(report, owner):
    agent = AgentFactory(owner=owner)
    plain = Host(agent).plain

    report(plain)

    assert AgentToken.objects.get(agent=agent).revoked_at is not None
    assert agent.name in owner.notifications.get().title


def test_a_code_that_enrols_hosts_is_closed(report, admin_user):
    code, plain = issue_code(by=admin_user, name="box")

    assert report(plain).json()[0]["label"] == "true_positive"
    assert EnrolmentCode.objects.get(pk=code.pk).expires_at < code.expires_at


@pytest.mark.parametrize("plain", ["", "lem_", "lem_aaaaaaaaaaaa_" + "0" * 64, "gpa_" + "0" * 36, "\U0001f511", "a_b"])
def test_what_is_no_token_of_ours_is_said_so(report, plain):
    assert report(plain).json()[0]["label"] == "false_positive"


def test_a_part_of_a_token_closes_nothing(report, owner):
    token, plain = create_token(user=owner, name="ci", scopes=["submit"])

    report(plain[:-1], f"lem_{token.key_id}_{'0' * 64}")

    assert find_token(plain) is not None


@pytest.mark.parametrize(
    "how",
    [
        {"signature": ""},
        {"signature": "not base64"},
        {"signature": base64.b64encode(b"0" * 70).decode()},
        {"key_id": "two"},
        {"key_id": ""},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=["none", "no-base64", "garbage", "unknown-key", "no-key", "another-key"],
)
def test_an_unsigned_report_is_refused_and_does_nothing(report, owner, how):
    _, plain = create_token(user=owner, name="ci", scopes=["submit"])

    assert report(plain, **how).status_code == 403
    assert find_token(plain) is not None


def test_a_signature_is_of_one_body(report, owner, scanner):
    _, plain = create_token(user=owner, name="ci", scopes=["submit"])
    other = base64.b64encode(scanner.sign(b"[]", ec.ECDSA(SHA256()))).decode()

    assert report(plain, signature=other).status_code == 403


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)])
def test_a_key_of_another_kind_does_not_count(report, keys, key):
    keys(other=key)

    assert report("x", key_id="other", signature="AAAA").status_code == 403


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"public_keys": [{"key_identifier": "one", "key": "x"}]}'])
def test_an_odd_file_of_keys_opens_nothing(report, settings, tmp_path, content):
    settings.LEAK_REPORT_KEYS = str(tmp_path / "odd.json")
    (tmp_path / "odd.json").write_text(content)

    assert report("x").status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'[{"token": 1}]', b"[" * 1000, b'["\\ud800"]', b"[" + b"{}," * 1001]
)
def test_a_signed_body_that_is_no_report_is_400(report, body):
    assert report(body=body).status_code == 400


def test_without_the_setting_there_is_no_such_address(client):
    assert client.post("/api/leaks", [], content_type="application/json").status_code == 404


def test_the_pattern_finds_every_kind_of_token(owner, admin_user):
    plain = [create_token(user=owner, name="a", scopes=["read"])[1], Host().plain]
    plain.append(issue_code(by=admin_user, name="box")[1])

    assert TOKEN_PATTERN.findall(f"x={plain[0]};\n{plain[1]} '{plain[2]}'") == plain
