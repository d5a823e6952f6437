"""Rules live in the database too: each constraint is broken once, past all of our own code."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError

from billing.models import (
    CreditNote,
    Customer,
    DailyTotal,
    Dispute,
    Heartbeat,
    Invoice,
    KeptSum,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Refusal,
    Subscription,
    Tenant,
    TenantClaim,
    TenantTotal,
    Total,
    TotalZone,
    Transmission,
)
from billing.money import MAX_EXPONENT

pytestmark = pytest.mark.django_db

AT = datetime(2025, 5, 15, tzinfo=UTC)
MONEY: dict[str, Any] = {
    "currency": "EUR",
    "exponent": 2,
    "amount_minor": 1000,
    "created_at": AT,
}
Make = Callable[..., models.Model]


def maker(model: type[models.Model], **defaults: Any) -> Make:
    def make(**changes: Any) -> models.Model:
        return model._default_manager.create(**defaults | changes)

    return make


customer = maker(Customer, gateway="stripe", ref="cus_1")
subscription = maker(Subscription, gateway="stripe", ref="sub_1", status="active")
invoice = maker(Invoice, gateway="stripe", ref="in_1", status="paid", tax_minor=100, **MONEY)
payment = maker(Payment, gateway="stripe", ref="ch_1", refunded_minor=0)
refund = maker(Refund, gateway="stripe", ref="re_1", status="succeeded", **MONEY)
dispute = maker(Dispute, gateway="stripe", ref="dp_1", status="open", **MONEY)
credit_note = maker(
    CreditNote, gateway="stripe", ref="cn_1", status="issued", pre_payment_minor=1, **MONEY
)
event = maker(
    PaymentEvent,
    gateway="stripe",
    event_id="evt_1",
    event_type="invoice.paid",
    body=b"{}",
    body_sha256=b"0" * 32,
)
notification = maker(Notification, gateway="stripe", invoice_ref="in_1", attempt="1")
transmission = maker(Transmission, gateway="paypal", transmission_id="t-1", body_sha256=b"0" * 32)
refusal = maker(Refusal, gateway="stripe", hour=AT, reason="signature wrong")
heartbeat = maker(Heartbeat, worker="host:1", beat_at=AT)
tenant = maker(Tenant, key="brae", name="Brae")
SUM = {"figure": "paid", "currency": "EUR", "exponent": 2, "shard": 0}
total, daily, of_tenant = (
    maker(model, **SUM, count=0, amount_minor=0) for model in (Total, DailyTotal, TenantTotal)
)

OBJECTS = {
    "customer": customer,
    "subscription": subscription,
    "invoice": invoice,
    "payment": payment,
    "refund": refund,
    "dispute": dispute,
    "creditnote": credit_note,
}
WITH_MONEY = ["invoice", "refund", "dispute", "creditnote"]

BROKEN: list[tuple[str, Make, dict[str, Any]]] = [
    *((f"{name}_ref_length", make, {"ref": "x" * 256}) for name, make in OBJECTS.items()),
    *((f"{name}_ref_length", make, {"ref": ""}) for name, make in OBJECTS.items()),
    *(
        (f"{name}_status_known", OBJECTS[name], {"status": "odd"})
        for name in [*WITH_MONEY, "subscription"]
    ),
    *((f"{name}_exponent_sane", OBJECTS[name], {"exponent": -1}) for name in WITH_MONEY),
    *(
        (f"{name}_exponent_sane", OBJECTS[name], {"exponent": MAX_EXPONENT + 1})
        for name in WITH_MONEY
    ),
    *(
        (f"{name}_currency_iso", OBJECTS[name], {"currency": currency})
        for name in WITH_MONEY
        for currency in ("eur", "EU", "", "E1R")
    ),
    ("invoice_tax_within_amount", invoice, {"tax_minor": 1001}),
    ("invoice_credited_within_amount", invoice, {"credited_minor": 1001}),
    ("invoice_credited_within_amount", invoice, {"credited_minor": -1}),
    ("payment_refunded_not_negative", payment, {"refunded_minor": -1}),
    ("refund_not_negative", refund, {"amount_minor": -1}),
    ("dispute_counted_within_amount", dispute, {"counted_minor": 1001}),
    ("dispute_counted_within_amount", dispute, {"counted_minor": -1}),
    ("dispute_counted_within_amount", dispute, {"amount_minor": -1}),
    ("creditnote_part_within_amount", credit_note, {"pre_payment_minor": 1001}),
    ("creditnote_part_within_amount", credit_note, {"pre_payment_minor": -1}),
    ("event_id_length", event, {"event_id": "x" * 256}),
    ("event_type_length", event, {"event_type": "x" * 256}),
    ("event_state_known", event, {"state": "odd"}),
    ("notification_state_known", notification, {"state": "odd"}),
    ("tenant_name_length", tenant, {"name": "x" * 501}),
]
TWICE: list[tuple[str, Make]] = [
    *((f"{name}_ref_unique", make) for name, make in OBJECTS.items()),
    ("event_once", event),
    ("notification_once", notification),
    ("transmission_once", transmission),
    ("refusal_once", refusal),
    ("heartbeat_once", heartbeat),
    ("tenant_key_unique", tenant),
    ("total_once", total),
    ("dailytotal_once", lambda: daily(day=AT.date())),
    (
        "tenanttotal_once",
        lambda: of_tenant(tenant=Tenant.objects.first() or tenant()),
    ),
]


def refused(make: Make, **changes: Any) -> str:
    """The name of the constraint that refuses it."""
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        make(**changes)
    name: str = raised.value.__cause__.diag.constraint_name  # type: ignore[union-attr]
    return name


@pytest.mark.parametrize(("constraint", "make", "wrong"), BROKEN)
def test_the_database_refuses_a_row_that_cannot_be(
    constraint: str, make: Make, wrong: dict[str, Any]
) -> None:
    assert refused(make, **wrong) == constraint
    assert make().pk


@pytest.mark.parametrize(("constraint", "make"), TWICE)
def test_the_database_refuses_the_same_twice(constraint: str, make: Make) -> None:
    make()
    assert refused(make) == constraint


@pytest.mark.parametrize("name", OBJECTS)
def test_one_id_of_two_gateways_is_two_objects(name: str) -> None:
    OBJECTS[name](gateway="stripe")
    OBJECTS[name](gateway="paypal")


def test_e14_two_invoices_may_have_one_number() -> None:
    """Tenants number their own; only the gateway's id is one object's."""
    assert invoice(number="2025-001").pk != invoice(ref="in_2", number="2025-001").pk


def test_one_event_claims_once_for_a_tenant_and_two_tenants_may_claim() -> None:
    claim = maker(TenantClaim, gateway="stripe", kind="customer", ref="cus_1")
    one, other = tenant(), tenant(key="other")
    claim(tenant=one)
    claim(tenant=other)
    assert refused(claim, tenant=one) == "tenantclaim_once"


def test_one_person_at_a_time_says_whose_an_object_is() -> None:
    claim = maker(TenantClaim, gateway="stripe", kind="customer", ref="cus_1", by_person=True)
    one, other = tenant(), tenant(key="other")
    claim(tenant=one, assigned_by=User.objects.create_user("ada"))
    assert refused(claim, tenant=other) == "tenantclaim_one_person"


def test_the_days_are_of_one_zone() -> None:
    TotalZone.objects.update_or_create(pk=1, defaults={"name": "UTC"})
    assert refused(maker(TotalZone, pk=2, name="Asia/Tokyo")) == "totalzone_one_row"


def test_a_credit_has_no_limit_of_tax() -> None:
    assert invoice(amount_minor=-1000, tax_minor=-100).pk


def test_an_amount_that_is_not_a_number_is_none() -> None:
    """B11. PostgreSQL's NUMERIC takes NaN, and a sum with it is NaN: amounts are whole numbers."""
    for model in apps.get_app_config("billing").get_models():
        for field in model._meta.concrete_fields:
            assert not isinstance(field, models.FloatField), field
            if isinstance(field, models.DecimalField):
                # Only the triggers write it.
                assert issubclass(model, KeptSum), model
                assert field.name == "amount_minor"


@pytest.mark.parametrize("name", OBJECTS)
def test_a_tenant_who_has_payments_is_not_deleted(name: str) -> None:
    owner = tenant()
    OBJECTS[name](tenant=owner)
    with pytest.raises(ProtectedError):
        owner.delete()


def test_every_constraint_is_broken_by_a_test_above() -> None:
    known = {
        constraint.name.replace("%(class)s", str(model._meta.model_name))
        for model in apps.get_app_config("billing").get_models()
        for constraint in model._meta.constraints
    }
    broken = {name for name, *_ in BROKEN} | {name for name, _ in TWICE}
    broken |= {"tenantclaim_once", "tenantclaim_one_person", "totalzone_one_row"}
    assert known - broken == set()
