"""What an event is linked to, however and in whatever order the links arrive."""

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.models import Notification, PaymentEvent, TenantClaim
from billing.queries import lists
from billing.queries.details import EventDetail, event_detail, invoices_of
from tests.factories import (
    NOON,
    make_event,
    make_invoice,
    make_payment,
    make_refund,
    make_tenant,
)

pytestmark = pytest.mark.django_db


def detail(event: PaymentEvent) -> EventDetail:
    return event_detail(event, with_invoices=True).value


class TestLinkedInvoice:
    def test_named_by_the_event(self) -> None:
        invoice = make_invoice()
        make_invoice(gateway="paypal", ref=invoice.ref)

        assert detail(make_event(invoice_ref=invoice.ref)).invoices == [invoice]

    def test_named_by_the_payment(self) -> None:
        invoice = make_invoice()
        make_payment(ref="pi_1", invoice_ref=invoice.ref)

        assert detail(make_event(payment_ref="pi_1")).invoices == [invoice]

    def test_charge_knows_it_through_its_intent(self) -> None:
        invoice = make_invoice()
        make_payment(ref="pi_1", invoice_ref=invoice.ref)
        make_payment(ref="ch_1", intent_ref="pi_1")

        assert detail(make_event(payment_ref="ch_1")).invoices == [invoice]

    def test_intent_knows_it_through_its_charge(self) -> None:
        invoice = make_invoice()
        make_payment(ref="ch_1", intent_ref="pi_1", invoice_ref=invoice.ref)
        make_payment(ref="ch_2", intent_ref="pi_1")

        assert detail(make_event(payment_ref="pi_1")).invoices == [invoice]
        assert detail(make_event(payment_ref="ch_2")).invoices == [invoice]

    def test_an_invoice_that_comes_later_is_found_then(self) -> None:
        event = make_event(invoice_ref="in_late")
        assert detail(event).invoices == []

        invoice = make_invoice(ref="in_late")

        assert detail(event).invoices == [invoice]

    def test_the_newest_five_of_the_subscription(self) -> None:
        for n in range(6):
            make_invoice(ref=f"in_s{n}", subscription_ref="sub_1", created_at=NOON.replace(hour=n))

        found = detail(make_event(subscription_ref="sub_1"))

        assert [invoice.ref for invoice in found.invoices] == [f"in_s{n}" for n in (5, 4, 3, 2, 1)]
        assert found.more_invoices

    def test_subscription_only_where_nothing_else_is_named(self) -> None:
        make_invoice(subscription_ref="sub_1")

        assert detail(make_event(subscription_ref="sub_1", invoice_ref="in_x")).invoices == []

    @pytest.mark.parametrize("status", ["draft", "deleted"])
    def test_what_was_not_issued_is_not_shown(self, status: str) -> None:
        invoice = make_invoice(status=status)

        assert detail(make_event(invoice_ref=invoice.ref)).invoices == []

    def test_many_events_at_once(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        expected = {}
        for n in range(30):
            gateway = "paypal" if n % 2 else "stripe"
            invoice = make_invoice(gateway=gateway)
            make_payment(gateway=gateway, ref=f"pi_{n}", invoice_ref=invoice.ref)
            make_payment(gateway=gateway, ref=f"ch_{n}", intent_ref=f"pi_{n}")
            expected[make_event(gateway=gateway, payment_ref=f"ch_{n}").pk] = invoice
            expected[make_event(gateway=gateway, invoice_ref=invoice.ref).pk] = invoice

        events = list(lists.events())
        with django_assert_num_queries(1):
            assert invoices_of(events).value == expected


class TestRefunds:
    def test_each_once_whatever_it_names(self) -> None:
        invoice = make_invoice()
        make_payment(ref="pi_1", invoice_ref=invoice.ref)
        make_payment(ref="ch_1", intent_ref="pi_1")
        refunds = [
            make_refund(invoice_ref=invoice.ref, payment_ref="ch_1"),
            make_refund(payment_ref="ch_1"),
            make_refund(payment_ref="pi_1"),
        ]
        make_refund(payment_ref="ch_1", gateway="paypal")
        make_refund(payment_ref="ch_other")

        assert detail(make_event(invoice_ref=invoice.ref)).refunds == refunds


class TestNotifications:
    def test_of_the_invoice(self) -> None:
        mine = Notification.objects.create(gateway="stripe", invoice_ref="in_1", attempt="1")
        Notification.objects.create(gateway="paypal", invoice_ref="in_1", attempt="1")

        assert detail(make_event(invoice_ref="in_1")).notifications == [mine]

    def test_of_the_subscription_where_there_is_no_invoice(self) -> None:
        cycle = Notification.objects.create(
            gateway="paypal", subscription_ref="I-1", attempt="2026-03-01"
        )
        Notification.objects.create(
            gateway="paypal", subscription_ref="I-1", invoice_ref="x", attempt="1"
        )
        event = make_event(gateway="paypal", subscription_ref="I-1")

        assert detail(event).notifications == [cycle]
        assert detail(make_event()).notifications == []


class TestConflict:
    def claim(self, name: str, *, by_person: bool = False) -> None:
        TenantClaim.objects.create(
            gateway="stripe",
            kind="customer",
            ref="cus_1",
            tenant=make_tenant(name),
            by_person=by_person,
        )

    def test_two_tenants_claim_the_customer(self) -> None:
        event = make_event(customer_ref="cus_1")
        self.claim("Acme")
        assert detail(event).claimants == []

        self.claim("Globex")

        assert {tenant.name for tenant in detail(event).claimants} == {"Acme", "Globex"}

    def test_a_person_has_decided(self) -> None:
        self.claim("Acme")
        self.claim("Globex", by_person=True)

        assert detail(make_event(customer_ref="cus_1")).claimants == []


def test_counting_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """E8."""
    monkeypatch.setattr(lists, "COUNT_LIMIT", 3)
    for n in range(3):
        make_event(event_id=f"e{n}")
    assert lists.bounded_count(lists.Rows(lists.events())).value == 3

    make_event()
    make_event()

    assert lists.bounded_count(lists.Rows(lists.events())).value == 4
