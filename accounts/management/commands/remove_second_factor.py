from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services.second_factor import remove_second_factor


class Command(BaseCommand):
    help = "Take a person's second factor away, because phone and recovery codes are lost. Make sure who is asking."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--reason", required=True, help="how you know who asked; the person reads it")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if not remove_second_factor(user=user, reason=options["reason"]):
            raise CommandError(f"{user.username} has no second factor.")
        self.stdout.write(f"{user.username} signs in without a second factor now, and was signed out everywhere.")
