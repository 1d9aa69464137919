"""Takes out of an uploaded file what names a person, a machine or a secret, before anything is stored.

Every pattern is linear by construction: it starts where a run of its own characters starts (a look-behind), runs are
possessive, and everything else is bounded, so no text can make it look at the same characters again and again.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lemsite.lib import strict_yaml
from lemsite.lib.strict_json import BadJson, loads

MARK = "[removed]"
MAX_JSON_BYTES = 16 << 20
MAX_JSON_NODES = 1_000_000
MAX_JSON_DEPTH = 32
#: a comment, or a text that looks like one
_COMMENT = re.compile(rb"(?:^|[ \t])#", re.MULTILINE)

_SECRET_KEY = re.compile(
    r"(?i)(?:^|[_-])(?:api_?-?key|apikey|secret|password|passwd|passphrase|authorization|credentials?|"
    r"private_?-?key|access_?-?key|secret_?-?key|cookie|token)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: keys that end in "token" and hold a word of a tokenizer, not a secret
_PLAIN_TOKENS = frozenset({"bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token"})
_MACHINE_KEYS = frozenset(
    {
        "host", "hostname", "host_name", "measurement_host", "fqdn", "node", "nodename", "node_name", "server_name",
        "machine_name", "computer_name", "ip", "ip_address", "mac_address", "user", "username", "user_name", "login",
        "home", "cwd", "working_dir", "output_dir", "gpu_uuid", "uuid",
    }
)  # fmt: skip
_PACKAGE_KEYS = frozenset({"installed_packages", "pip_freeze", "pip_packages", "conda_list", "conda_packages"})
#: in these a name@revision is a model, not a person
_MODEL_KEYS = frozenset({"model", "model_name", "model_id", "tokenizer", "revision", "image", "image_digest"})

_PATH_BODY = r"""[^\s"'`<>|*?;,)\]}]"""
_API_ROUTE = r"(?:v\d|api|openai|health|metrics|generate|ping)\b"
_PATHS = re.compile(
    rf"file:/{{1,3}}{_PATH_BODY}++"
    rf"|(?<![\w.:/~%+@-])~[\w-]{{0,40}}/{_PATH_BODY}*+"
    rf"|(?<![\w./~%+-])/(?!/|{_API_ROUTE})[\w.+@%~-]++/{_PATH_BODY}*+"
    rf"|(?<![\w./~%+-])/(?:home|root|Users|tmp|var|mnt|data|opt|srv|scratch|workspace|etc)(?![\w/.-])"
    rf"|(?<![\w])\$\{{?(?:HOME|USER|PWD|TMPDIR)\}}?/?{_PATH_BODY}*+"
    r"""|(?<![A-Za-z0-9])[A-Za-z]:[\\/](?!/)[^"'<>|*?\r\n]*+"""
    r"""|(?<![\\\w])\\\\[\w.$-]++\\[^"'<>|*?\r\n]*+"""
)
_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*+(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
    r"|(?<![\w-])(?:sk|rk|pk)-[A-Za-z0-9_-]{16,}+"
    r"|(?<![\w-])hf_[A-Za-z0-9]{16,}+"
    r"|(?<![\w-])gh[opsur]_[A-Za-z0-9]{16,}+"
    r"|(?<![\w-])github_pat_\w{16,}+"
    r"|(?<![\w-])glpat-[\w-]{16,}+"
    r"|(?<![\w-])nvapi-[\w-]{16,}+"
    r"|(?<![\w-])xox[abeoprs]-[\w-]{10,}+"
    r"|(?<![\w-])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|(?<![\w-])AIza[\w-]{35}(?![\w-])"
    r"|(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+"
    r"|(?i:(?<!\w)authorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?:basic|bearer|token)?[ \t]{0,3}[^\s\"',;]{4,}+)"
    r"|(?i:(?<!\w)bearer[ \t]{1,3}[\w.~+/=-]{8,}+)"
    r"|(?i:(?<![a-z0-9])-{1,2}[a-z0-9-]{0,20}(?:key|token|secret|password)[= \t]{1,3}"
    r"(?:\"[^\"]{0,500}+\"?|'[^']{0,500}+'?|[^\s\"'&,;]{4,}+))"
    r"|(?i:(?<![a-z0-9])(?:api[_-]?key|(?:auth|access|hf)[_-]?token|token|secret|password|passwd)"
    # A number after "token:" is a figure, not a secret.
    r"[\"']?[ \t]{0,3}[=:][ \t]{0,3}[\"']?(?![\d.]{1,40}(?![\w-]))[^\s\"'&,;]{6,}+)"
)
_DEVICES = re.compile(
    r"(?<![\w-])(?:GPU|MIG)-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
#: machines inside a network: names of clusters and offices, and addresses that no one outside can reach
_HOSTS = re.compile(
    r"(?<![\w.-])[A-Za-z0-9][\w-]{0,62}(?:\.[A-Za-z0-9][\w-]{0,62}){0,8}\.(?:local|internal|intranet|lan)(?![\w-]|\.\w)"
    # A version such as ==10.3.5.147 is no address.
    r"|(?<![\w.=-])(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\w.-])"
)
_LOGIN_IN_URL = re.compile(r"(?<=://)[^/\s@\"']++@")
_PEOPLE = re.compile(
    r"(?<![\w.+%/-])[\w.+%-]++@(?!sha\d{3}:)(?:[A-Za-z][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){0,8}"
    r"|\d{1,3}(?:\.\d{1,3}){3})"
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A file fit to be stored, and the JSON paths (or row and column) of what was taken out."""

    content: bytes
    removed: list[str]


def is_local_path(text: str) -> bool:
    """Is this text, as a whole, a path on somebody's machine? Model names such as org/name and URLs are not."""
    match = _PATHS.match(text.strip())
    return match is not None


def redact_document(content: bytes, *, name: str) -> Redacted:
    """Redact a JSON, JSONL, YAML or CSV file. With nothing to remove it comes back byte for byte. Raises BadJson."""
    if name.lower().endswith(".jsonl"):
        return _redact_lines(content)
    if name.lower().endswith(".csv"):
        return _redact_csv(content)
    if name.lower().endswith((".yaml", ".yml")):
        return _redact_yaml(content)
    value = loads(content, max_bytes=MAX_JSON_BYTES, max_depth=MAX_JSON_DEPTH, max_nodes=MAX_JSON_NODES)
    clean, removed = redact_value(value)
    if not removed:
        return Redacted(content, [])
    return Redacted(json.dumps(clean, indent=2, ensure_ascii=False).encode(), removed)


def redact_value(value: Any) -> tuple[Any, list[str]]:
    """Return a copy without local paths, hosts, people, secrets, GPU UUIDs and package lists, and what was removed.

    A value that is nothing else becomes None (in a list "[removed]"); inside a sentence only that part is replaced.
    """
    removed: list[str] = []
    return _clean(value, "", "", removed), removed


def _clean(value: Any, key: str, path: str, removed: list[str]) -> Any:
    if isinstance(value, dict):
        return _clean_object(value, path, removed)
    if isinstance(value, list):
        value = _without_named_secret(value, path, removed)
        return [
            MARK if (item := _clean(part, key, f"{path}[{place}]", removed)) is None and part is not None else item
            for place, part in enumerate(value)
        ]
    if isinstance(value, str):
        return _clean_text(value, key, path, removed)
    return value


def _without_named_secret(value: list[Any], path: str, removed: list[str]) -> list[Any]:
    """Some tools write settings as pairs: ["api_key", "..."] is a name and what it names."""
    if len(value) == 2 and isinstance(value[0], str) and _is_removed_by_key(value[0], value[1]):
        removed.append(f"{path}[1]")
        return [value[0], MARK]
    return value


def _clean_object(value: dict[str, Any], path: str, removed: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = _scrub_key(key)
        while name != key and name in found:
            name += "+"
        place = f"{path}.{name}" if path else name
        if name != key:
            removed.append(place)
        if _is_removed_by_key(key, item):
            removed.append(place)
            found[name] = None
        else:
            found[name] = _clean(item, key, place, removed)
    return found


def _is_removed_by_key(key: str, value: Any) -> bool:
    named = _names(key)
    if named is None or value in (None, "", [], {}):
        return False
    return named == "packages" or isinstance(value, str)


@lru_cache(maxsize=1024)
def _scrub_key(key: str) -> str:
    """The lines of a log have the same keys again and again."""
    return _scrub(key, "model")


@lru_cache(maxsize=1024)
def _names(key: str) -> str | None:
    """What a key names: a list of packages, something private, or neither."""
    lower = _CAMEL.sub("_", key).lower()
    if lower in _PACKAGE_KEYS:
        return "packages"
    is_secret = lower not in _PLAIN_TOKENS and _SECRET_KEY.search(lower) is not None
    return "private" if lower in _MACHINE_KEYS or is_secret else None


def _clean_text(text: str, key: str, path: str, removed: list[str]) -> str | None:
    if is_local_path(text):
        removed.append(path)
        return None
    clean = _scrub(text, key.lower())
    if clean == text:
        return text
    removed.append(path)
    return None if clean.strip() == MARK else clean


def _scrub(text: str, key: str) -> str:
    if text.isalnum():
        return _SECRETS.sub(MARK, text)
    clean = _LOGIN_IN_URL.sub(f"{MARK}@", text)
    for pattern in (_SECRETS, _DEVICES, _PATHS, _HOSTS):
        clean = pattern.sub(MARK, clean)
    return clean if key in _MODEL_KEYS else _PEOPLE.sub(MARK, clean)


def _redact_lines(content: bytes) -> Redacted:
    """Each line is a JSON value; what is taken out of many lines is listed once."""
    lines, removed = [], dict[str, None]()
    for line in content.splitlines(keepends=True):
        found: list[str] = []
        if line.strip():
            clean, found = redact_value(loads(line, max_depth=MAX_JSON_DEPTH, max_nodes=MAX_JSON_NODES))
        lines.append(json.dumps(clean, ensure_ascii=False).encode() + b"\n" if found else line)
        removed |= dict.fromkeys(f"each line, {path}" for path in found)
    return Redacted(b"".join(lines) if removed else content, list(removed))


def _redact_yaml(content: bytes) -> Redacted:
    """Comments are no values, so nothing can look into them: a file that has any is written anew without them."""
    clean, removed = redact_value(strict_yaml.loads(content))
    if _COMMENT.search(content):
        removed.append("comments")
    return Redacted(strict_yaml.dumps(clean), removed) if removed else Redacted(content, [])


def _redact_csv(content: bytes) -> Redacted:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise BadJson("it is not a CSV table in UTF-8") from None
    removed: list[str] = []
    header = rows[0] if rows else []
    for number, row in enumerate(rows[1:], start=2):
        for place, cell in enumerate(row):
            column = header[place].strip() if place < len(header) else str(place + 1)
            is_removed = _is_removed_by_key(column, cell)
            clean = None if is_removed else _clean_text(cell, column, f"row {number}, {column}", removed)
            if is_removed:
                removed.append(f"row {number}, {column}")
            row[place] = clean or ""
    if not removed:
        return Redacted(content, [])
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return Redacted(out.getvalue().encode(), removed)
