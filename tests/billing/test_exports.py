import csv
import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE, TRANSACTION_STATUS_IDLE
from pytest_django import DjangoAssertNumQueries, Settings

from billing import exports
from billing.models import PaymentEvent
from billing.queries import lists
from billing.queries.lists import Rows
from tests.factories import (
    NOON,
    make_event,
    make_invoice,
    make_payment,
    make_refund,
    make_staff,
    make_tenant,
)

pytestmark = pytest.mark.django_db


def rows(client: Client, name: str, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"/admin/payments/{name}/export.csv{query}")
    assert response.status_code == 200
    text = b"".join(response).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_columns_are_the_contracts(staff: Client) -> None:
    def header(name: str) -> str:
        return b"".join(staff.get(f"/admin/payments/{name}/export.csv")).decode()

    assert header("events") == (
        "gateway,event_type,tenant,event_id,state,received_at,occurred_at,"
        "invoice_number,invoice_amount,invoice_status,currency,error\r\n"
    )
    assert header("invoices") == (
        "invoice_number,tenant,gateway,gateway_invoice_id,currency,amount,tax,"
        "amount_refunded,status,gateway_status,created_at\r\n"
    )


def test_event_with_its_invoice(staff: Client, settings: Settings) -> None:
    settings.PAYMENTS_TIME_ZONE = "Asia/Kolkata"
    invoice = make_invoice(number="N-1", currency="KWD", exponent=3, amount_minor=1_234_500)
    tenant = make_tenant('A, "B"\nC')
    make_event(event_id="evt_1", invoice_ref=invoice.ref, tenant=tenant, occurred_at=None)

    assert rows(staff, "events") == [
        {
            "gateway": "stripe",
            "event_type": "invoice.paid",
            "tenant": 'A, "B"\nC',
            "event_id": "evt_1",
            "state": "processed",
            "received_at": "2026-03-01T17:30:00+05:30",
            "occurred_at": "",
            "invoice_number": "N-1",
            "invoice_amount": "1234.500",
            "invoice_status": "paid",
            "currency": "KWD",
            "error": "",
        }
    ]


@pytest.mark.parametrize("charge_names", [None, "in_2"])
def test_invoice_with_its_refunds(staff: Client, charge_names: str | None) -> None:
    tenant = make_tenant("Acme")
    make_invoice(
        ref="in_1", number=None, currency="JPY", exponent=0, amount_minor=5000, tax_minor=None
    )
    dollars = make_invoice(ref="in_2", tenant=tenant, amount_minor=10_000, tax_minor=0)
    make_payment(ref="pi_2", invoice_ref="in_2")
    make_payment(ref="ch_2", intent_ref="pi_2", invoice_ref=charge_names)
    make_refund(amount_minor=100, invoice_ref="in_2", payment_ref="ch_2")
    make_refund(amount_minor=20, payment_ref="ch_2")
    make_refund(amount_minor=3, payment_ref="pi_2")
    make_refund(amount_minor=5000, payment_ref="pi_2", status="failed")
    make_refund(amount_minor=7000, payment_ref="ch_of_another")

    yen_row, dollar_row = rows(staff, "invoices", "?sort=date")

    assert yen_row["invoice_number"] == yen_row["gateway_invoice_id"] == "in_1"
    assert (yen_row["amount"], yen_row["tax"], yen_row["amount_refunded"]) == ("5000", "", "0")
    assert (dollar_row["amount"], dollar_row["tax"]) == ("100.00", "0.00")
    assert dollar_row["amount_refunded"] == "1.23"
    assert dollar_row["tenant"] == "Acme"
    assert dollar_row["created_at"] == dollars.created_at.isoformat()


@pytest.mark.parametrize("first", list("=+-@\t\r\n"))
def test_formulas_are_text_and_amounts_stay_numbers(staff: Client, first: str) -> None:
    """E9."""
    evil = f"{first}HYPERLINK(1)"
    make_invoice(number=evil, tenant=make_tenant(evil), amount_minor=-500, tax_minor=None)

    (row,) = rows(staff, "invoices")

    assert row["invoice_number"] == row["tenant"] == f"'{evil}"
    assert row["amount"] == "-5.00"


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("UTC", "2026-01-15T12:00:00+00:00", "2026-07-15T12:00:00+00:00"),
        ("Europe/Berlin", "2026-01-15T13:00:00+01:00", "2026-07-15T14:00:00+02:00"),
        ("America/St_Johns", "2026-01-15T08:30:00-03:30", "2026-07-15T09:30:00-02:30"),
    ],
)
def test_times_are_the_operators(
    staff: Client, settings: Settings, zone: str, winter: str, summer: str
) -> None:
    settings.PAYMENTS_TIME_ZONE = zone
    for month in (1, 7):
        at = datetime(2026, month, 15, 12, 0, 0, 999_999, tzinfo=UTC)
        make_event(received_at=at, occurred_at=at)

    exported = rows(staff, "events", "?sort=date")

    assert [row["received_at"] for row in exported] == [winter, summer]
    assert [row["occurred_at"] for row in exported] == [winter, summer]


def test_exports_without_the_right_to_see_invoices(client: Client) -> None:
    client.force_login(make_staff("view_paymentevent"))
    make_event(invoice_ref=make_invoice().ref)

    (row,) = rows(client, "events")

    assert row["event_id"]
    invoice = ("invoice_number", "invoice_amount", "invoice_status", "currency")
    assert [row[name] for name in invoice] == [""] * 4


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_goes_away_leaves_the_connection_as_it_was(
    staff: Client, settings: Settings
) -> None:
    settings.PAYMENTS_TIME_ZONE = "Europe/Berlin"
    make_event()
    connection.close_at = None  # or Django closes one that is a minute old, as it does here
    response = staff.get("/admin/payments/events/export.csv")
    lines = iter(response)
    _header, first = next(lines), next(lines)
    info = connection.connection.info
    assert first.startswith(b"stripe,")
    # While the reader takes their time, the next chunk is read, and then nothing is open.
    deadline = time.monotonic() + 10
    while info.transaction_status == TRANSACTION_STATUS_ACTIVE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert info.transaction_status == TRANSACTION_STATUS_IDLE
    response.close()

    assert info.transaction_status == TRANSACTION_STATUS_IDLE
    with connection.cursor() as cursor:
        cursor.execute("SHOW TimeZone")
        assert cursor.fetchone() == ("UTC",)


@pytest.mark.parametrize(
    "text", ["plain", "", " ", "a,b", 'a"b', "a\rb", "a\nb", "a\r\nb", ",", '"']
)
def test_texts_are_quoted_where_they_have_to_be(staff: Client, text: str) -> None:
    make_event(reason=f"x{text}", tenant=make_tenant("Acme"))
    make_event(reason="x", tenant=make_tenant(f"y{text}"))

    exported = rows(staff, "events", "?sort=date")

    assert [row["error"] for row in exported] == [f"x{text}", "x"]
    assert [row["tenant"] for row in exported] == ["Acme", f"y{text}"]


def test_export_has_what_the_page_shows(staff: Client) -> None:
    make_event(event_id="a", gateway="paypal", received_at=NOON)
    make_event(event_id="b", gateway="paypal", received_at=NOON + timedelta(days=1))
    make_event(event_id="c", gateway="stripe")

    def ids(query: str) -> list[str]:
        return [row["event_id"] for row in rows(staff, "events", query)]

    assert ids("?gateway=paypal") == ["b", "a"]
    assert ids("?gateway=paypal&sort=date") == ["a", "b"]
    # Where the reader is in the list makes no difference.
    assert ids("?gateway=paypal&per_page=25&after=1_1") == ["b", "a"]


def test_filters_that_no_row_can_meet_give_no_rows() -> None:
    make_invoice()

    export = exports.invoices(Rows(lists.invoices().filter(tenant__in=[])), newest_first=True)

    assert list(export.chunks) == []


def test_a_filter_that_is_not_valid_gives_no_file(staff: Client) -> None:
    response = staff.get("/admin/payments/events/export.csv?gateway=strip")

    assert response.status_code == 400
    assert response.text == "Gateway: “strip” is not one of the choices."


def test_streamed_in_chunks_of_one_statement_each(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """E9."""
    invoice = make_invoice(ref="in_1")
    make_payment(ref="pi_1", invoice_ref=invoice.ref)
    event = make_event()
    copy: dict[str, Any] = {
        field.attname: getattr(event, field.attname)
        for field in PaymentEvent._meta.concrete_fields
        if field.attname not in ("id", "event_id", "payment_ref")
    }
    PaymentEvent.objects.bulk_create(
        PaymentEvent(**copy, event_id=f"n{n}", payment_ref="pi_1") for n in range(11_000)
    )
    response = staff.get("/admin/payments/events/export.csv")
    assert response.streaming

    # Three chunks and the empty one after them.
    with django_assert_max_num_queries(4):
        lines = b"".join(response).splitlines()

    assert len(lines) == 1 + 11_001
    assert sum(b"in_1" in line or b"INV-" in line for line in lines) == 11_000
