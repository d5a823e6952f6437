"""`manage.py rebuild`: every billing row follows from the inbox, and people's words stay."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from billing.models import (
    Customer,
    Invoice,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
    TenantClaim,
    TotalZone,
)
from billing.totals import discrepancies
from tests import inbox, payloads
from tests.ledger_state import snapshot
from tests.payloads import stripe
from webhooks.rebuilding import rebuild

pytestmark = pytest.mark.django_db


@pytest.fixture
def life() -> list[PaymentEvent]:
    """Everything of both gateways, a failed event, an ignored and an unmatched one."""
    events = inbox.record(
        *(payloads.load("stripe", name) for name in payloads.names("stripe")),
        *(payloads.load("paypal", name) for name in payloads.names("paypal")),
        stripe("invoice.paid--basil", event_id="evt_failed", id="in_failed", total=1.5),
        stripe("invoice.paid--basil", event_id="evt_ignored") | {"type": "plan.created"},
        stripe(
            "invoice.paid--basil",
            event_id="evt_unmatched",
            id="in_unmatched",
            customer="cus_unknown",
            parent=None,
        ),
    )
    inbox.apply(events)
    return inbox.again(events)


def test_a_rebuild_gives_what_stands(life: list[PaymentEvent]) -> None:
    before = snapshot()
    assert {event.state for event in life} == {"processed", "failed", "ignored", "unmatched"}
    assert set(rebuild().values()) == {0}
    assert snapshot() == before
    assert discrepancies() == []


TAMPERINGS: dict[str, Callable[[], object]] = {
    "invoice": lambda: Invoice.objects.filter(ref="in_1RBraeInvoice001").update(amount_minor=9999),
    "refund": lambda: Refund.objects.order_by("pk")[0].delete(),
    "subscription": lambda: Subscription.objects.update(status="unpaid"),
    "customer": lambda: Customer.objects.update(tenant=None),
    "payment": lambda: Payment.objects.create(gateway="stripe", ref="pi_nobody"),
    "tenantclaim": lambda: TenantClaim.objects.all().delete(),
}


@pytest.mark.parametrize("table", TAMPERINGS)
def test_a_rebuild_mends_what_was_tampered_with_and_counts_it(
    life: list[PaymentEvent], table: str
) -> None:
    before = snapshot()
    TAMPERINGS[table]()
    assert snapshot() != before
    differences = rebuild()
    assert differences[table] > 0
    assert snapshot() == before
    assert discrepancies() == []


def test_check_changes_nothing_and_fails_where_something_differs(life: list[PaymentEvent]) -> None:
    call_command("rebuild", "--check")
    Invoice.objects.filter(ref="in_1RBraeInvoice001").update(amount_minor=9999)
    tampered = snapshot()
    with pytest.raises(CommandError, match="not what the events say"):
        call_command("rebuild", "--check")
    assert snapshot() == tampered


def test_a_rebuild_says_what_differed(
    life: list[PaymentEvent], capsys: pytest.CaptureFixture[str]
) -> None:
    Invoice.objects.filter(ref="in_1RBraeInvoice001").update(amount_minor=9999)
    call_command("rebuild")
    # The row that stood and the row that stands.
    assert "invoice: 2 rows differed" in capsys.readouterr().out


def test_an_event_that_failed_is_read_again(life: list[PaymentEvent]) -> None:
    """What today's code understands counts, and so does what was mended."""
    (failed,) = PaymentEvent.objects.filter(event_id="evt_failed")
    mended = inbox.record(stripe("invoice.paid--basil", event_id="evt_x", id="in_failed"))[0].body
    PaymentEvent.objects.filter(event_id="evt_x").delete()
    PaymentEvent.objects.filter(pk=failed.pk).update(body=mended)
    rebuild()
    assert inbox.again([failed])[0].state == PaymentEvent.State.PROCESSED
    assert Invoice.objects.filter(ref="in_failed").exists()


def test_a_waiting_event_keeps_waiting(life: list[PaymentEvent]) -> None:
    (waiting,) = inbox.record(stripe("invoice.paid--basil", event_id="evt_w", id="in_w"))
    rebuild()
    assert inbox.again([waiting])[0].state == PaymentEvent.State.WAITING
    assert not Invoice.objects.filter(ref="in_w").exists()


def test_a_rebuild_rewrites_no_history_and_tells_nobody_again(life: list[PaymentEvent]) -> None:
    columns = ("event_id", "processed_at", "changes", "received_at", "deliveries")
    history = list(PaymentEvent.objects.order_by("pk").values_list(*columns))
    told = list(Notification.objects.order_by("pk").values())
    assert told
    rebuild()
    assert list(PaymentEvent.objects.order_by("pk").values_list(*columns)) == history
    assert list(Notification.objects.order_by("pk").values()) == told


def test_a_rebuild_moves_the_days_to_the_zone_that_is_set(
    life: list[PaymentEvent], settings: Settings
) -> None:
    settings.PAYMENTS_TIME_ZONE = "Asia/Kolkata"
    rebuild()
    assert TotalZone.objects.get().name == "Asia/Kolkata"
    assert discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_holds_no_lock_for_each_row(life: list[PaymentEvent]) -> None:
    """PostgreSQL has room for some ten thousand, and a rebuild is one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        rebuild()
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert cursor.fetchone()[0] == 2, "more than the one that workers wait for and that of days"
