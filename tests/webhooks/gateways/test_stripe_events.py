"""Stripe's events become facts: the same facts from every shape (B8), and never a guess (B9)."""

import dataclasses
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.facts import (
    CustomerFact,
    Fact,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
    SubscriptionFact,
    SubscriptionStatus,
    TenantFact,
    Trust,
)
from billing.money import Money
from tests import payloads
from webhooks.gateways.base import PayloadError
from webhooks.gateways.stripe_events import STEPS, read

CUSTOMER, SUBSCRIPTION = "cus_SBraeCycles001", "sub_1RBraeWorkshop01"
INVOICE, CHARGE, INTENT = "in_1RBraeInvoice001", "ch_3RBraeCharge0001", "pi_3RBraeIntent0001"
REFUND = "re_3RBraeRefund0001"
TENANT = TenantFact(key="brae-cycles", trust=Trust.METADATA)
TOTAL = Money(12100, "EUR", 2)

F = TypeVar("F", bound=Fact)


def at(day: int, hour: int = 9, minute: int = 6, second: int = 40, month: int = 5) -> datetime:
    return datetime(2025, month, day, hour, minute, second, tzinfo=UTC)


def one(reading: Reading, kind: type[F]) -> F:
    (found,) = (fact for fact in reading.facts if isinstance(fact, kind))
    return found


STARTED = at(15)
NAMES = payloads.names("stripe")
EVENT_TYPES = sorted({name.split("--")[0] for name in NAMES})


# --- Each type, in its newest shape, complete -----------------------------------------------

OPEN_INVOICE = InvoiceFact(
    ref=INVOICE,
    step=STEPS["invoice.payment_failed"],
    money=TOTAL,
    tax_minor=2100,
    status=InvoiceStatus.PENDING,
    gateway_status="open",
    number="BRAE0001-0001",
    customer_ref=CUSTOMER,
    subscription_ref=SUBSCRIPTION,
    attempt_count=1,
    next_attempt_at=at(18, 10, 7),
    created_at=STARTED,
)
OF_INVOICE = Refs(customer=CUSTOMER, subscription=SUBSCRIPTION, invoice=INVOICE)
NO_NEXT_ATTEMPT = frozenset({"next_attempt_at"})
# What is paid or void needs nobody's attention any more.
SETTLED = frozenset({"next_attempt_at", "attention"})


def as_invoice(event_type: str, **changes: Any) -> InvoiceFact:
    return dataclasses.replace(OPEN_INVOICE, step=STEPS[event_type], **changes)


INVOICE_FACTS = {
    "invoice.created": as_invoice(
        "invoice.created",
        status=InvoiceStatus.DRAFT,
        gateway_status="draft",
        number=None,
        attempt_count=0,
        next_attempt_at=at(15, 10),
    ),
    "invoice.updated": as_invoice("invoice.updated"),
    "invoice.finalized": as_invoice(
        "invoice.finalized", attempt_count=0, next_attempt_at=at(15, 10)
    ),
    "invoice.payment_failed": OPEN_INVOICE,
    "invoice.marked_uncollectible": as_invoice(
        "invoice.marked_uncollectible",
        status=InvoiceStatus.UNCOLLECTIBLE,
        gateway_status="uncollectible",
        attempt_count=4,
        next_attempt_at=None,
        cleared=NO_NEXT_ATTEMPT,
    ),
    "invoice.payment_succeeded": as_invoice(
        "invoice.payment_succeeded",
        status=InvoiceStatus.PAID,
        gateway_status="paid",
        attempt_count=2,
        next_attempt_at=None,
        cleared=SETTLED,
        paid_at=at(16),
    ),
    "invoice.paid": as_invoice(
        "invoice.paid",
        status=InvoiceStatus.PAID,
        gateway_status="paid",
        attempt_count=2,
        next_attempt_at=None,
        cleared=SETTLED,
        paid_at=at(16),
    ),
    "invoice.voided": as_invoice(
        "invoice.voided",
        status=InvoiceStatus.VOID,
        gateway_status="void",
        attempt_count=4,
        next_attempt_at=None,
        cleared=SETTLED,
    ),
    "invoice.deleted": as_invoice(
        "invoice.deleted",
        status=InvoiceStatus.DELETED,
        gateway_status="deleted",
        number=None,
        attempt_count=0,
        next_attempt_at=None,
        cleared=NO_NEXT_ATTEMPT,
    ),
}
# Said by the invoice in passing, for a subscription that nothing has described yet.
SUBSCRIBER = SubscriptionFact(ref=SUBSCRIPTION, hint=True, status=None, customer_ref=CUSTOMER)
FAILED_ATTEMPT = FailureFact(invoice_ref=INVOICE, attempt="1", money=TOTAL)
ACTIVE = SubscriptionFact(
    ref=SUBSCRIPTION,
    step=STEPS["customer.subscription.created"],
    status=SubscriptionStatus.ACTIVE,
    gateway_status="active",
    customer_ref=CUSTOMER,
    plan="Workshop",
    quantity=2,
    period_start_at=STARTED,
    period_end_at=at(14, month=6),
    cleared=frozenset({"cancel_at"}),
)
RENEWED = dataclasses.replace(
    ACTIVE,
    step=STEPS["customer.subscription.updated"],
    quantity=3,
    period_start_at=at(14, month=6),
    period_end_at=at(14, month=7),
)
SUBSCRIPTION_FACTS = {
    "customer.subscription.created": ACTIVE,
    "customer.subscription.updated": RENEWED,
    "customer.subscription.deleted": dataclasses.replace(
        RENEWED,
        step=STEPS["customer.subscription.deleted"],
        status=SubscriptionStatus.CANCELLED,
        gateway_status="canceled",
        ended_at=at(24, month=6),
    ),
}
REFUNDED = RefundFact(
    ref=REFUND,
    step=STEPS["refund.created"],
    money=Money(2500, "EUR", 2),
    status=RefundStatus.SUCCEEDED,
    payment_ref=CHARGE,
    created_at=at(18),
)


def as_refund(event_type: str, **changes: Any) -> tuple[Fact, ...]:
    step = STEPS[event_type]
    return (
        dataclasses.replace(REFUNDED, step=step, **changes),
        PaymentFact(ref=CHARGE, step=step, intent_ref=INTENT),
    )


COMPLETE = (
    {
        event_type: Reading(refs=OF_INVOICE, facts=(fact, SUBSCRIBER, TENANT))
        for event_type, fact in INVOICE_FACTS.items()
    }
    | {
        event_type: Reading(
            refs=Refs(customer=CUSTOMER, subscription=SUBSCRIPTION), facts=(fact, TENANT)
        )
        for event_type, fact in SUBSCRIPTION_FACTS.items()
    }
    | {
        "invoice.payment_failed": Reading(
            refs=OF_INVOICE, facts=(OPEN_INVOICE, SUBSCRIBER, TENANT, FAILED_ATTEMPT)
        ),
        "checkout.session.completed": Reading(
            refs=OF_INVOICE,
            facts=(
                TENANT,
                TenantFact(key="brae-cycles", trust=Trust.BROWSER),
                CustomerFact(
                    ref=CUSTOMER,
                    step=STEPS["checkout.session.completed"],
                    hint=True,
                    email="accounts@brae-cycles.example",
                    name="Brae Cycles",
                ),
                SubscriptionFact(
                    ref=SUBSCRIPTION,
                    step=STEPS["checkout.session.completed"],
                    hint=True,
                    status=SubscriptionStatus.ACTIVE,
                    customer_ref=CUSTOMER,
                ),
            ),
        ),
        "invoice_payment.paid": Reading(
            refs=Refs(invoice=INVOICE, payment=INTENT),
            facts=(
                PaymentFact(ref=INTENT, step=STEPS["invoice_payment.paid"], invoice_ref=INVOICE),
            ),
        ),
        "charge.refunded": Reading(
            refs=Refs(customer=CUSTOMER, payment=CHARGE),
            facts=(
                PaymentFact(
                    ref=CHARGE,
                    step=STEPS["charge.refunded"],
                    intent_ref=INTENT,
                    customer_ref=CUSTOMER,
                    money=TOTAL,
                ),
                # A refund may name the intent only.
                PaymentFact(ref=INTENT, step=STEPS["charge.refunded"], customer_ref=CUSTOMER),
                # Of two sums said in one second the larger is the later.
                PaymentFact(ref=CHARGE, step=2500, refunded=Money(2500, "EUR", 2)),
            ),
        ),
        "refund.created": Reading(refs=Refs(payment=CHARGE), facts=as_refund("refund.created")),
        "refund.updated": Reading(refs=Refs(payment=CHARGE), facts=as_refund("refund.updated")),
        "charge.refund.updated": Reading(
            refs=Refs(payment=CHARGE), facts=as_refund("charge.refund.updated")
        ),
        "refund.failed": Reading(
            refs=Refs(payment=CHARGE),
            facts=as_refund("refund.failed", status=RefundStatus.FAILED),
        ),
    }
)


@pytest.mark.parametrize("event_type", sorted(COMPLETE))
def test_an_event_in_todays_shape_is_read_completely(event_type: str) -> None:
    assert read(payloads.load("stripe", f"{event_type}--basil")) == COMPLETE[event_type]


# --- The same from every shape --------------------------------------------------------------


def projection(name: str) -> dict[str, object]:
    """What an event says of its own object, and of the tenant where its shape can name one."""
    reading = read(payloads.load("stripe", name))
    said: dict[str, object] = {
        "customer": reading.refs.customer,
        "subscription": reading.refs.subscription,
        "facts": [
            fact
            for fact in reading.facts
            if not isinstance(fact, PaymentFact | TenantFact) or fact == TENANT
        ],
    }
    return said


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("--2022")])
def test_the_shape_before_basil_says_the_same(name: str) -> None:
    assert projection(name) == projection(name.replace("--2022", "--basil"))


@pytest.mark.parametrize(
    "event_type", ["invoice.updated", "invoice.payment_failed", "invoice.payment_succeeded"]
)
def test_an_invoice_of_2017_says_the_same_but_for_when_it_was_paid(event_type: str) -> None:
    # It had no status, no "created", no moment of payment, and no metadata of the subscription.
    fact = one(read(payloads.load("stripe", f"{event_type}--2017")), InvoiceFact)
    assert fact == dataclasses.replace(INVOICE_FACTS[event_type], paid_at=None)


def test_an_invoice_of_2017_was_never_a_draft() -> None:
    fact = one(read(payloads.load("stripe", "invoice.created--2017")), InvoiceFact)
    assert (fact.status, fact.money, fact.tax_minor) == (InvoiceStatus.PENDING, TOTAL, 2100)


@pytest.mark.parametrize("event_type", sorted(SUBSCRIPTION_FACTS))
def test_a_subscription_of_2017_says_the_same_but_for_the_plans_name(event_type: str) -> None:
    reading = read(payloads.load("stripe", f"{event_type}--2017"))
    assert reading == COMPLETE[event_type]


@pytest.mark.parametrize(
    ("flags", "status", "word"),
    [
        ({"paid": True, "closed": True}, InvoiceStatus.PAID, "paid"),
        ({"paid": True, "forgiven": True}, InvoiceStatus.PAID, "paid"),
        ({"forgiven": True, "closed": True}, InvoiceStatus.UNCOLLECTIBLE, "uncollectible"),
        ({"closed": True}, InvoiceStatus.VOID, "void"),
        ({}, InvoiceStatus.PENDING, "open"),
        ({"paid": None, "closed": None}, InvoiceStatus.PENDING, "open"),
        # Only the word itself counts: these are not booleans.
        ({"paid": "true"}, InvoiceStatus.PENDING, "open"),
        ({"paid": 1}, InvoiceStatus.PENDING, "open"),
    ],
)
def test_before_invoices_had_a_status_three_flags_said_it(
    flags: dict[str, Any], status: InvoiceStatus, word: str
) -> None:
    event = payloads.stripe("invoice.updated--2017", paid=..., closed=..., forgiven=...)
    payloads.thing("stripe", event).update(flags)
    fact = one(read(event), InvoiceFact)
    assert (fact.status, fact.gateway_status) == (status, word)


def test_refunds_inside_a_charge_of_2017_are_refunds_of_their_own() -> None:
    reading = read(payloads.load("stripe", "charge.refunded--2017"))
    assert one(reading, RefundFact) == dataclasses.replace(REFUNDED, step=STEPS["charge.refunded"])
    assert reading.refs == Refs(customer=CUSTOMER, invoice=INVOICE, payment=CHARGE)


def test_refunds_inside_a_charge_of_old_need_neither_status_currency_nor_charge() -> None:
    event = payloads.load("stripe", "charge.refunded--2017")
    (refund,) = payloads.thing("stripe", event)["refunds"]["data"]
    for key in ("status", "currency", "charge"):
        del refund[key]
    assert one(read(event), RefundFact) == dataclasses.replace(
        REFUNDED, step=STEPS["charge.refunded"]
    )
    del refund["id"]
    assert not [fact for fact in read(event).facts if isinstance(fact, RefundFact)]


def test_the_payments_of_an_invoice_are_named_by_itself_before_basil() -> None:
    reading = read(payloads.load("stripe", "invoice.paid--2022"))
    links = [fact for fact in reading.facts if isinstance(fact, PaymentFact)]
    intent = PaymentFact(
        ref=INTENT, invoice_ref=INVOICE, customer_ref=CUSTOMER, subscription_ref=SUBSCRIPTION
    )
    assert links == [intent, dataclasses.replace(intent, ref=CHARGE, intent_ref=INTENT)]
    assert reading.refs.payment == CHARGE


def test_the_payments_of_an_invoice_are_read_where_the_api_expanded_them() -> None:
    event = payloads.stripe(
        "invoice.paid--basil",
        payments={
            "object": "list",
            "data": [
                {"id": "inpay_1", "payment": {"type": "payment_intent", "payment_intent": INTENT}}
            ],
        },
    )
    assert one(read(event), PaymentFact).ref == INTENT


def test_an_old_version_made_today_carries_both_shapes() -> None:
    """Acacia recordings of 2025 have ``parent`` and ``total_taxes`` beside the old keys."""
    both = payloads.load("stripe", "invoice.paid--2022")
    new = payloads.thing("stripe", payloads.load("stripe", "invoice.paid--basil"))
    payloads.thing("stripe", both).update(parent=new["parent"], total_taxes=new["total_taxes"])
    assert one(read(both), InvoiceFact) == INVOICE_FACTS["invoice.paid"]
    assert [fact for fact in read(both).facts if isinstance(fact, TenantFact)] == [TENANT]

    both = payloads.load("stripe", "customer.subscription.updated--basil")
    old = payloads.thing("stripe", payloads.load("stripe", "customer.subscription.created--2022"))
    payloads.thing("stripe", both)["current_period_end"] = old["current_period_end"]
    assert one(read(both), SubscriptionFact) == RENEWED


# --- What is ignored ------------------------------------------------------------------------


def test_a_type_that_is_not_tracked_is_ignored() -> None:
    event = payloads.load("stripe", "invoice.paid--basil") | {"type": "plan.created"}
    assert read(event) == Reading(ignored="this type changes nothing")


def test_a_thin_event_is_ignored_and_says_why() -> None:
    thin = {"object": "v2.core.event", "type": "invoice.paid", "id": "evt_1", "related_object": {}}
    assert "API key" in read(thin).ignored
    assert read(thin).facts == ()


def test_a_preview_of_an_invoice_makes_no_invoice() -> None:
    reading = read(payloads.stripe("invoice.created--basil", id=...))
    assert reading.ignored
    assert reading.facts == ()


def test_a_payment_that_is_none_is_ignored_but_names_its_invoice() -> None:
    reading = read(payloads.stripe("invoice_payment.paid--basil", payment={"type": "other"}))
    assert reading.ignored
    assert reading.refs == Refs(invoice=INVOICE)


# --- The object counts, not the type --------------------------------------------------------


@pytest.mark.parametrize("event_type", sorted(set(INVOICE_FACTS) - {"invoice.deleted"}))
@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("draft", InvoiceStatus.DRAFT),
        ("open", InvoiceStatus.PENDING),
        ("paid", InvoiceStatus.PAID),
        ("void", InvoiceStatus.VOID),
        ("uncollectible", InvoiceStatus.UNCOLLECTIBLE),
    ],
)
def test_an_invoices_status_is_its_own_whatever_the_type_says(
    event_type: str, word: str, status: InvoiceStatus
) -> None:
    event = payloads.stripe(f"{event_type}--basil", status=word)
    assert one(read(event), InvoiceFact).status == status


def test_a_deleted_subscription_has_ended_whatever_its_status_says() -> None:
    event = payloads.stripe("customer.subscription.deleted--basil", status="active")
    assert one(read(event), SubscriptionFact).status == SubscriptionStatus.CANCELLED


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("incomplete", SubscriptionStatus.INCOMPLETE),
        ("incomplete_expired", SubscriptionStatus.EXPIRED),
        ("trialing", SubscriptionStatus.TRIALING),
        ("active", SubscriptionStatus.ACTIVE),
        ("past_due", SubscriptionStatus.PAST_DUE),
        ("unpaid", SubscriptionStatus.UNPAID),
        ("paused", SubscriptionStatus.PAUSED),
        ("canceled", SubscriptionStatus.CANCELLED),
        ("a_word_of_tomorrow", None),
    ],
)
def test_a_subscriptions_status_and_stripes_own_word(
    word: str, status: SubscriptionStatus | None
) -> None:
    fact = one(
        read(payloads.stripe("customer.subscription.updated--basil", status=word)),
        SubscriptionFact,
    )
    assert (fact.status, fact.gateway_status) == (status, word)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", RefundStatus.PENDING),
        ("requires_action", RefundStatus.PENDING),
        ("succeeded", RefundStatus.SUCCEEDED),
        ("failed", RefundStatus.FAILED),
        ("canceled", RefundStatus.CANCELLED),
    ],
)
def test_a_refunds_status_is_its_own_whatever_the_type_says(
    word: str, status: RefundStatus
) -> None:
    for name in ("refund.created--basil", "refund.failed--2022", "charge.refund.updated--2017"):
        assert one(read(payloads.stripe(name, status=word)), RefundFact).status == status


@pytest.mark.parametrize("name", ["invoice.updated--basil", "refund.updated--basil"])
def test_a_status_that_stripe_does_not_document_moves_no_money(name: str) -> None:
    with pytest.raises(PayloadError, match="status 'settled' is not one that Stripe documents"):
        read(payloads.stripe(name, status="settled"))


# --- Values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "tax"),
    [
        ({"total_taxes": [{"amount": 2000}, {"amount": 100}]}, 2100),
        ({"total_taxes": []}, 0),
        ({"total_taxes": ..., "tax": 1805}, 1805),
        ({"total_taxes": None, "tax": 0}, 0),
        ({"total_taxes": ..., "tax": None, "total_tax_amounts": [{"amount": 7}]}, 7),
        ({"total_taxes": ..., "total_excluding_tax": 10000}, 2100),
        ({"total_taxes": ..., "total_excluding_tax": ...}, None),
        ({"total_taxes": [{"amount": -10}]}, -10),
    ],
)
def test_tax_is_read_from_the_newest_field_that_says(
    changes: dict[str, Any], tax: int | None
) -> None:
    assert (
        one(read(payloads.stripe("invoice.paid--basil", **changes)), InvoiceFact).tax_minor == tax
    )


def test_tax_above_the_total_that_includes_it_is_refused() -> None:
    with pytest.raises(PayloadError, match="tax is more than the total"):
        read(payloads.stripe("invoice.paid--basil", total_taxes=[{"amount": 12101}]))


def test_an_invoice_may_be_negative_as_a_credit() -> None:
    fact = one(
        read(payloads.stripe("invoice.paid--basil", total=-500, total_taxes=[])), InvoiceFact
    )
    assert fact.money == Money(-500, "EUR", 2)


def test_yen_are_not_counted_as_cents() -> None:
    event = payloads.stripe("invoice.paid--basil", currency="jpy", total=5000, total_taxes=[])
    assert str(one(read(event), InvoiceFact).money) == "5000"


def test_what_could_not_be_collected_is_what_remains() -> None:
    event = payloads.stripe("invoice.payment_failed--basil", amount_remaining=600)
    assert one(read(event), FailureFact).money == Money(600, "EUR", 2)
    event = payloads.stripe("invoice.payment_failed--2017", amount_due=700)
    assert one(read(event), FailureFact).money == Money(700, "EUR", 2)


def test_each_attempt_is_named_by_its_number() -> None:
    event = payloads.stripe("invoice.payment_failed--basil", attempt_count=3)
    assert one(read(event), FailureFact).attempt == "3"


def test_an_expanded_object_is_the_same_as_its_id() -> None:
    event = payloads.stripe(
        "invoice.paid--2022",
        customer={"id": CUSTOMER, "object": "customer"},
        subscription={"id": SUBSCRIPTION, "object": "subscription"},
        charge={"id": CHARGE, "object": "charge"},
        payment_intent={"id": INTENT, "object": "payment_intent"},
    )
    assert read(event) == read(payloads.load("stripe", "invoice.paid--2022"))


def test_a_subscription_of_several_items_spans_them_all() -> None:
    event = payloads.load("stripe", "customer.subscription.updated--basil")
    (item,) = payloads.thing("stripe", event)["items"]["data"]
    earlier = item["current_period_start"] - 86400
    seats = {"nickname": None, "id": "price_seats"}
    payloads.thing("stripe", event)["items"]["data"].append(
        item | {"price": seats, "quantity": 5, "current_period_start": earlier}
    )
    fact = one(read(event), SubscriptionFact)
    assert (fact.plan, fact.quantity) == ("Workshop, price_seats", 8)
    assert fact.period_start_at == at(13, month=6)
    assert fact.period_end_at == RENEWED.period_end_at


def test_a_subscription_that_will_end_says_when_and_one_that_will_not_says_so() -> None:
    name = "customer.subscription.updated--basil"
    at_period_end = one(read(payloads.stripe(name, cancel_at_period_end=True)), SubscriptionFact)
    assert at_period_end.cancel_at == RENEWED.period_end_at
    assert at_period_end.cleared == frozenset()
    at_a_date = one(read(payloads.stripe(name, cancel_at=1750000000)), SubscriptionFact)
    assert at_a_date.cancel_at == datetime.fromtimestamp(1750000000, UTC)
    taken_back = one(read(payloads.load("stripe", name)), SubscriptionFact)
    assert (taken_back.cancel_at, taken_back.cleared) == (None, frozenset({"cancel_at"}))


def test_a_checkout_that_is_not_paid_yet_leaves_the_subscription_incomplete() -> None:
    event = payloads.stripe("checkout.session.completed--basil", payment_status="unpaid")
    assert one(read(event), SubscriptionFact).status == SubscriptionStatus.INCOMPLETE


def test_a_checkout_of_a_single_payment_links_it_and_invents_no_subscription() -> None:
    event = payloads.stripe(
        "checkout.session.completed--basil",
        mode="payment",
        subscription=None,
        payment_intent=INTENT,
    )
    reading = read(event)
    assert one(reading, PaymentFact).invoice_ref == INVOICE
    assert not [fact for fact in reading.facts if isinstance(fact, SubscriptionFact)]


# --- Tenants --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "tenant"),
    [
        ("invoice.paid--2022", {}, TENANT),
        ("invoice.paid--basil", {"parent": None, "metadata": {"tenant_id": "own"}}, "own"),
        ("invoice.paid--basil", {"metadata": {"tenant_id": "own"}}, TENANT),
        ("invoice.paid--2017", {}, None),
        ("customer.subscription.created--2017", {}, TENANT),
        ("customer.subscription.created--basil", {"metadata": {}}, None),
        ("customer.subscription.created--basil", {"metadata": {"tenant_id": ""}}, None),
        ("refund.created--basil", {"metadata": {"tenant_id": "own"}}, "own"),
        ("charge.refunded--basil", {"metadata": {"tenant_id": "own"}}, "own"),
    ],
)
def test_where_the_platform_put_the_tenant(
    name: str, changes: dict[str, Any], tenant: TenantFact | str | None
) -> None:
    if name == "invoice.paid--2017":
        name = "invoice.payment_succeeded--2017"
    if isinstance(tenant, str):
        tenant = TenantFact(key=tenant, trust=Trust.METADATA)
    found = [
        fact
        for fact in read(payloads.stripe(name, **changes)).facts
        if isinstance(fact, TenantFact)
    ]
    assert found == ([tenant] if tenant else [])


def test_what_a_buyers_browser_set_is_trusted_less() -> None:
    event = payloads.stripe(
        "checkout.session.completed--basil", metadata={}, client_reference_id="brae-cycles"
    )
    assert one(read(event), TenantFact) == TenantFact(key="brae-cycles", trust=Trust.BROWSER)


# --- Missing fields, wrong types ------------------------------------------------------------

# Without these an event says nothing that could be kept; an amount that is there must be one.
REQUIRED = {
    "invoice": {
        *("id", "total", "currency", "created", "date", "status"),
        *("amount_due", "amount_remaining"),
    },
    "refund": {"id", "amount", "currency", "created"},
    "charge": {"id", "amount", "amount_refunded", "currency"},
    "subscription": {"id"},
    "checkout.session": {"id", "currency", "created"},
    "invoice_payment": {"invoice"},
    "payment_intent": {"id", "amount", "currency", "created"},
    "credit_note": {"id", "amount", "currency", "created"},
    "dispute": {"id", "charge", "amount", "currency", "status", "created"},
    "radar.early_fraud_warning": {"charge"},
    "customer": {"id"},
}


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_field_that_is_missing_or_null_never_fails(data: st.DataObject) -> None:
    event = payloads.load("stripe", data.draw(st.sampled_from(NAMES), label="file"))
    thing = payloads.thing("stripe", event)
    optional = sorted(set(thing) - REQUIRED[thing["object"]] - {"object"})
    for key in data.draw(st.lists(st.sampled_from(optional), unique=True), label="dropped"):
        del thing[key]
    left = sorted(set(thing) & set(optional)) or ["nothing"]
    for key in data.draw(st.lists(st.sampled_from(left), unique=True), label="null"):
        thing[key] = None
    assert isinstance(read(event), Reading)


WRONG_AMOUNTS = [12.0, 1e3, "12100", "1e3", "1_000", "１２", True, -1, 2**63, None, [], {}]


@pytest.mark.parametrize("wrong", WRONG_AMOUNTS)
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("refund.created--basil", "amount"),
        ("refund.failed--2022", "amount"),
        ("charge.refund.updated--2017", "amount"),
        ("charge.refunded--basil", "amount"),
        ("charge.refunded--basil", "amount_refunded"),
        ("charge.refunded--2017", "amount_refunded"),
        ("invoice.paid--basil", "total"),
        ("invoice.payment_succeeded--2017", "total"),
        ("invoice.payment_failed--basil", "amount_remaining"),
        ("invoice.payment_failed--2017", "amount_due"),
    ],
)
def test_an_amount_of_a_wrong_type_is_refused_by_name(name: str, field: str, wrong: Any) -> None:
    if field == "total" and wrong == -1:
        wrong = -(2**63)  # for -1 is a credit
    with pytest.raises(PayloadError, match=rf"\b{field}\b"):
        read(payloads.stripe(name, **{field: wrong}))


@pytest.mark.parametrize("wrong", [1.5, "2100", True, 2**63, {}])
def test_a_tax_of_a_wrong_type_is_refused_by_name(wrong: Any) -> None:
    for changes in (
        {"total_taxes": [{"amount": wrong}]},
        {"total_taxes": ..., "tax": wrong},
        {"total_taxes": ..., "total_tax_amounts": [{"amount": wrong}]},
        {"total_taxes": ..., "total_excluding_tax": wrong},
    ):
        with pytest.raises(PayloadError, match=r"amount|tax"):
            read(payloads.stripe("invoice.paid--basil", **changes))


def has_money(name: str) -> bool:
    facts = read(payloads.load("stripe", name)).facts
    return any(getattr(fact, "money", None) for fact in facts)


@pytest.mark.parametrize("name", NAMES)
def test_a_currency_that_is_not_known_is_refused_where_there_is_money(name: str) -> None:
    event = payloads.stripe(name, currency="zzz")
    if name == "charge.refunded--2017":
        (refund,) = payloads.thing("stripe", event)["refunds"]["data"]
        refund["currency"] = "zzz"
    if has_money(name):
        with pytest.raises(PayloadError, match="currency 'ZZZ'"):
            read(event)
    else:
        read(event)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_value_of_any_other_type_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    """No payload makes an error of ours: it is facts, or a PayloadError that names a field."""
    event = payloads.load("stripe", data.draw(st.sampled_from(NAMES), label="file"))
    target: Any = payloads.thing("stripe", event)
    while True:
        key = data.draw(st.sampled_from(sorted(target)), label="field")
        if isinstance(target[key], dict) and target[key] and data.draw(st.booleans()):
            target = target[key]
            continue
        break
    target[key] = data.draw(
        st.sampled_from([None, True, -1, 2**63, 1.5, "", "x", "1e3", [], [1], [{}], {}, {"a": 1}])
    )
    try:
        reading = read(event)
    except PayloadError:
        return
    assert isinstance(reading, Reading)
