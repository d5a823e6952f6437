"""What an event is linked to, looked up when it is shown.

An event keeps the gateway's own ids only, so a link that arrives late needs no repair.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Subquery
from django.db.models.expressions import RawSQL

from billing.models import (
    Dispute,
    Invoice,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Tenant,
    TenantClaim,
)
from billing.queries import lists
from billing.queries.links import invoice_of
from billing.queries.reads import Read, Row, Sql

INVOICES_SHOWN = 5
NOTIFICATIONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class EventDetail:
    """``claimants``: the tenants that claim the event's customer, when they are more than one."""

    event: PaymentEvent
    invoices: list[Invoice]
    more_invoices: bool
    refunds: list[Refund]
    notifications: list[Notification]
    claimants: list[Tenant]


def event_detail(event: PaymentEvent, *, with_invoices: bool) -> Read[EventDetail]:
    """All that the expanded row shows. ``with_invoices``: the reader may see invoices."""
    linked = _invoices_of(event) if with_invoices else Invoice.objects.none()

    def detail(
        events: Sequence[PaymentEvent],
        invoices: Sequence[Invoice],
        refunds: Sequence[Refund],
        notifications: Sequence[Notification],
        claims: Sequence[TenantClaim],
    ) -> EventDetail:
        return EventDetail(
            event=events[0],
            invoices=list(invoices)[:INVOICES_SHOWN],
            more_invoices=len(invoices) > INVOICES_SHOWN,
            # Of one invoice only: beside five, a list of refunds says nothing.
            refunds=list(refunds) if len(invoices) == 1 else [],
            notifications=list(notifications),
            claimants=_claimants(claims),
        )

    return Read(
        detail,
        # With what is left out where events are listed, for a body may have a megabyte.
        PaymentEvent.objects.select_related("tenant").filter(pk=event.pk),
        linked,
        _refunds_of(event.gateway, Subquery(linked.values("ref")[:1])),
        _notifications_of(event),
        _claims_on_customer_of(event),
    )


def _invoices_of(event: PaymentEvent) -> QuerySet[Invoice]:
    """The one that the event is about, or else the newest of its subscription, and one more."""
    if event.invoice_ref or event.payment_ref:
        return _issued(event)
    if not event.subscription_ref:
        return Invoice.objects.none()
    newest = lists.invoices().filter(gateway=event.gateway, subscription_ref=event.subscription_ref)
    return newest.order_by("-created_at", "-id")[: INVOICES_SHOWN + 1]


def _issued(event: PaymentEvent) -> QuerySet[Invoice]:
    # Of an array, so that it is looked for once: a join might do so for each invoice there is.
    sql = f"SELECT unnest(ARRAY(SELECT invoice.id {_INVOICES_OF}))"
    return lists.invoices().filter(pk__in=RawSQL(sql, _naming([event])))  # noqa: S611


def invoices_of(rows: Sequence[PaymentEvent | Refund | Dispute]) -> Read[dict[int, Invoice]]:
    """The issued invoice that each row is about, by the row's primary key: what it is called."""
    names = ("id", "gateway", "ref", "number")
    columns = ["listed.id", *(f"invoice.{name}" for name in names)]
    sql = f"SELECT {', '.join(columns)} {_INVOICES_OF}"

    def by_row(found: Iterable[Row]) -> dict[int, Invoice]:
        return {row: Invoice.from_db(None, names, values) for row, *values in found}

    return Read(by_row, Sql(sql, _naming(rows), len(columns)))


def _naming(rows: Sequence[PaymentEvent | Refund | Dispute]) -> list[list[Any]]:
    names = ("pk", "gateway", "invoice_ref", "payment_ref")
    return [[getattr(row, name) for row in rows] for name in names]


_INVOICES_OF = f"""
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])
        AS listed (id, gateway, invoice_ref, payment_ref)
    {invoice_of("listed.invoice_ref")}
    WHERE invoice.id IS NOT NULL
"""


def _refunds_of(gateway: str, invoice_ref: Subquery) -> QuerySet[Refund]:
    """Refunds name their invoice, or a payment of it, or a charge of a payment intent of it."""
    of_gateway = Payment.objects.filter(gateway=gateway)
    direct = of_gateway.filter(invoice_ref=invoice_ref)
    charges = of_gateway.filter(intent_ref__in=direct.values("ref"))
    refunds = Refund.objects.filter(gateway=gateway).defer("stamps").order_by()
    # A union and not an OR, so that each part is served by its index.
    found = refunds.filter(invoice_ref=invoice_ref).union(
        refunds.filter(payment_ref__in=direct.values("ref")),
        refunds.filter(payment_ref__in=charges.values("ref")),
    )
    return found.order_by("created_at", "id")


def _notifications_of(event: PaymentEvent) -> QuerySet[Notification]:
    notifications = Notification.objects.filter(gateway=event.gateway)
    if event.invoice_ref:
        notifications = notifications.filter(invoice_ref=event.invoice_ref)
    elif event.subscription_ref:
        notifications = notifications.filter(
            invoice_ref="", subscription_ref=event.subscription_ref
        )
    else:
        return notifications.none()
    return notifications.order_by("-id")[:NOTIFICATIONS_SHOWN]


def _claims_on_customer_of(event: PaymentEvent) -> QuerySet[TenantClaim]:
    claims = TenantClaim.objects.select_related("tenant")
    if not event.customer_ref:
        return claims.none()
    return claims.filter(
        gateway=event.gateway, kind=TenantClaim.Kind.CUSTOMER, ref=event.customer_ref
    )


def _claimants(claims: Iterable[TenantClaim]) -> list[Tenant]:
    """Who claims a customer, unless they agree or a person has decided."""
    if any(claim.by_person for claim in claims):
        return []
    tenants = {claim.tenant_id: claim.tenant for claim in claims}
    return list(tenants.values()) if len(tenants) > 1 else []
