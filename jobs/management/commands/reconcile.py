from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs.services.reconciling import reconcile, requeue_all


class Command(BaseCommand):
    help = "Make the queue of jobs agree with the jobs; the background worker does it every minute."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--requeue", action="store_true", help="give all waiting jobs new tickets, as after a new SECRET_KEY"
        )

    def handle(self, *args: Any, requeue: bool, **options: Any) -> None:
        if requeue:
            self.stdout.write(f"{requeue_all()} waiting jobs have new tickets.")
        done = reconcile()
        self.stdout.write(
            f"{done.settled} offers and leases settled, {done.tickets_issued} tickets issued, "
            f"{done.tickets_dropped} dropped, {done.imports_repeated} imports repeated, "
            f"{done.uploads_dropped} half uploads dropped."
        )
