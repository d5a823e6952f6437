"""Compare the kept totals with the rows that they sum up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.totals import discrepancies


class Command(BaseCommand):
    help = "Recompute the totals of the cards from the rows, and fail if a kept one differs."

    def handle(self, *args: Any, **options: Any) -> None:
        found = discrepancies()
        for line in found:
            self.stderr.write(line)
        if found:
            raise CommandError(f"{len(found)} totals differ from their rows.")
        self.stdout.write("The totals are what the rows add up to.")
