"""What hosts have on their disks of what they ran, and whether the site has the same, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.load.site import Site

#: an attempt's id, as its 32 digits
Digests = dict[str, str]


def started(homes: Iterable[Path]) -> Counter[str]:
    """How often each attempt's process was started, as the hosts' own append-only lists say."""
    found: Counter[str] = Counter()
    for home in homes:
        with suppress(FileNotFoundError):
            lines = (home / "started.log").read_text().splitlines()
            found.update(_digits(json.loads(line)["attempt"]) for line in lines)
    return found


def torn(site: Site, homes: Iterable[Path]) -> dict[str, int]:
    """Finished attempts of which the site has another log, other events, samples or files than the host's disk."""
    folders = {_digits(folder.name): folder for home in homes for folder in home.glob("attempts/*")}
    of_the_site = {"logs": _logs, "events": _events, "telemetry": _telemetry, "files": _files}
    on_the_disk: dict[str, Callable[[Path], str]] = {
        "logs": _log_on_disk,
        "events": _events_on_disk,
        "telemetry": _telemetry_on_disk,
        "files": _files_on_disk,
    }
    finished = {_digits(row[0]) for row in site.rows("SELECT id FROM jobs_attempt WHERE finished_at IS NOT NULL")}
    found = {}
    for kind, read in of_the_site.items():
        stored = read(site)
        nothing = hashlib.sha256().hexdigest()
        found[kind] = sum(
            stored.get(attempt, nothing) != on_the_disk[kind](folders[attempt]) for attempt in finished & folders.keys()
        )
    return found


def _digits(attempt: object) -> str:
    return str(attempt).replace("-", "")


def _hashed(rows: Iterable[tuple[Any, bytes]]) -> Digests:
    """One digest of all that belongs to an attempt, in the order of the rows."""
    digests: dict[str, Any] = defaultdict(hashlib.sha256)
    for attempt, content in rows:
        digests[_digits(attempt)].update(content)
    return {attempt: digest.hexdigest() for attempt, digest in digests.items()}


def _hash(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _line(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode() + b"\n"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with suppress(FileNotFoundError):
        for line in path.read_bytes().splitlines():
            yield json.loads(line)


def _logs(site: Site) -> Digests:
    rows = site.rows("SELECT attempt_id, content FROM jobs_logchunk ORDER BY attempt_id, start")
    return _hashed((attempt, bytes(content)) for attempt, content in rows)


def _log_on_disk(folder: Path) -> str:
    with suppress(FileNotFoundError):
        return _hash([(folder / "out.log").read_bytes()])
    return _hash([])


def _events(site: Site) -> Digests:
    rows = site.rows("SELECT attempt_id, seq, type, data FROM jobs_attemptevent ORDER BY attempt_id, seq")
    return _hashed((attempt, _line([seq, kind, _value(data)])) for attempt, seq, kind, data in rows)


def _events_on_disk(folder: Path) -> str:
    return _hash(_line([one["seq"], one["type"], one["data"]]) for one in _lines(folder / "events.ndjson"))


def _telemetry(site: Site) -> Digests:
    rows = site.rows("SELECT attempt_id, columns FROM jobs_telemetrybatch ORDER BY attempt_id, first_seq")
    return _hashed((attempt, b"".join(_samples(_value(columns)))) for attempt, columns in rows)


def _samples(columns: dict[str, Any]) -> Iterator[bytes]:
    for place, t in enumerate(columns["t"]):
        yield _sample(t, [(gpu["uuid"], gpu["power_w"][place], gpu["energy_mj"][place]) for gpu in columns["gpu"]])


def _telemetry_on_disk(folder: Path) -> str:
    lines = (one for one in _lines(folder / "telemetry-live.ndjson") if "seq" in one)
    return _hash(
        _sample(one["t"], [(gpu["uuid"], gpu["power_w"], gpu["energy_mj"]) for gpu in one["gpu"]]) for one in lines
    )


def _sample(t: float, gpus: Iterable[tuple[str, float | None, float | None]]) -> bytes:
    # The site keeps all numbers as floats.
    figures = [[uuid, *(None if value is None else float(value) for value in values)] for uuid, *values in gpus]
    return _line([float(t), figures])


def _files(site: Site) -> Digests:
    """From the storage itself, not from what the rows say of it."""
    rows = sorted(site.rows("SELECT attempt_id, name, sha256 FROM jobs_artifact"))
    return _hashed((attempt, _file(name, _stored(site, sha256))) for attempt, name, sha256 in rows)


def _stored(site: Site, sha256: str) -> bytes:
    with suppress(FileNotFoundError):
        return (site.home / "files" / "artifacts" / sha256[:2] / sha256).read_bytes()
    return b"is not there"


def _files_on_disk(folder: Path) -> str:
    told = json.loads((folder / "finish.json").read_bytes())["artifacts"]
    return _hash(_file(name, (folder / name).read_bytes()) for name in sorted(one["name"] for one in told))


def _file(name: str, content: bytes) -> bytes:
    return _line([name, base64.b64encode(content).decode()])


def _value(stored: Any) -> Any:
    """JSON as the database gives it: SQLite has text."""
    return json.loads(stored) if isinstance(stored, str | bytes) else stored
