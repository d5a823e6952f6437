"""Recompute every billing row from the inbox."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webhooks.rebuilding import rebuild


class Command(BaseCommand):
    help = (
        "Recompute every billing row from the events of the inbox, as today's code reads them, and "
        "say what differed. Pages show the old rows until all is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail if anything differs"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        differences = rebuild(keep=not check)
        for table, count in differences.items():
            self.stdout.write(f"{table}: {count} rows differed")
        if check and any(differences.values()):
            raise CommandError("The billing rows are not what the events say. Run: rebuild")
