"""The families that need no site: files at importers, and cheats at the checks."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.attacks.judging import Tally
from lemsite.lib.archives import Entry


def attack_importers(examples: int, number: int) -> Tally:
    """So many changed samples and so many loose files, and each result once more through this site's own form."""
    _set_up_django()
    from benchmarks.attacks.importers import changed_samples, loose_files

    tally = Tally()
    for strategy in (changed_samples(), loose_files()):
        each_of(strategy, examples, number, lambda entries: _import(entries, tally))
    return tally


def each_of(strategy: Any, examples: int, number: int, look: Callable[[Any], None]) -> None:
    """So many examples, the same for the same number."""

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @seed(number)
    @given(strategy)
    def run(example: Any) -> None:
        look(example)

    run()


def _import(entries: Sequence[Entry], tally: Tally) -> None:
    from benchmarks.attacks.importers import fault_of, fault_of_own_form
    from leaderboard.importers import ImportRefused, import_files

    began = time.perf_counter()
    fault = fault_of(entries)
    tally.requests += 1
    spent = (time.perf_counter() - began) * 1000
    if spent > tally.slowest_ms:
        tally.slowest_ms, tally.slowest = spent, repr([(entry.path, entry.content[:100]) for entry in entries])
    if fault:
        tally.note("fault", f"{fault}: {[(entry.path, entry.content[:1500]) for entry in entries]!r}")
        return
    try:
        results = import_files(entries).results
    except ImportRefused:
        tally.statuses[400] += 1
        return
    tally.statuses[200] += 1
    for parsed in results:
        if own := fault_of_own_form(parsed):
            tally.note("fault", f"{own}: {parsed.values.model_dump(exclude_none=True)}")


def attack_checks() -> tuple[Tally, str]:
    """Every cheat and its honest twin; what was said of them, as a table."""
    from benchmarks.attacks.cheating import Verdict, said, wrongly_held
    from benchmarks.attacks.cheats import CHEATS

    tally, rows = Tally(), []
    for cheat in CHEATS:
        tally.requests += 2
        verdict, held = said(cheat), wrongly_held(cheat)
        if verdict is not cheat.verdict:
            tally.note("fault", f"{cheat.name}: {verdict.name.lower()}, should be {cheat.verdict.name.lower()}")
        if held:
            tally.note("fault", f"the honest twin of “{cheat.name}” is held by {', '.join(held)}")
        rows.append(
            f"| {cheat.name} | {verdict.name.lower()} | {', '.join(cheat.by)} | {', '.join(held) or 'passes'} |"
        )
    counts = {verdict: sum(said(cheat) is verdict for cheat in CHEATS) for verdict in Verdict}
    told = ", ".join(f"{number} {verdict.name.lower()}" for verdict, number in sorted(counts.items(), reverse=True))
    table = "\n".join(["| cheat | answer | by | honest twin |", "|---|---|---|---|", *rows])
    return tally, f"{table}\n\n{len(CHEATS)} cheats: {told}"


def _set_up_django() -> None:
    """The export that results go through belongs to the site, though no database is asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
    os.environ.setdefault("LEMSITE_ENV_FILE", os.devnull)
    if "LEMSITE_HOME" not in os.environ:
        os.environ["LEMSITE_HOME"] = home = tempfile.mkdtemp(prefix="lemsite-attack-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    import django

    django.setup()
