"""The page of one invoice, and what an event changed in its expanded row."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from billing.changes import described
from billing.masking import MASK
from billing.models import Invoice, Notification, Subscription
from tests.factories import (
    NOON,
    make_credit_note,
    make_dispute,
    make_event,
    make_invoice,
    make_payment,
    make_refund,
    make_tenant,
)
from tests.inbox import arrive
from tests.payloads import load

pytestmark = pytest.mark.django_db


def page(client: Client, invoice: Invoice) -> str:
    address = reverse("billing:invoice", args=[invoice.gateway, invoice.ref])
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_everything_of_an_invoice_and_its_history(admin_client: Client) -> None:
    finalized, paid, *_ = arrive(
        load("stripe", "invoice.finalized--basil"),
        load("stripe", "invoice.paid--basil"),
        load("stripe", "invoice_payment.paid--basil"),
        load("stripe", "refund.created--basil"),
    )
    invoice = Invoice.objects.get()
    shown = page(admin_client, invoice)
    for text in (
        invoice.number,
        invoice.ref,
        invoice.customer_ref,
        load("stripe", "refund.created--basil")["data"]["object"]["id"],
        finalized.event_type,
        paid.event_type,
        "refund.created",
    ):
        assert str(text) in shown
    # Newest first, by the gateway's time.
    assert shown.index("refund.created") < shown.index(finalized.event_type)


def test_an_event_that_changed_nothing_says_so(admin_client: Client) -> None:
    payload = load("stripe", "invoice.paid--basil")
    arrive(payload, {**payload, "id": "evt_late", "created": payload["created"] - 9})
    assert "It changed nothing" in page(admin_client, Invoice.objects.get())


def test_the_expanded_row_says_what_the_event_changed(admin_client: Client) -> None:
    arrive(load("stripe", "invoice.finalized--basil"))
    [paid] = arrive(load("stripe", "invoice.paid--basil"))
    shown = admin_client.get(reverse("billing:events"), {"open": paid.pk}).content.decode()
    assert "What it changed" in shown
    row = shown[shown.index(">Status<") :]
    assert row.index("Pending") < row.index("Paid")


def test_changes_are_in_the_readers_words_and_tell_no_person(admin_client: Client) -> None:
    event = make_event(
        changes=[
            ["invoice", "in_1", "amount", "1050.00 EUR", "-1234.500 KWD"],
            ["invoice", "in_1", "attention", None, "overdue"],
            ["invoice", "in_1", "due_at", None, "2026-03-01T12:00:00+00:00"],
            ["invoice", "in_1", "field_of_old", 1, 2],
            ["dispute", "dp_1", "returned", False, True],
            ["refund", "re_1", "payment", None, "ch_1"],
            ["customer", "cus_1", "email", "ada@example.com", "ada@example.org"],
            ["customer", "cus_1", "name", None, "Ada Lovelace"],
        ]
    )

    with translation.override("de"):
        german = [(change.before, change.after) for change in described(event)]
    shown = {change.field: (change.before, change.after) for change in described(event)}

    assert shown == {
        "amount": ("€1,050.00 EUR", "-1,234.500 KWD"),
        "attention": ("", "Overdue"),
        "due": ("", "Mar 1, 12:00:00"),
        "field_of_old": ("1", "2"),
        "money returned": ("no", "yes"),
        "payment": ("", "ch_1"),
        "e-mail": (MASK, MASK),
        "name": ("", MASK),
    }
    assert german[0] == ("1.050,00\xa0€ EUR", "-1.234,500 KWD")


def test_the_invoice_in_figures_fields_and_lists(admin_client: Client) -> None:
    tenant = make_tenant("Globex GmbH", key="globex")
    invoice = make_invoice(
        ref="in_all",
        number="INV-7",
        tenant=tenant,
        currency="EUR",
        amount_minor=124_831,
        tax_minor=19_931,
        credited_minor=4_831,
        status="void",
        gateway_status="uncollectible",
        attention="overdue",
        attempt_count=3,
        next_attempt_at=NOON,
        due_at=NOON,
        paid_at=NOON,
        customer_ref="cus_7",
        subscription_ref="sub_7",
    )
    Subscription.objects.create(gateway="stripe", ref="sub_7", plan="Scale", status="active")
    make_payment(
        ref="ch_7", invoice_ref=invoice.ref, amount_minor=120_000, currency="EUR", exponent=2
    )
    make_refund(ref="re_7", payment_ref="ch_7", currency="EUR", amount_minor=5_000)
    make_refund(ref="re_8", payment_ref="ch_7", currency="EUR", amount_minor=700)
    make_refund(ref="re_f", payment_ref="ch_7", currency="EUR", amount_minor=9, status="failed")
    make_refund(ref="re_u", payment_ref="ch_7", currency="USD", amount_minor=9)
    make_dispute(
        ref="dp_7", payment_ref="ch_7", currency="EUR", amount_minor=4_000, counted_minor=3_000
    )
    make_credit_note(
        ref="cn_7",
        number="CN-7",
        invoice_ref=invoice.ref,
        currency="EUR",
        amount_minor=4_831,
        pre_payment_minor=4_831,
    )
    for attempt, state in (("1", "sent"), ("2", "failed")):
        Notification.objects.create(
            gateway="stripe",
            invoice_ref=invoice.ref,
            attempt=attempt,
            state=state,
            recipients=["a@example.com"],
            error="mailbox full",
        )

    shown = page(admin_client, invoice)

    figures = shown.split('class="figures"')[1].split("</dl>")[0]
    for figure in ("€1,200.00", "€199.31", "€48.31", "€57.00", "€30.00"):
        assert figure in figures, figure
    for text in (
        *("INV-7", "in_all", "Globex GmbH", "globex", "uncollectible</bdi> · Overdue"),
        *("3 · next", "cus_7", "sub_7", "Scale</bdi> · Active", "ch_7"),
        *("re_7", "€50.00", "Succeeded", "re_f", "Failed", "dp_7", "€40.00", "CN-7", "cn_7"),
        *("e-mail sent to 1 person", "the e-mail could not be sent", "attempt 2 · mailbox full"),
    ):
        assert text in shown, text
    for address in ("invoices/?q=cus_7", "invoices/?q=sub_7", "invoices/?tenant=globex"):
        assert f'href="/admin/payments/{address}"' in shown, address
    for path in ("invoices/in_all", "customers/cus_7", "subscriptions/sub_7", "payments/ch_7"):
        link = f'href="https://dashboard.stripe.com/test/{path}" rel="noreferrer noopener"'
        assert link in shown, path
    assert 'data-copy="INV-7"' in shown


def test_an_invoice_of_which_little_is_known(admin_client: Client) -> None:
    shown = page(admin_client, make_invoice(number=None, tax_minor=None, gateway="paypal"))

    assert "No payment is known." in shown
    assert shown.count("None.") == 2
    assert "No event names this invoice." in shown
    assert "paypal.com" not in shown


def test_more_events_than_the_history_has_are_led_to(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.queries.invoices.HISTORY_LENGTH", 2)
    invoice = make_invoice(ref="in_many")
    for number in range(2):
        make_event(invoice_ref="in_many", event_type=f"type.{number}")
    assert "All events" not in page(admin_client, invoice)

    make_event(invoice_ref="in_many", event_type="type.2")

    shown = page(admin_client, invoice)
    assert "type.2" in shown
    assert "type.0" not in shown
    assert 'href="/admin/payments/events/?q=in_many">All events' in shown


def test_an_unknown_invoice_is_not_found(admin_client: Client) -> None:
    assert admin_client.get("/admin/payments/invoices/stripe/in_nope/").status_code == 404
    assert admin_client.get("/admin/payments/invoices/nope/in_nope/").status_code == 404


def test_an_id_with_a_slash_has_a_page(admin_client: Client) -> None:
    payload = load("stripe", "invoice.paid--basil")
    payload["data"]["object"]["id"] = "in_a/b:c?d"
    arrive(payload)
    assert "in_a/b:c?d" in page(admin_client, Invoice.objects.get())


def test_who_may_not_see_invoices_is_refused(client: Client) -> None:
    arrive(load("stripe", "invoice.paid--basil"))
    invoice = Invoice.objects.get()
    address = reverse("billing:invoice", args=[invoice.gateway, invoice.ref])
    assert client.get(address).status_code == 302
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_paymentevent"))
    client.force_login(reader)
    assert client.get(address).status_code == 403


def test_a_fixed_number_of_queries(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    arrive(
        load("stripe", "invoice.paid--2022"),
        load("stripe", "invoice_payment.paid--basil"),
        load("stripe", "refund.created--basil"),
    )
    invoice = Invoice.objects.get()
    # Session and user; the invoice and its payments, and what belongs to them.
    with django_assert_num_queries(4):
        page(admin_client, invoice)


def test_a_sale_of_a_paypal_invoice_is_linked_to_that_invoice(admin_client: Client) -> None:
    """The sale's own row is superseded, and on no page."""
    sale = load("paypal", "PAYMENT.SALE.COMPLETED--v1-one-off")
    [event] = arrive(sale)
    arrive(
        {
            "id": "WH-INVOICE",
            "event_type": "INVOICING.INVOICE.PAID",
            "create_time": sale["create_time"],
            "resource": {
                "invoice": {
                    "id": "INV2-KNOWN",
                    "status": "PAID",
                    "detail": {"invoice_number": "KNOWN-7"},
                    "amount": {"currency_code": "EUR", "value": "20.00"},
                    "payments": {"transactions": [{"payment_id": sale["resource"]["id"]}]},
                }
            },
        }
    )
    shown = admin_client.get(reverse("billing:events"), {"open": event.pk}).content.decode()
    assert "KNOWN-7" in shown
