"""Rows for tests, with one plausible value for each field that a test does not name."""

import hashlib
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User

from billing.models import CreditNote, Dispute, Invoice, Payment, PaymentEvent, Refund, Tenant

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
_numbers = count(1)


def make_tenant(name: str = "Acme", **values: Any) -> Tenant:
    return Tenant.objects.create(name=name, **{"key": f"tenant-{next(_numbers)}", **values})


def make_event(**values: Any) -> PaymentEvent:
    n = next(_numbers)
    body = b"{}"
    defaults: dict[str, Any] = {
        "gateway": "stripe",
        "event_id": f"evt_{n}",
        "event_type": "invoice.paid",
        "occurred_at": NOON,
        "received_at": NOON,
        "last_received_at": NOON,
        "body": body,
        "body_sha256": hashlib.sha256(body).digest(),
        "state": PaymentEvent.State.PROCESSED,
        "processed_at": NOON,
        "next_attempt_at": None,
    }
    return PaymentEvent.objects.create(**defaults | values)


def make_invoice(**values: Any) -> Invoice:
    n = next(_numbers)
    defaults: dict[str, Any] = {
        "gateway": "stripe",
        "ref": f"in_{n}",
        "number": f"INV-{n}",
        "currency": "USD",
        "exponent": 2,
        "amount_minor": 12_345,
        "tax_minor": 1_000,
        "status": Invoice.Status.PAID,
        "gateway_status": "paid",
        "created_at": NOON,
    }
    return Invoice.objects.create(**defaults | values)


def make_payment(**values: Any) -> Payment:
    return Payment.objects.create(**{"gateway": "stripe", "ref": f"ch_{next(_numbers)}"} | values)


def make_refund(**values: Any) -> Refund:
    defaults: dict[str, Any] = {
        "gateway": "stripe",
        "ref": f"re_{next(_numbers)}",
        "currency": "USD",
        "exponent": 2,
        "amount_minor": 500,
        "status": Refund.Status.SUCCEEDED,
        "created_at": NOON,
    }
    return Refund.objects.create(**defaults | values)


def make_dispute(**values: Any) -> Dispute:
    defaults: dict[str, Any] = {
        "gateway": "stripe",
        "ref": f"dp_{next(_numbers)}",
        "currency": "USD",
        "exponent": 2,
        "amount_minor": 2_000,
        "status": Dispute.Status.OPEN,
        "created_at": NOON,
    }
    return Dispute.objects.create(**defaults | values)


def make_credit_note(**values: Any) -> CreditNote:
    """All of it was taken off after the invoice was paid."""
    defaults: dict[str, Any] = {
        "gateway": "stripe",
        "ref": f"cn_{next(_numbers)}",
        "currency": "USD",
        "exponent": 2,
        "amount_minor": 100,
        "pre_payment_minor": 0,
        "status": "issued",
        "created_at": NOON,
    }
    return CreditNote.objects.create(**defaults | values)


def make_staff(*permissions: str, username: str = "clerk", **values: Any) -> User:
    """A member of staff who may do what is named, as ``view_invoice``, and nothing else."""
    user = User.objects.create(username=username, is_staff=True, **values)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="billing", codename__in=permissions)
    )
    return user
