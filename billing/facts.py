"""What a gateway's event says, in the domain's words. Pure data: no Django, no database.

A field that is ``None`` says nothing about that field; one named in ``cleared`` says that it is
empty. Times are aware datetimes, amounts are integer minor units.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from billing.money import Money


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    UNCOLLECTIBLE = "uncollectible"
    DELETED = "deleted"
    VOID = "void"
    PAID = "paid"


class SubscriptionStatus(StrEnum):
    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class RefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CreditNoteStatus(StrEnum):
    ISSUED = "issued"
    VOID = "void"


class Attention(StrEnum):
    """What about an invoice somebody should look at."""

    FINALIZATION_FAILED = "finalization_failed"
    ACTION_REQUIRED = "action_required"
    OVERDUE = "overdue"


class DisputeStatus(StrEnum):
    INQUIRY = "inquiry"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Failure(StrEnum):
    PAYMENT = "payment_failed"
    FINALIZATION = "finalization_failed"


class Trust(IntEnum):
    """Who could have set a tenant id: less is more trusted."""

    METADATA = 0  # set by the platform, with its secret key
    BROWSER = 1  # could be set by a buyer: client_reference_id, custom_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFact:
    """Something said about one object of the gateway.

    ``step`` orders facts of the same second about the same status: the place of the event's type
    in the life of the object (created before updated before paid). A ``hint`` is said in passing by
    another object: whatever the object says of itself wins over it.
    """

    ref: str
    step: int = 0
    hint: bool = False
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFact(ObjectFact):
    money: Money
    tax_minor: int | None = None
    status: InvoiceStatus
    gateway_status: str | None = None
    number: str | None = None
    customer_ref: str | None = None
    subscription_ref: str | None = None
    attention: Attention | None = None
    attempt_count: int | None = None
    next_attempt_at: datetime | None = None
    created_at: datetime
    due_at: datetime | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFact(ObjectFact):
    # None: a word that the gateway does not document, kept as gateway_status.
    status: SubscriptionStatus | None
    gateway_status: str | None = None
    customer_ref: str | None = None
    plan: str | None = None
    quantity: int | None = None
    period_start_at: datetime | None = None
    period_end_at: datetime | None = None
    cancel_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteFact(ObjectFact):
    """``pre_payment_minor`` is the part of ``money`` taken off before the invoice was paid."""

    money: Money
    pre_payment_minor: int
    status: CreditNoteStatus
    number: str | None = None
    invoice_ref: str | None = None
    customer_ref: str | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFact(ObjectFact):
    email: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFact(ObjectFact):
    """A link: this payment belongs to that intent, invoice, customer.

    ``refunded`` is what the payment itself says was refunded of it so far, in all, and in the
    currency of ``money``, which is what was paid.
    """

    money: Money | None = None

    intent_ref: str | None = None
    invoice_ref: str | None = None
    customer_ref: str | None = None
    subscription_ref: str | None = None
    refunded: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFact(ObjectFact):
    money: Money
    status: RefundStatus
    payment_ref: str | None = None
    invoice_ref: str | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFact(ObjectFact):
    """``returned`` says that the money came back (true) or left (false), whatever the status."""

    money: Money
    status: DisputeStatus
    returned: bool | None = None
    gateway_status: str | None = None
    payment_ref: str | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFact:
    """Money could not be collected, or asked for: somebody must be told, once per attempt."""

    kind: Failure = Failure.PAYMENT
    attempt: str
    invoice_ref: str = ""
    subscription_ref: str = ""
    money: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFact:
    """The event carries a tenant id."""

    key: str
    trust: Trust


Fact = (
    InvoiceFact
    | SubscriptionFact
    | CreditNoteFact
    | CustomerFact
    | PaymentFact
    | RefundFact
    | DisputeFact
    | FailureFact
    | TenantFact
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """The gateway's own ids of what an event is about."""

    customer: str | None = None
    subscription: str | None = None
    invoice: str | None = None
    payment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that one event says. ``ignored`` is the reason why it says nothing, if so."""

    refs: Refs = Refs()
    facts: tuple[Fact, ...] = field(default=())
    ignored: str = ""
