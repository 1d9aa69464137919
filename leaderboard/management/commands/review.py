from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from leaderboard import format as fmt
from leaderboard.models import ReviewAction, Submission
from leaderboard.queries.moderation import queue_rows
from leaderboard.queries.need import need_words, waiting
from leaderboard.services.assignment import assign
from leaderboard.services.review import DECISIONS, review
from leaderboard.services.submissions import SubmissionRefused

#: lines of --list
MOST = 50


class Command(BaseCommand):
    help = "List what waits, assign it, or decide on a submission, as in the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("submission", nargs="?", help="its id")
        parser.add_argument("action", nargs="?", choices=[action.value for action in DECISIONS])
        parser.add_argument("--by", help="user name of the moderator")
        parser.add_argument("--reason", default="")
        parser.add_argument("--assign", metavar="NAME", help="user name of the moderator who is to look at it")
        parser.add_argument("--list", action="store_true", help=f"the first {MOST} that wait, the neediest first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            return self._list()
        if not options["submission"] or not (options["action"] or options["assign"]):
            raise CommandError("Give a submission's id and a decision or --assign, or --list.")
        by = _user(options["by"] or "", "--by")
        submission = _submission(options["submission"])
        try:
            if options["assign"]:
                to = _user(options["assign"], "--assign")
                assign(submission=submission, to=to, by=by, reason=options["reason"])
            if options["action"]:
                review(submission=submission, action=ReviewAction(options["action"]), by=by, reason=options["reason"])
        except SubmissionRefused as refused:
            raise CommandError(refused.message) from refused
        self.stdout.write(f"{submission.pk} {submission.status}")
        return None

    def _list(self) -> None:
        queue = waiting(Submission.objects.all())
        rows = list(queue.order_by("-need", "submitted_at", "pk").select_related("owner", "assignee")[:MOST])
        known = queue_rows(rows)
        for submission in rows:
            row = known[submission.pk]
            what = [
                str(row.first or submission),
                need_words(row.needs) or "nothing special",
                f"since {fmt.minute(submission.submitted_at)}" if submission.submitted_at else "",
                f"of {submission.owner.username}" if submission.owner else "",
                f"assigned to {submission.assignee.username}" if submission.assignee else "",
            ]
            self.stdout.write(f"{submission.pk} {submission.status}  {'; '.join(part for part in what if part)}")
        if not rows:
            self.stdout.write("Nothing waits.")


def _user(name: str, option: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}." if name else f"{option}: give the name of a moderator.")
    return user


def _submission(given: str) -> Submission:
    try:
        return Submission.objects.get(pk=uuid.UUID(given))
    except (ValueError, Submission.DoesNotExist) as error:
        raise CommandError(f"There is no submission {given!r}.") from error
