#!/usr/bin/env python3
"""Stands in for `docker`: notes how it was called, and runs a script where a container would be."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HOME = Path(os.environ["FAKE_DOCKER"])


def main(argv):
    with (HOME / "calls.jsonl").open("a") as file:
        file.write(json.dumps(argv) + "\n")
    if (HOME / "down").exists() and argv[0] != "version":
        return fail("Cannot connect to the Docker daemon")
    return {"run": run, "inspect": inspect, "kill": kill, "rm": remove, "ps": ps, "logs": logs, "version": version}[
        argv[0]
    ](argv)


def say(words):
    sys.stdout.write(f"{words}\n")


def fail(words):
    sys.stderr.write(f"{words}\n")
    return 1


def run(argv):
    name = argv[argv.index("--name") + 1]
    folder = HOME / name
    if folder.exists():
        return fail(f'Conflict. The container name "/{name}" is already in use')
    folder.mkdir()
    env = {}
    for part in argv:
        if found := re.fullmatch(r"type=bind,src=(.+),dst=([^,]+)(,readonly)?", part):
            env[found[2].strip("/").replace("/", "_").replace(".", "_").upper()] = found[1]
    script = HOME / ("fetch.sh" if name.endswith("-fetch") else "job.sh")
    keeper = f"sh {script}; echo $? > {folder}/code"
    started = subprocess.Popen(
        ["sh", "-c", keeper], env={**os.environ, **env}, start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=(folder / "stderr").open("w"),
    )  # fmt: skip
    (folder / "pid").write_text(str(started.pid))
    (folder / "labels").write_text(" ".join(argv))
    say("0123456789abcdef")
    return 0


def inspect(argv):
    folder = HOME / argv[-1]
    if not folder.exists():
        return fail(f"Error: No such container: {argv[-1]}")
    now = datetime.now(UTC).isoformat().replace("+00:00", "123Z")
    code = folder / "code"
    done = code.exists()
    state = {"Status": "exited" if done else "running", "ExitCode": int(code.read_text()) if done else 0}
    say(json.dumps({**state, "OOMKilled": False, "StartedAt": now, "FinishedAt": now}))
    return 0


def kill(argv):
    folder = HOME / argv[-1]
    if not (folder / "code").exists():
        os.killpg(int((folder / "pid").read_text()), getattr(signal, f"SIG{argv[2]}"))
        (folder / "code").write_text("130" if argv[2] == "INT" else "137")
    return 0


def remove(argv):
    for name in argv[1:]:
        folder = HOME / name
        if not name.startswith("-") and folder.exists():
            folder.rename(HOME / f"removed-{name}")
    return 0


def ps(argv):
    for folder in HOME.glob("gpuagent-*"):
        label = folder.joinpath("labels").read_text().split("gpuagent.attempt=")[1].split()[0]
        say(f"{folder.name} {label}")
    return 0


def logs(argv):
    sys.stderr.write((HOME / argv[-1] / "stderr").read_text())
    return 0


def version(argv):
    say("28.2.2")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
