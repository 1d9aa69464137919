"""Looks for everything that is wrong with the set-up, and says how to mend it."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lemsite.doctor import Check, Ill, Level, all_checks, examine


class Command(BaseCommand):
    help = "Find what is wrong with settings, services, files and people. Ends with 1 when there is an error."
    # It tells of what Django's own checks say, rather than ending with it.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("checks", nargs="*", help="only these checks")
        parser.add_argument("--json", action="store_true", dest="as_json", help="for programs")
        parser.add_argument("--list", action="store_true", dest="only_names", help="the names of all checks")

    def handle(self, *args: Any, checks: list[str], as_json: bool, only_names: bool, **options: Any) -> None:
        wanted = _named(checks)
        if only_names:
            self.stdout.write("\n".join(check.name for check in wanted))
            return
        found = [(check, ill) for check in wanted for ill in examine(check)]
        errors = sum(ill.level == Level.ERROR for _, ill in found)
        if as_json:
            findings = [{"check": check.name, **asdict(ill)} for check, ill in found]
            self.stdout.write(json.dumps({"checks": len(wanted), "errors": errors, "findings": findings}, indent=2))
        else:
            self._tell(found)
            self.stdout.write(f"{len(wanted)} checks: {errors} errors, {len(found) - errors} warnings.")
        if errors:
            raise SystemExit(1)

    def _tell(self, found: list[tuple[Check, Ill]]) -> None:
        for check, ill in sorted(found, key=lambda pair: pair[1].level != Level.ERROR):
            style = self.style.ERROR if ill.level == Level.ERROR else self.style.WARNING
            self.stdout.write(style(f"{ill.level.upper()} {check.name}: {ill.what}"))
            self.stdout.write(f"  Why: {ill.why}.")
            self.stdout.write(f"  Mend: {ill.mend}\n")


def _named(names: list[str]) -> list[Check]:
    known = {check.name: check for check in all_checks()}
    if unknown := [name for name in names if name not in known]:
        raise CommandError(f"There is no check {unknown[0]!r}; there are {', '.join(known)}.")
    return [known[name] for name in names] or list(known.values())
