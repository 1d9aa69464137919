from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from jobs.services.agents import NameRefused, NotAllowed, issue_code


class Command(BaseCommand):
    help = "Make a code that connects one GPU host, within an hour, and print what to run on that host."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the host will be called")
        parser.add_argument("--owner", help="user name of who operates it and is told of its troubles")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = None
        if options["owner"]:
            owner = User.objects.filter(username=options["owner"]).first()
            if owner is None:
                raise CommandError(f"There is no user {options['owner']!r}.")
        try:
            row, code = issue_code(by=None, name=options["name"], owner=owner)
        except (NameRefused, NotAllowed) as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"Code: {code} (used once, until {row.expires_at:%Y-%m-%d %H:%M} UTC)")
        self.stdout.write("On the host:")
        self.stdout.write(f"  lem-agent enroll {settings.SITE_URL} {code}")
        self.stdout.write("  lem-agent run")
