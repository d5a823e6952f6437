"""The worker as a real process: it wakes when called, ends when told, and dies without a trace."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from billing.models import Heartbeat, Invoice, Notification, PaymentEvent, TotalZone
from billing.totals import discrepancies
from tests import inbox
from tests.ledger_state import snapshot
from tests.payloads import Payload, stripe
from tests.servers import drain, wait_for, worker
from tests.webhooks.senders import StripeSender, post
from tests.webhooks.test_processing import waiting_for_a_lock
from webhooks.processing import BATCH_SIZE, process_batch

pytestmark = pytest.mark.django_db(transaction=True)

State = PaymentEvent.State


def invoices(count: int) -> list[Payload]:
    return [stripe("invoice.paid--basil", event_id=f"evt_{n}", id=f"in_{n}") for n in range(count)]


def count(state: str) -> int:
    return PaymentEvent.objects.filter(state=state).count()


@contextmanager
def locked_invoices() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM billing_invoice FOR UPDATE")
    yield


def stopped(process: subprocess.Popen[bytes], within_seconds: float) -> bool:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=within_seconds) == 0
    except subprocess.TimeoutExpired:
        return False


def test_a_worker_wakes_when_an_event_is_recorded(tmp_path: Path, stripe: StripeSender) -> None:
    """It would look by itself only every two seconds."""
    with worker(tmp_path):
        wait_for(Heartbeat.objects.exists)
        for n in range(2):
            # It has just looked, so that the next look of its own is two seconds away.
            wait_for(Heartbeat.objects.filter(beat_at__gt=timezone.now()).exists, seconds=4)
            body = stripe.event(f"evt_{n}")
            assert post("stripe", body, stripe.headers(body)) == (200, "recorded")
            seconds = wait_for(lambda: count(State.WAITING) == 0)
            assert seconds < 1.0


def test_an_idle_worker_ends_at_once_when_told_to(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        wait_for(Heartbeat.objects.exists)
        assert stopped(process, within_seconds=3)
    assert "Stopped." in (tmp_path / "worker.log").read_text()
    assert not Heartbeat.objects.exists()


def test_a_busy_worker_ends_the_batch_it_has_and_no_more(tmp_path: Path) -> None:
    """D7."""
    with worker(tmp_path) as process:
        inbox.record(*invoices(3 * BATCH_SIZE))
        wait_for(lambda: count(State.PROCESSED) or count(State.UNMATCHED))
        assert stopped(process, within_seconds=3)
    assert 0 < count(State.PROCESSED) < 3 * BATCH_SIZE
    assert count(State.PROCESSED) + count(State.WAITING) == 3 * BATCH_SIZE
    assert Invoice.objects.count() == count(State.PROCESSED)
    assert discrepancies() == []


def test_ctrl_c_ends_a_worker_as_well(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=3) == 0


def test_a_worker_that_is_killed_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """D4. It is killed in its transaction, with rows written and rows still to be written."""
    inbox.arrive(stripe("invoice.created--basil", event_id="evt_first"))
    events = inbox.record(*invoices(20), stripe("invoice.payment_failed--basil"))
    before = snapshot()
    with transaction.atomic():
        inbox.apply(events)
        expected = snapshot()
        transaction.set_rollback(True)
    with transaction.atomic(), locked_invoices(), worker(tmp_path) as process:
        # The worker locks the customer and waits here for the invoice, its events claimed.
        wait_for(waiting_for_a_lock, message="the worker does not wait for the invoice")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert snapshot() == before
    # Its rows are another's as soon as the database has noticed: no lease has to run out.
    seconds = wait_for(lambda: process_batch() and count(State.WAITING) == 0, seconds=5)
    assert seconds < 3
    assert snapshot() == expected
    assert discrepancies() == []


def test_a_worker_writes_that_it_is_alive(tmp_path: Path) -> None:
    before = timezone.now()
    with worker(tmp_path) as process:
        wait_for(Heartbeat.objects.exists)
        beat = Heartbeat.objects.get()
        assert beat.worker.endswith(f":{process.pid}")
        assert beat.beat_at > before
        wait_for(lambda: Heartbeat.objects.get().beat_at > beat.beat_at, seconds=4)


def test_a_worker_survives_a_database_that_goes_away(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        wait_for(Heartbeat.objects.exists)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        inbox.record(*invoices(1))
        wait_for(lambda: count(State.PROCESSED) == 1, seconds=10)
        assert process.poll() is None


def test_once_ends_when_nothing_is_due(tmp_path: Path) -> None:
    inbox.record(*invoices(5))
    drain(tmp_path)
    assert count(State.PROCESSED) == 5


def test_a_batch_reads_through_no_table(tmp_path: Path) -> None:
    """Nor do the checks of foreign keys at its end, though all tables were empty just now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    inbox.record(stripe("charge.succeeded--basil-one-off"), *invoices(5))
    before = read_through()
    drain(tmp_path)
    more = {table for table, times in read_through().items() if times > before[table]}
    # The zone is one row; of the outbox it only asks between batches.
    assert more <= {TotalZone._meta.db_table, Notification._meta.db_table}
    assert Invoice.objects.exclude(tenant=None).exists()


def read_through() -> dict[str, int]:
    """How often each of billing's tables was read from its start to its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname LIKE 'billing\\_%'"
        )
        return dict(cursor.fetchall())


def test_a_worker_moves_the_days_of_the_totals_to_the_zone_that_is_set(tmp_path: Path) -> None:
    with worker(tmp_path, PAYMENTS_TIME_ZONE="Asia/Kolkata"):
        wait_for(Heartbeat.objects.exists)
        assert TotalZone.objects.get().name == "Asia/Kolkata"
