"""The worker: applies events as they come, and sends the e-mails that they cause."""

import gc
import os
import select
import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from billing.models import Heartbeat
from billing.totals import follow_zone
from webhooks.inbox import CHANNEL
from webhooks.notifications import send_due
from webhooks.processing import process_batch

#: How long an idle worker sleeps where nobody calls: first shortly, for an event whose call was
#: left out because others were due may be committed just after the last look; then longer, for
#: retries come due.
FIRST_POLL_SECONDS, POLL_SECONDS = 0.05, 2.0
#: How many more objects there are when Python looks for cycles of garbage, of which a batch makes
#: none: after each 700 it would go over all that a batch has read, a tenth of all work.
GARBAGE_THRESHOLD = 100_000
#: How long to wait for a database that is away.
RECONNECT_SECONDS = 1.0


class Command(BaseCommand):
    help = "Apply the events of the inbox, and go on as they arrive (--once: until there are none)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        gc.set_threshold(GARBAGE_THRESHOLD)
        if once:
            follow_zone()
            while process_batch() or send_due():
                pass
            return
        Worker(self).run()


class Worker:
    """Works until it gets SIGTERM or SIGINT; what it has begun, it ends."""

    def __init__(self, command: BaseCommand) -> None:
        self._command = command
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._stopping = False
        # A signal writes here, so that a sleeping worker wakes.
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def run(self) -> None:
        self._command.stdout.write("Applying events. Ctrl-C stops.")
        while not self._stopping:
            try:
                self._work()
            except DatabaseError as error:
                self._command.stderr.write(f"Database: {type(error).__name__}. Trying again.")
                connection.close()
                self._sleep([], RECONNECT_SECONDS)
        Heartbeat.objects.filter(worker=self._name).delete()
        self._command.stdout.write("Stopped.")

    def _work(self) -> None:
        connection.ensure_connection()
        if follow_zone():
            self._command.stdout.write("PAYMENTS_TIME_ZONE is new: the daily totals follow it now.")
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        pause = FIRST_POLL_SECONDS
        while not self._stopping:
            Heartbeat.objects.update_or_create(
                worker=self._name, defaults={"beat_at": timezone.now()}
            )
            if process_batch() or send_due():
                pause = FIRST_POLL_SECONDS
                continue
            self._sleep([connection.connection], pause)
            pause = min(2 * pause, POLL_SECONDS)
            connection.connection.poll()
            connection.connection.notifies.clear()

    def _sleep(self, wakers: list[Any], seconds: float) -> None:
        if not self._stopping:
            select.select([self._woken, *wakers], [], [], seconds)

    def _stop(self, *_: object) -> None:
        self._stopping = True
