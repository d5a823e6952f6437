"""The rows of the tables, how many there are, and what the filter menus offer."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Value

from billing.models import Dispute, Gateway, Invoice, Payment, PaymentEvent, Refund, Tenant
from billing.queries.links import among, invoices_by_payment, payments_of

#: Counting stops here: an exact count of millions would take longer than the page.
COUNT_LIMIT = 10_000
TENANTS_IN_MENU = 50
EVENT_TYPES_IN_MENU = 300
#: How many tenants and invoices one search term may stand for.
SEARCH_LIMIT = 50


def events() -> QuerySet[PaymentEvent]:
    """All events, without their bodies, which may have a megabyte each."""
    return PaymentEvent.objects.select_related("tenant").defer("body", "body_sha256", "changes")


def invoices() -> QuerySet[Invoice]:
    """Every invoice that was issued."""
    return (
        Invoice.objects.select_related("tenant").filter(status__in=Invoice.ISSUED).defer("stamps")
    )


def refunds() -> QuerySet[Refund]:
    return Refund.objects.select_related("tenant").defer("stamps")


def disputes() -> QuerySet[Dispute]:
    return Dispute.objects.select_related("tenant").defer("stamps")


def bounded_count(queryset: QuerySet[Any]) -> int:
    """How many rows there are; ``COUNT_LIMIT + 1`` stands for more than ``COUNT_LIMIT``."""
    return queryset.order_by()[: COUNT_LIMIT + 1].count()


def tenants_for_menu(selected: Collection[str]) -> list[Tenant]:
    """The first tenants by name, and those that are selected."""
    tenants = Tenant.objects.order_by("name", "pk")
    first = tenants[:TENANTS_IN_MENU]
    if not selected:
        return list(first)
    return list(tenants.filter(Q(pk__in=first.values("pk")) | Q(key__in=selected)))


def event_types() -> list[str]:
    """Every event type that was ever received.

    PostgreSQL has no skip scan for DISTINCT: this goes from each type to the next one in the
    index, so that it costs as many look-ups as there are types, however many events there are.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE types AS (
                (SELECT event_type FROM billing_paymentevent ORDER BY event_type LIMIT 1)
                UNION ALL
                SELECT (
                    SELECT event_type FROM billing_paymentevent
                    WHERE event_type > types.event_type ORDER BY event_type LIMIT 1
                )
                FROM types WHERE types.event_type IS NOT NULL
            )
            SELECT event_type FROM types WHERE event_type <> '' LIMIT %s
            """,
            [EVENT_TYPES_IN_MENU],
        )
        return [event_type for (event_type,) in cursor.fetchall()]


def search_events(queryset: QuerySet[PaymentEvent], term: str) -> QuerySet[PaymentEvent]:
    """Events by their id or by any id they carry, by invoice number, by tenant."""
    tenants, numbered = _tenants_and_invoices(term)
    wanted = _any_ref(
        ["event_id", "invoice_ref", "customer_ref", "subscription_ref", "payment_ref"], term
    )
    if numbered:
        wanted |= among("invoice_ref", numbered)
    if tenants:
        wanted |= Q(tenant__in=tenants)
    return queryset.filter(wanted)


def search_invoices(queryset: QuerySet[Invoice], term: str) -> QuerySet[Invoice]:
    """Invoices by number, by any of the gateway's ids, by a payment, by tenant."""
    tenants, _numbered = _tenants_and_invoices(term)
    wanted = Q(number=term) | _any_ref(["ref", "customer_ref", "subscription_ref"], term)
    paid = invoices_by_payment({(gateway, term) for gateway in Gateway.values})
    if paid:
        wanted |= among("ref", paid.values())
    if tenants:
        wanted |= Q(tenant__in=tenants)
    return queryset.filter(wanted)


def search_refunds(queryset: QuerySet[Refund], term: str) -> QuerySet[Refund]:
    """Refunds by their id, by anything that finds their payment or invoice, by tenant."""
    wanted, invoices = _of_payments(term)
    if invoices:
        wanted |= among("invoice_ref", invoices)
    return queryset.filter(wanted)


def search_disputes(queryset: QuerySet[Dispute], term: str) -> QuerySet[Dispute]:
    """Disputes by their id, by anything that finds their payment or invoice, by tenant."""
    wanted, _invoices = _of_payments(term)
    return queryset.filter(wanted)


def _of_payments(term: str) -> tuple[Q, list[tuple[str, str]]]:
    """What belongs to ``term`` or to a payment that it finds, and the invoices that it finds."""
    refs = ["ref", "customer_ref", "subscription_ref"]
    found = Invoice.objects.filter(Q(number=term) | _any_ref(refs, term))
    invoices = list(found.order_by().values_list("gateway", "ref"))
    payments = {(gateway, term) for gateway in Gateway.values}
    named = Payment.objects.filter(_any_ref([*refs, "intent_ref"], term))
    for gateway, ref, intent_ref in named.values_list("gateway", "ref", "intent_ref"):
        payments |= {(gateway, ref), (gateway, intent_ref or ref)}
    if invoices:
        payments |= payments_of(invoices).keys()
    wanted = _any_ref(["ref"], term) | among("payment_ref", payments)
    tenants, _numbered = _tenants_and_invoices(term)
    if tenants:
        wanted |= Q(tenant__in=tenants)
    return wanted, invoices


def _any_ref(columns: Iterable[str], term: str) -> Q:
    wanted = Q()
    for column in columns:
        # The indexes begin with the gateway.
        wanted |= Q(gateway__in=Gateway.values, **{column: term})
    return wanted


def _tenants_and_invoices(term: str) -> tuple[list[int], list[tuple[str, str]]]:
    """The tenants with ``term`` in their name or id, and the invoices of that number.

    Looked up first, because the planner cannot use an index for a subquery inside an OR.
    """
    tenants = Tenant.objects.filter(Q(name__icontains=term) | Q(key__icontains=term))
    numbered = Invoice.objects.filter(number=term)
    rows = list(
        tenants.order_by()
        .values_list("pk", Value(""), Value(""))[:SEARCH_LIMIT]
        .union(numbered.order_by().values_list(Value(0), "gateway", "ref")[:SEARCH_LIMIT], all=True)
    )
    return (
        [pk for pk, gateway, _ref in rows if not gateway],
        [(gateway, ref) for _pk, gateway, ref in rows if gateway],
    )
