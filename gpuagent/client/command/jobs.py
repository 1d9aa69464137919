"""`lem jobs`: order, follow and cancel jobs."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from gpuagent.client import models
from gpuagent.client.command import BadUse
from gpuagent.client.command.credentials import client
from gpuagent.client.command.terminal import figure, plain, plain_log, say, table
from gpuagent.client.sites import Client


def show_list(options: argparse.Namespace) -> int:
    with client(options) as site:
        found = list(site.jobs.list(owner=options.owner, state=options.state, limit=options.limit))
    if options.json:
        say(json.dumps([json.loads(job.model_dump_json()) for job in found]))
        return 0
    heads = ("job", "state", "owner", "what", "created")
    rows = [[str(job.id), job.state, job.owner or "-", job.title, f"{job.created_at:%Y-%m-%d %H:%M}"] for job in found]
    for line in table(heads, rows, right=(0,)):
        say(line)
    return 0


def estimate(options: argparse.Namespace) -> int:
    config = read_config(options)
    with client(options, needs_token=True) as site:
        told = site.jobs.estimate(config, simulate=options.simulate)
    if options.json:
        say(told.model_dump_json())
        return 0
    say(f"{told.configurations} configurations, {told.runs} runs: {estimate_words(told.estimate)}")
    hosts = ", ".join(plain(host) for host in told.hosts) or "none is connected"
    say(f"Place {told.position} in the queue. Hosts that fit: {hosts}")
    return 0


def order(options: argparse.Namespace) -> int:
    config = read_config(options)
    with client(options, needs_token=True) as site:
        if options.race:
            race = site.jobs.order_race(config, simulate=options.simulate)
            lanes = ", ".join(f"{plain(lane.host)} (job {lane.job})" for lane in race.lanes)
            say(race.model_dump_json() if options.json else f"Race {race.id}: {lanes}\n{plain(race.url)}")
            return 0
        job = site.jobs.order(config, simulate=options.simulate)
        say(job.model_dump_json() if options.json else f"Job {job.id} is {plain(job.state)}: {plain(job.url)}")
        if not options.wait:
            return 0
        sys.stdout.flush()
        return _follow(site, job.id, options)


def show(options: argparse.Namespace) -> int:
    with client(options) as site:
        _show(site.jobs.get(options.job), options)
    return 0


def log(options: argparse.Namespace) -> int:
    with client(options) as site:
        return _follow(site, options.job, options)


def cancel(options: argparse.Namespace) -> int:
    with client(options, needs_token=True) as site:
        _show(site.jobs.cancel(options.job, reason=options.reason), options)
    return 0


def read_config(options: argparse.Namespace) -> dict[str, Any]:
    """JSON is YAML too."""
    import yaml

    try:
        config = yaml.safe_load(options.file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadUse(f"{options.file} is neither YAML nor JSON: {error}") from None
    if not isinstance(config, dict):
        raise BadUse(f"{options.file} must hold a configuration: names with their values.")
    return config


def estimate_words(told: models.Estimate) -> str:
    parts = [f"{figure(told.minutes)} min", f"{figure(told.energy_kwh)} kWh", f"{figure(told.usd)} USD"]
    return f"{', '.join(parts)} ({plain(told.basis)})"


def _follow(site: Client, job_id: int, options: argparse.Namespace) -> int:
    """The log to stdout, or with --json to stderr; the exit status is the job's."""
    stream = sys.stderr if options.json else sys.stdout
    for piece in site.jobs.follow_log(job_id):
        stream.write(plain_log(piece))
        stream.flush()
    job = site.jobs.get(job_id)
    _show(job, options)
    return 0 if job.state == "succeeded" else 1


def _show(job: models.Job, options: argparse.Namespace) -> None:
    if options.json:
        say(job.model_dump_json())
        return
    say(f"Job {job.id}, {plain(job.title)}: {plain(job.state)}")
    if job.reason:
        say(plain(job.reason))
    if job.position is not None:
        say(f"place {job.position} in the queue; {estimate_words(job.estimate)}")
    if job.submission:
        say(f"submission {job.submission}")
    say(plain(job.url))
