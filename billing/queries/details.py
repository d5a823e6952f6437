"""What an event is linked to, looked up when it is shown.

An event keeps the gateway's own ids only, so a link that arrives late needs no repair.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

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

INVOICES_SHOWN = 5
NOTIFICATIONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class EventDetail:
    event: PaymentEvent
    invoices: list[Invoice] = field(default_factory=list)
    more_invoices: bool = False
    refunds: list[Refund] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    #: The tenants that claim the event's customer, when they are more than one.
    claimants: list[Tenant] = field(default_factory=list)


def event_detail(event: PaymentEvent, *, with_invoices: bool) -> EventDetail:
    """All that the expanded row shows. ``with_invoices``: the reader may see invoices."""
    # Left out where events are listed, for a body may have a megabyte.
    event.refresh_from_db(fields=["body", "changes"])
    linked: list[Invoice] = []
    more = False
    if with_invoices:
        if event.invoice_ref or event.payment_ref:
            linked = list(invoices_of([event]).values())
        elif event.subscription_ref:
            newest = lists.invoices().filter(
                gateway=event.gateway, subscription_ref=event.subscription_ref
            )
            linked = list(newest.order_by("-created_at", "-id")[: INVOICES_SHOWN + 1])
            more = len(linked) > INVOICES_SHOWN
            linked = linked[:INVOICES_SHOWN]
    return EventDetail(
        event=event,
        invoices=linked,
        more_invoices=more,
        # Of one invoice only: beside five, a list of refunds says nothing.
        refunds=_refunds_of(linked[0]) if len(linked) == 1 else [],
        notifications=_notifications_of(event),
        claimants=_claimants_of(event),
    )


def invoices_of(rows: Sequence[PaymentEvent | Refund | Dispute]) -> dict[int, Invoice]:
    """The issued invoice that each row is about, by the row's primary key.

    Two queries, for any number of rows.
    """
    names = ("pk", "gateway", "invoice_ref", "payment_ref")
    columns = [[getattr(row, name) for row in rows] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_INVOICES_OF, columns)
        found: dict[int, int] = dict(cursor.fetchall())
    invoices = lists.invoices().in_bulk(found.values())
    return {pk: invoices[invoice] for pk, invoice in found.items()}


_INVOICES_OF = f"""
    SELECT listed.id, invoice.id
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])
        AS listed (id, gateway, invoice_ref, payment_ref)
    {invoice_of("listed.invoice_ref")}
    WHERE invoice.id IS NOT NULL
"""


def _refunds_of(invoice: Invoice) -> list[Refund]:
    """Refunds name their invoice, or a payment of it, or a charge of a payment intent of it."""
    of_gateway = Payment.objects.filter(gateway=invoice.gateway)
    direct = of_gateway.filter(invoice_ref=invoice.ref)
    charges = of_gateway.filter(intent_ref__in=direct.values("ref"))
    refunds = Refund.objects.filter(gateway=invoice.gateway).defer("stamps").order_by()
    # A union and not an OR, so that each part is served by its index.
    found = refunds.filter(invoice_ref=invoice.ref).union(
        refunds.filter(payment_ref__in=direct.values("ref")),
        refunds.filter(payment_ref__in=charges.values("ref")),
    )
    return list(found.order_by("created_at", "id"))


def _notifications_of(event: PaymentEvent) -> list[Notification]:
    notifications = Notification.objects.filter(gateway=event.gateway)
    if event.invoice_ref:
        notifications = notifications.filter(invoice_ref=event.invoice_ref)
    elif event.subscription_ref:
        notifications = notifications.filter(
            invoice_ref="", subscription_ref=event.subscription_ref
        )
    else:
        return []
    return list(notifications.order_by("-id")[:NOTIFICATIONS_SHOWN])


def _claimants_of(event: PaymentEvent) -> list[Tenant]:
    """Who claims the event's customer, unless they agree or a person has decided."""
    if not event.customer_ref:
        return []
    claims = TenantClaim.objects.filter(
        gateway=event.gateway, kind=TenantClaim.Kind.CUSTOMER, ref=event.customer_ref
    ).select_related("tenant")
    if any(claim.by_person for claim in claims):
        return []
    tenants = {claim.tenant_id: claim.tenant for claim in claims}
    return list(tenants.values()) if len(tenants) > 1 else []
