"""Attack a site of its own with every family of hostile requests, and print what came back.

    python -m benchmarks.attack [--examples 1500] [--database sqlite] [--family NAME] [--role ROLE] [--seed 7]

The site is a process with a database of its own, both gone afterwards. Families that need no site (importers, cheats)
run in this process. Ends with 1 where anything was found: an answer of 500 and above, a leak, a status or a body that
docs/openapi.yaml does not have, an importer's odd exception, a cheat let through. docs/attacks.md says what is tried.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# The script runs from any folder, without the project installed.
from benchmarks.attacks import generated  # noqa: E402
from benchmarks.attacks.campaign import FAMILIES, Campaign  # noqa: E402
from benchmarks.attacks.judging import TOLD, Tally, operations, total, unseen  # noqa: E402
from benchmarks.attacks.offline import attack_checks, attack_importers  # noqa: E402
from benchmarks.attacks.request import Live  # noqa: E402
from benchmarks.attacks.stage import ROLES, Stage  # noqa: E402
from benchmarks.load.site import ENGINES, Site, new_site  # noqa: E402
from benchmarks.load.words import print_machine  # noqa: E402

#: each writes 600 times an hour, and uploads 50 times a day
REQUESTS_PER_PERSON = 40
KINDS = ("5xx", "leak", "undocumented", "nonconforming", "wrong", "fault")
OFFLINE = ("importers", "cheats")
ALL = (generated.FAMILY, *FAMILIES, *OFFLINE)


def main() -> int:
    parser = argparse.ArgumentParser(description="Attack a site of its own, and print what came back.")
    parser.add_argument("--examples", type=int, default=1500, help="requests of each family")
    parser.add_argument("--database", choices=ENGINES, default="sqlite")
    parser.add_argument("--family", choices=ALL, action="append", help="these alone")
    parser.add_argument("--role", choices=ROLES, help="every request as this one")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    families = arguments.family or ALL
    print_machine([arguments.database])
    print(
        f"{'family':<16}{'requests':>9}"
        + "".join(f"{kind:>15}" for kind in KINDS)
        + f"{'slowest ms':>12}{'grown MB':>10}"
    )
    tallies, table = offline(families, arguments)
    if set(families) - {*OFFLINE}:
        tallies |= attack_site(families, arguments)
    whole = total(tallies)
    print_row("all", whole)
    print(f"\nslowest: {whole.slowest[:300]}\n\n{table}")
    for kind in KINDS:
        for told in whole.findings.get(kind, [])[:TOLD]:
            print(f"\n{kind}: {told[:2000]}")
    return int(any(whole.count(kind) for kind in KINDS))


def offline(families: Sequence[str], arguments: argparse.Namespace) -> tuple[dict[str, Tally], str]:
    tallies, table = {}, ""
    if "cheats" in families:
        tallies["cheats"], table = attack_checks()
        print_row("cheats", tallies["cheats"])
    if "importers" in families:
        tallies["importers"] = attack_importers(arguments.examples, arguments.seed)
        print_row("importers", tallies["importers"])
    return tallies, table


def attack_site(families: Sequence[str], arguments: argparse.Namespace) -> dict[str, Tally]:
    with new_site(arguments.database, LOG_LEVEL="ERROR") as site:
        campaign = staged(site, families, arguments)
        if generated.FAMILY in families:
            each = max(arguments.examples // (len(operations()) * len(generated.MODES)), 1)
            before = site.memory_kb()
            tally = generated.generate(campaign, examples=each, number=arguments.seed, role=arguments.role or "")
            tally.grown_kb = site.memory_kb() - before
            print_row(generated.FAMILY, tally)
        for name in FAMILIES:
            if name in families:
                print_row(name, campaign.run(name, count=arguments.examples, seed=arguments.seed))
        print(f"documented statuses that this run did not meet: {len(unseen(campaign.judge.seen))}")
        return campaign.tallies


def staged(site: Site, families: Sequence[str], arguments: argparse.Namespace) -> Campaign:
    """The site with everything in it that is attacked."""
    people = max(arguments.examples * len(families) // REQUESTS_PER_PERSON, 10)
    command = [sys.executable, "-m", "benchmarks.attacks.stage", "--people", str(people)]
    made = subprocess.run(command, cwd=ROOT, env=site.environment, check=True, stdout=subprocess.PIPE, text=True)
    stage = Stage.loads(made.stdout)
    stage.secrets.append(str(site.home))
    if arguments.role:
        stage.credentials = dict.fromkeys(stage.credentials, stage.credentials[arguments.role])
    return Campaign(stage, Live(site.port), site.memory_kb)


def print_row(name: str, tally: Tally) -> None:
    figures = "".join(f"{tally.count(kind):>15}" for kind in KINDS)
    statuses = " ".join(f"{status}:{number}" for status, number in sorted(tally.statuses.items()))
    print(
        f"{name:<16}{tally.requests:>9}{figures}{tally.slowest_ms:>12.0f}{tally.grown_kb / 1000:>10.1f}  {statuses}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
