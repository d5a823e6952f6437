"""The worker's story: each event is applied once, fails alone, and is tried again in good time."""

import json
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import Settings

from billing import ledger
from billing.models import Invoice, PaymentEvent
from billing.totals import discrepancies
from tests import inbox
from tests.payloads import Payload, paypal, stripe
from tests.servers import wait_for
from webhooks.processing import (
    APPLYING_LOCK,
    FIRST_DELAY,
    LONGEST_DELAY,
    MAX_ATTEMPTS,
    SHARD_LOCK,
    process_batch,
)

State = PaymentEvent.State
in_threads = pytest.mark.django_db(transaction=True)
in_transaction = pytest.mark.django_db


def invoices(count: int) -> list[Payload]:
    return [
        stripe("invoice.paid--basil", event_id=f"evt_{n}", id=f"in_{n}", customer=f"cus_{n % 3}")
        for n in range(count)
    ]


def claiming(customer: str, tenant: str = "brae-cycles", event_id: str = "") -> Payload:
    return stripe(
        "customer.updated--basil",
        event_id=event_id or f"evt_{customer}",
        id=customer,
        metadata={"tenant_id": tenant},
    )


def not_an_amount(event_id: str = "evt_wrong") -> Payload:
    return stripe("invoice.paid--basil", event_id=event_id, id="in_wrong", total=12.0)


@pytest.fixture
def refused_by_the_database() -> None:
    """What is read without complaint is refused: an error of ours that nobody foresaw."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE billing_invoice ADD CONSTRAINT poison CHECK (ref <> 'in_poison')"
        )


def not_storable(event_id: str = "evt_poison") -> Payload:
    return stripe("invoice.paid--basil", event_id=event_id, id="in_poison")


def states() -> dict[str, str]:
    return dict(PaymentEvent.objects.values_list("event_id", "state"))


class Other:
    """A thread with a database connection of its own; its error, if any, is raised by `join`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.result: Any = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, args=[work])
        self._thread.start()

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self.result = work()
        except BaseException as error:
            self._error = error
        finally:
            connections.close_all()

    def join(self) -> Any:
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self.result


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # Not pg_stat_activity, of which a transaction sees one moment only.
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


# --- Each event once ------------------------------------------------------------------------


@in_threads
def test_two_workers_share_the_events_and_apply_each_once() -> None:
    """C8."""
    inbox.record(*invoices(40))
    start = Barrier(2)

    def work() -> int:
        start.wait()
        claimed = 0
        while count := process_batch(limit=4):
            claimed += count
        return claimed

    with mock.patch("webhooks.processing.ledger.apply", wraps=ledger.apply) as applied:
        one, other = Other(work), Other(work)
        # What one leaves because the other is at work on its customer is claimed again.
        assert one.join() + other.join() >= 40
    assert sum(len(call.args[0]) for call in applied.mock_calls) == 40
    assert set(states().values()) == {State.PROCESSED}
    assert Invoice.objects.count() == 40
    assert discrepancies() == []


@in_threads
def test_an_event_that_another_worker_holds_is_skipped_and_holds_up_nobody() -> None:
    held, *free = inbox.record(*invoices(5))
    with transaction.atomic():
        PaymentEvent.objects.select_for_update().get(pk=held.pk)
        assert Other(process_batch).join() == 4
    assert {event.state for event in inbox.again(free)} == {State.PROCESSED}
    assert inbox.again([held])[0].state == State.WAITING
    assert process_batch() == 1


@in_threads
def test_a_worker_leaves_the_customers_of_another_and_goes_on_with_the_rest() -> None:
    """Neither waits for the other's rows, even where an event's customer is known by a row only."""
    inbox.arrive(paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2"))
    renewed = paypal("BILLING.SUBSCRIPTION.UPDATED--v2")
    sale = paypal("PAYMENT.SALE.COMPLETED--v1", event_id="WH-sale")
    first, *others = [
        stripe("customer.updated--basil", event_id=f"evt_{n}", id=f"cus_{n % 3}") for n in range(6)
    ]
    held = inbox.record(renewed, first)
    inbox.record(sale, *others)
    with transaction.atomic():
        inbox.apply(held)
        assert Other(process_batch).join() == 6
        # evt_0 and evt_3 are of one customer, the sale is of the customer whose plan was renewed.
        left = {event_id for event_id, state in states().items() if state == State.WAITING}
        assert left == {"WH-sale", "evt_3"}
    assert process_batch() == 2
    assert set(states().values()) == {State.PROCESSED}


@in_threads
def test_a_worker_waits_where_all_customers_are_another_s() -> None:
    first, second = inbox.record(*invoices(1), stripe("invoice.voided--basil", customer="cus_0"))
    with transaction.atomic():
        inbox.apply([first])
        worker = Other(process_batch)
        wait_for(waiting_for_a_lock, message="the worker does not wait")
    assert worker.join() == 1
    assert inbox.again([second])[0].state == State.PROCESSED


@in_threads
def test_a_worker_leaves_the_tenant_that_another_makes_to_it() -> None:
    """A tenant may have customers of both gateways, and all may be heard of at once."""
    stripes, paypals = claiming("cus_0"), paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2")
    (first,) = inbox.record(stripes)
    inbox.record(paypals, claiming("cus_1"), claiming("cus_2", "another"))
    with transaction.atomic():
        inbox.apply([first])
        assert Other(process_batch).join() == 3
        left = {event_id for event_id, state in states().items() if state == State.WAITING}
        assert left == {paypals["id"], "evt_cus_1"}
    assert process_batch() == 2
    # Who is known keeps nobody apart.
    first, _ = inbox.record(
        claiming("cus_0", event_id="evt_3"), claiming("cus_1", event_id="evt_4")
    )
    with transaction.atomic():
        inbox.apply([first])
        assert Other(process_batch).join() == 1
    assert set(states().values()) == {State.PROCESSED}


@in_threads
def test_a_worker_waits_where_another_makes_all_tenants() -> None:
    """Though nobody is at work on its customers: it holds none of them meanwhile."""
    first, second = inbox.record(claiming("cus_0"), claiming("cus_1"))
    with transaction.atomic():
        inbox.apply([first])
        worker = Other(process_batch)
        wait_for(waiting_for_a_lock, message="the worker does not wait")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
            )
            # That it applies, and its shard of the sums.
            assert cursor.fetchone() == (2,)
    assert worker.join() == 1
    assert inbox.again([second])[0].state == State.PROCESSED


@in_threads
def test_workers_that_add_to_the_same_sums_take_turns() -> None:
    inbox.record(*invoices(1))
    with transaction.atomic(), connection.cursor() as cursor:
        for shard in range(16):
            cursor.execute(SHARD_LOCK.replace("pg_backend_pid()", str(shard)))
        worker = Other(process_batch)
        wait_for(waiting_for_a_lock, message="the worker does not wait")
        assert set(states().values()) == {State.WAITING}
    assert worker.join() == 1


@in_transaction
def test_events_are_taken_in_the_order_in_which_they_became_due() -> None:
    first, second, third = inbox.record(*invoices(3))
    PaymentEvent.objects.filter(pk=third.pk).update(
        next_attempt_at=timezone.now() - timedelta(hours=1)
    )
    process_batch(limit=1)
    assert [event.state for event in inbox.again([first, second, third])] == [
        State.WAITING,
        State.WAITING,
        State.PROCESSED,
    ]


@in_transaction
def test_an_applied_event_says_when_and_what_it_changed() -> None:
    before = timezone.now()
    (event,) = inbox.record(stripe("invoice.paid--basil"))
    assert process_batch() == 1
    (event,) = inbox.again([event])
    assert before <= (event.processed_at or before - timedelta(1)) <= timezone.now()
    assert event.next_attempt_at is None
    assert ["invoice", "in_1RBraeInvoice001", "status", None, "paid"] in (event.changes or [])
    assert process_batch() == 0


@in_threads
def test_once_drains_however_many_there_are() -> None:
    inbox.record(*invoices(7), paypal("PAYMENT.SALE.COMPLETED--v1"), not_an_amount())
    call_command("process_events", "--once")
    assert sorted(set(states().values())) == [State.FAILED, State.PROCESSED]
    assert Invoice.objects.count() == 8


# --- One bad event fails alone --------------------------------------------------------------


@in_transaction
@pytest.mark.usefixtures("refused_by_the_database")
@pytest.mark.parametrize("bad", [not_an_amount, not_storable])
def test_one_bad_event_of_a_batch_fails_alone(bad: Callable[[], Payload]) -> None:
    """C10."""
    good = invoices(6)
    events = inbox.record(*good[:3], bad(), *good[3:])
    assert process_batch() == 7
    assert [event.state for event in inbox.again(events)] == [
        *[State.PROCESSED] * 3,
        State.FAILED,
        *[State.PROCESSED] * 3,
    ]
    assert set(Invoice.objects.values_list("ref", flat=True)) == {f"in_{n}" for n in range(6)}
    assert discrepancies() == []


@in_transaction
@pytest.mark.usefixtures("refused_by_the_database")
def test_the_bad_event_of_a_large_batch_is_found_in_a_few_attempts() -> None:
    good = invoices(31)
    inbox.record(*good[:20], not_storable(), *good[20:])
    with mock.patch("webhooks.processing.ledger.apply", wraps=ledger.apply) as attempts:
        assert process_batch() == 32
    assert sorted(states().values()) == [State.FAILED, *[State.PROCESSED] * 31]
    # All, and both halves of what failed, five times.
    assert attempts.call_count == 11


@in_transaction
def test_a_payload_that_cannot_be_right_waits_for_a_person_at_once() -> None:
    (event,) = inbox.record(not_an_amount())
    process_batch()
    (event,) = inbox.again([event])
    assert (event.state, event.attempts) == (State.FAILED, 1)
    assert event.reason == "total is not a whole number"
    assert event.next_attempt_at is None


@in_transaction
def test_an_amount_that_cannot_be_right_leaves_the_invoice_as_it_was() -> None:
    inbox.arrive(stripe("invoice.finalized--basil"))
    before = Invoice.objects.values().get()
    (event,) = inbox.arrive(stripe("invoice.paid--basil", total="12100"))
    assert event.state == State.FAILED
    assert Invoice.objects.values().get() == before


@in_transaction
@pytest.mark.usefixtures("refused_by_the_database")
def test_an_error_that_nobody_foresaw_is_kept_and_tried_again() -> None:
    unforeseen, broken = inbox.record(not_storable(), *invoices(1))
    PaymentEvent.objects.filter(pk=broken.pk).update(body=b'{"cut')
    process_batch()
    for event, error in zip(
        inbox.again([unforeseen, broken]), ["IntegrityError", "Unreadable"], strict=True
    ):
        assert (event.state, event.attempts) == (State.FAILED, 1)
        assert event.reason.startswith(f"{error}: ")
        assert event.next_attempt_at is not None


@in_transaction
def test_a_limit_of_the_database_is_the_events_fault_and_stops_no_worker() -> None:
    """PostgreSQL says so in the words that it has for being out of memory or out of reach."""
    long = stripe("customer.subscription.created--basil", event_id="evt_long")
    inbox.record(*invoices(1), long)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX ON billing_subscription (plan)")
    # Random, for PostgreSQL compresses what it puts into an index.
    plan = "".join(random.Random(0).choices("0123456789abcdef", k=20_000))
    long["data"]["object"]["items"]["data"][0]["price"]["nickname"] = plan
    PaymentEvent.objects.filter(event_id="evt_long").update(body=json.dumps(long).encode())
    assert process_batch() == 2
    assert states() == {"evt_0": "processed", "evt_long": "failed"}


@in_transaction
def test_an_event_that_failed_is_processed_once_it_can_be() -> None:
    (event,) = inbox.record(*invoices(1))
    body = event.body
    PaymentEvent.objects.filter(pk=event.pk).update(body=b'{"cut')
    process_batch()
    PaymentEvent.objects.filter(pk=event.pk).update(body=body, next_attempt_at=timezone.now())
    assert process_batch() == 1
    (event,) = inbox.again([event])
    assert (event.state, event.reason, event.next_attempt_at) == (State.PROCESSED, "", None)


@in_transaction
@pytest.mark.usefixtures("refused_by_the_database")
def test_retries_come_later_each_time_and_end() -> None:
    """C10."""
    (event,) = inbox.record(not_storable())
    now = timezone.now() + timedelta(seconds=1)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with time_machine.travel(now, tick=False):
            assert process_batch() == 1
            (event,) = inbox.again([event])
            assert event.attempts == attempt
            assert process_batch() == 0, "it is tried again before its time"
        if attempt < MAX_ATTEMPTS:
            assert event.next_attempt_at is not None
            wait = min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY)
            assert 0.8 * wait <= event.next_attempt_at - now <= 1.2 * wait
            now = event.next_attempt_at
    assert event.next_attempt_at is None
    with time_machine.travel(now + timedelta(days=30)):
        assert process_batch() == 0


# --- Trouble of the database ----------------------------------------------------------------


@in_threads
def test_a_deadlock_is_tried_again_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """C9. Another writer holds the invoice and wants the customer, which the worker holds."""
    inbox.arrive(stripe("invoice.created--basil"))
    (event,) = inbox.record(stripe("invoice.paid--basil"))
    caplog.set_level(logging.INFO)
    with transaction.atomic(), connection.cursor() as cursor:
        # So that it is the worker whose transaction ends.
        cursor.execute("SET LOCAL deadlock_timeout = '20s'")
        cursor.execute("SELECT FROM billing_invoice FOR UPDATE")
        worker = Other(process_batch)
        wait_for(waiting_for_a_lock, message="the worker does not wait for the invoice")
        cursor.execute("SELECT FROM billing_customer FOR UPDATE")
    assert worker.join() == 1
    assert "conflict with another writer" in caplog.text
    (event,) = inbox.again([event])
    assert (event.state, event.attempts) == (State.PROCESSED, 0)
    assert Invoice.objects.get().status == "paid"


@in_threads
def test_workers_wait_while_all_is_rebuilt_and_then_go_on() -> None:
    inbox.record(*invoices(1))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [APPLYING_LOCK])
        worker = Other(process_batch)
        wait_for(waiting_for_a_lock, message="the worker does not wait")
        assert set(states().values()) == {State.WAITING}
    assert worker.join() == 1
    assert set(states().values()) == {State.PROCESSED}


# --- What is not applied --------------------------------------------------------------------


@in_transaction
@pytest.mark.parametrize(
    ("ours", "livemode", "state"),
    [
        ("test", False, State.PROCESSED),
        ("test", True, State.IGNORED),
        ("live", True, State.PROCESSED),
        ("live", False, State.IGNORED),
        ("live", None, State.PROCESSED),
    ],
)
def test_events_of_the_other_mode_are_ignored_and_say_so(
    settings: Settings, ours: str, livemode: bool | None, state: str
) -> None:
    settings.PAYMENTS_MODE = ours
    (event,) = inbox.arrive(stripe("invoice.paid--basil") | {"livemode": livemode})
    assert event.state == state
    if state == State.IGNORED:
        theirs = "live" if livemode else "test"
        assert event.reason == f"an event of {theirs} mode; PAYMENTS_MODE is the other"
        assert not Invoice.objects.exists()


@in_transaction
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (
            {
                "id": "evt_thin",
                "object": "v2.core.event",
                "type": "v1.billing.meter.no_meter_found",
                "created": "2025-05-15T09:06:40.508Z",
                "related_object": None,
            },
            "a thin event carries no object; reading it needs an API key",
        ),
        (
            stripe("invoice.paid--basil") | {"type": "product.updated"},
            "this type changes nothing",
        ),
        (
            paypal("PAYMENT.SALE.COMPLETED--v1") | {"event_type": "CATALOG.PRODUCT.CREATED"},
            "this type changes nothing",
        ),
        (
            stripe("invoice.created--basil", id=...),
            "a preview of an invoice, which does not exist yet",
        ),
    ],
)
def test_what_changes_nothing_is_ignored_with_its_reason(payload: Payload, reason: str) -> None:
    (event,) = inbox.arrive(payload)
    assert (event.state, event.reason) == (State.IGNORED, reason)
    assert event.next_attempt_at is None
    assert event.processed_at is not None
    assert not Invoice.objects.exists()


@in_transaction
def test_an_event_without_a_readable_time_is_applied_as_the_oldest() -> None:
    undated = paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2", at="2018-19-12T22:20:32.000Z")
    (event,) = inbox.arrive(undated)
    assert (event.occurred_at, event.state) == (None, State.PROCESSED)
    dated = paypal("BILLING.SUBSCRIPTION.SUSPENDED--v2")
    inbox.arrive(dated)
    assert (
        datetime(2025, 6, 20, 12, tzinfo=UTC) == inbox.record(dated | {"id": "WH-X"})[0].occurred_at
    )
