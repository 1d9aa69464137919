from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services.tokens import MAX_TOKEN_DAYS, TokenRefused, create_token


class Command(BaseCommand):
    help = "Make an API token for a user and print it, alone, on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--scopes", default="read", help="comma-separated: read, submit, jobs, ingest")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, default=MAX_TOKEN_DAYS)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            _, plain = create_token(user=user, name=options["name"], scopes=scopes, days=options["days"])
        except TokenRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(plain)
