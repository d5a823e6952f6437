"""The page of one invoice, and what an event changed in its expanded row."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.models import Invoice
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
    row = shown[shown.index(">status<") :]
    assert row.index("pending") < row.index("paid")


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
    # Session and user, and nine of its own.
    with django_assert_num_queries(11):
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
