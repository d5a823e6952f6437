"""Which of two values of a field stands: the rule that makes any order of events end the same.

A *stamp* orders everything that was ever said about an object: by the rank of the status said, then
by the gateway's time, then by the step of the event's type in the object's life, then by event id.
Each field of a row holds the value with the greatest stamp. Taking the greatest is commutative,
associative and idempotent, so that arrival does not matter.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billing.facts import (
    CreditNoteFact,
    CreditNoteStatus,
    CustomerFact,
    DisputeFact,
    DisputeStatus,
    InvoiceFact,
    InvoiceStatus,
    ObjectFact,
    PaymentFact,
    RefundFact,
    RefundStatus,
    SubscriptionFact,
    SubscriptionStatus,
)

#: ``[rank, milliseconds since 1970, step, event id]``; a list, for it lives in JSON.
Stamp = list[Any]

#: The stamp that holds for all fields which are not listed themselves.
NEWEST = "*"

HINT_RANK = -1
#: Of what follows from other rows (see `billing.ledger.derived`): nothing said comes above it.
DERIVED_RANK = 9
# Nothing leaves paid or void, but for an uncollectible invoice that is paid after all. Where both
# were said, which no gateway does, the money counts.
INVOICE_RANK = {
    InvoiceStatus.DRAFT: 0,
    InvoiceStatus.PENDING: 1,
    InvoiceStatus.UNCOLLECTIBLE: 2,
    InvoiceStatus.DELETED: 3,
    InvoiceStatus.VOID: 4,
    InvoiceStatus.PAID: 5,
}
# An incomplete subscription comes first, an ended one last; between them it may go to and fro.
SUBSCRIPTION_RANK = {
    SubscriptionStatus.INCOMPLETE: 0,
    SubscriptionStatus.CANCELLED: 2,
    SubscriptionStatus.EXPIRED: 2,
}
# A refund may fail after it succeeded; it does not come back.
REFUND_RANK = {
    RefundStatus.PENDING: 0,
    RefundStatus.SUCCEEDED: 1,
    RefundStatus.FAILED: 2,
    RefundStatus.CANCELLED: 2,
}
CREDIT_NOTE_RANK = {CreditNoteStatus.ISSUED: 0, CreditNoteStatus.VOID: 1}
DISPUTE_RANK = {
    DisputeStatus.INQUIRY: 0,
    DisputeStatus.OPEN: 1,
    DisputeStatus.WON: 2,
    DisputeStatus.LOST: 2,
}


def milliseconds(at: datetime | None) -> int:
    """Since 1970; 0 for an event whose gateway gave no time, so that any other is newer."""
    return 0 if at is None else int(at.timestamp() * 1000)


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def rank(fact: ObjectFact) -> int:
    match fact:
        case ObjectFact(hint=True):
            return HINT_RANK
        case InvoiceFact():
            return INVOICE_RANK[fact.status]
        case SubscriptionFact():
            return SUBSCRIPTION_RANK.get(fact.status, 1) if fact.status else 1
        case RefundFact():
            return REFUND_RANK[fact.status]
        case CreditNoteFact():
            return CREDIT_NOTE_RANK[fact.status]
        case DisputeFact():
            return DISPUTE_RANK[fact.status]
        case _:
            return 0


def columns(fact: ObjectFact) -> dict[str, Any]:
    """What a fact says, by the names of the row's columns; what it leaves out is absent."""
    match fact:
        case InvoiceFact():
            status = "void" if fact.status == InvoiceStatus.UNCOLLECTIBLE else fact.status.value
            said: dict[str, Any] = {
                "currency": fact.money.currency,
                "exponent": fact.money.exponent,
                "amount_minor": fact.money.minor,
                "tax_minor": fact.tax_minor,
                "status": status,
                "gateway_status": fact.gateway_status,
                "number": fact.number,
                "customer_ref": fact.customer_ref,
                "subscription_ref": fact.subscription_ref,
                "attention": fact.attention.value if fact.attention else None,
                "attempt_count": fact.attempt_count,
                "next_attempt_at": fact.next_attempt_at,
                "created_at": fact.created_at,
                "due_at": fact.due_at,
                "paid_at": fact.paid_at,
            }
        case SubscriptionFact():
            said = {
                "status": fact.status.value if fact.status else None,
                "gateway_status": fact.gateway_status,
                "customer_ref": fact.customer_ref,
                "plan": fact.plan,
                "quantity": fact.quantity,
                "period_start_at": fact.period_start_at,
                "period_end_at": fact.period_end_at,
                "cancel_at": fact.cancel_at,
                "ended_at": fact.ended_at,
            }
        case CustomerFact():
            said = {"email": fact.email, "name": fact.name}
        case PaymentFact():
            said = {
                "intent_ref": fact.intent_ref,
                "invoice_ref": fact.invoice_ref,
                "customer_ref": fact.customer_ref,
                "subscription_ref": fact.subscription_ref,
            }
            if fact.refunded is not None:
                said["refunded_minor"] = fact.refunded.minor
            if fact.money is not None:
                said |= {
                    "currency": fact.money.currency,
                    "exponent": fact.money.exponent,
                    "amount_minor": fact.money.minor,
                }
        case CreditNoteFact():
            said = {
                "currency": fact.money.currency,
                "exponent": fact.money.exponent,
                "amount_minor": fact.money.minor,
                "pre_payment_minor": fact.pre_payment_minor,
                "status": fact.status.value,
                "number": fact.number,
                "invoice_ref": fact.invoice_ref,
                "customer_ref": fact.customer_ref,
                "created_at": fact.created_at,
            }
        case RefundFact() | DisputeFact():
            said = {
                "currency": fact.money.currency,
                "exponent": fact.money.exponent,
                "amount_minor": fact.money.minor,
                "status": fact.status.value,
                "payment_ref": fact.payment_ref,
                "created_at": fact.created_at,
            }
            if isinstance(fact, RefundFact):
                said["invoice_ref"] = fact.invoice_ref
            else:
                said |= {"gateway_status": fact.gateway_status, "returned": fact.returned}
        case _:
            raise TypeError(f"no row is made of {type(fact).__name__}")
    return {name: value for name, value in said.items() if value is not None} | dict.fromkeys(
        fact.cleared
    )


@dataclass(slots=True)
class Row:
    """One row of a gateway's object while facts are merged into it."""

    pk: int | None
    values: dict[str, Any]
    stamped: dict[str, Stamp]
    changed: bool = False

    @classmethod
    def loaded(cls, pk: int, values: dict[str, Any], stamps: dict[str, Stamp]) -> "Row":
        newest = stamps.get(NEWEST)
        stamped = {
            name: stamp
            for name, value in values.items()
            if (stamp := stamps.get(name) or (newest if value is not None else None))
        }
        return cls(pk, values, stamped)

    def merge(self, said: dict[str, Any], stamp: Stamp) -> list[tuple[str, Any, Any]]:
        """Take what is newer than what stands; returns (column, before, after) of what changed."""
        changes = []
        for name, value in said.items():
            if name in self.stamped and self.stamped[name] >= stamp:
                continue
            before = self.values.get(name)
            self.stamped[name] = stamp
            self.changed = True
            if before != value:
                self.values[name] = value
                changes.append((name, before, value))
        return changes

    def stamps(self) -> dict[str, Stamp]:
        """The stamps to store: the newest once, and the fields that have another or are empty."""
        if not self.stamped:
            return {}
        newest = max(stamp for stamp in self.stamped.values() if stamp[0] < DERIVED_RANK)
        return {NEWEST: newest} | {
            name: stamp
            for name, stamp in sorted(self.stamped.items())
            if stamp != newest or self.values.get(name) is None
        }
