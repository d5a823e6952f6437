"""What the search field finds: an id of any kind, an invoice number, a part of a tenant's name.

The term is looked up first, in one statement; the rows are then asked for by what it stands for,
so that each condition is served by an index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from billing.models import Gateway
from billing.queries import tenants
from billing.queries.links import Key, among
from billing.queries.reads import Read, Row, Sql

#: How many tenants one term may stand for, and how many payments and invoices.
TENANTS, OBJECTS = 20, 500

# From what the term names to all payments and invoices that belong together: a charge names its
# payment intent, and a charge or an intent names the invoice. LIMIT ends the walk.
_LOOK_UP = """
WITH RECURSIVE asked (term, gateways, kind) AS NOT MATERIALIZED (
    VALUES (%s::text, %s::text[], %s::text)
), named (gateway, payment, invoice) AS (
    SELECT unnest(gateways), term, term FROM asked
    UNION ALL
    SELECT gateway, NULL, ref FROM asked, billing_invoice WHERE number = term
    UNION ALL
    SELECT gateway, payment_ref, invoice_ref FROM asked, billing_refund
    WHERE gateway = ANY(gateways) AND ref = term AND kind <> 'refund'
    UNION ALL
    SELECT gateway, payment_ref, NULL FROM asked, billing_dispute
    WHERE gateway = ANY(gateways) AND ref = term AND kind <> 'dispute'
    UNION ALL
    SELECT gateway, NULL, invoice_ref FROM asked, billing_creditnote
    WHERE gateway = ANY(gateways) AND ref = term
    UNION ALL
    SELECT gateway, NULL, invoice_ref FROM asked, billing_creditnote WHERE number = term
    UNION ALL
    SELECT gateway, payment_ref, invoice_ref FROM asked, billing_paymentevent
    WHERE gateway = ANY(gateways) AND event_id = term AND kind <> 'event'
    UNION ALL
    SELECT gateway, ref, invoice_ref FROM asked, billing_payment
    WHERE gateway = ANY(gateways) AND (customer_ref = term OR subscription_ref = term)
    UNION ALL
    SELECT gateway, NULL, ref FROM asked, billing_invoice
    WHERE gateway = ANY(gateways) AND (customer_ref = term OR subscription_ref = term)
), linked (gateway, payment, intent, invoice) AS (
    SELECT gateway, payment, NULL, invoice FROM named
    UNION
    SELECT near.* FROM linked, LATERAL (
        SELECT gateway, ref, intent_ref, invoice_ref FROM billing_payment
        WHERE gateway = linked.gateway AND ref IN (linked.payment, linked.intent)
        UNION ALL
        SELECT gateway, ref, intent_ref, invoice_ref FROM billing_payment
        WHERE gateway = linked.gateway AND intent_ref IN (linked.payment, linked.intent)
        UNION ALL
        SELECT gateway, ref, intent_ref, invoice_ref FROM billing_payment
        WHERE gateway = linked.gateway AND invoice_ref = linked.invoice
    ) AS near
)
(SELECT gateway, payment, intent, invoice, NULL::bigint FROM linked LIMIT %s)
UNION ALL
(SELECT NULL, NULL, NULL, NULL, tenant.id FROM ({tenants}) AS tenant)
"""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a row has to meet: it is ``named`` by the term, as few are, or it is of ``tenants``.

    ``more_tenants``: the term fits more of them than are looked for.
    """

    named: Q | None = None
    tenants: Sequence[int] = ()
    more_tenants: bool = False


@dataclass(slots=True)
class Found:
    """What a term stands for."""

    tenants: list[int] = field(default_factory=list)
    payments: set[Key] = field(default_factory=set)
    invoices: set[Key] = field(default_factory=set)

    def sought(self, named: Q) -> Sought:
        return Sought(named, self.tenants[:TENANTS], more_tenants=len(self.tenants) > TENANTS)


def statement(term: str, kind: str) -> tuple[str, list[Any]]:
    """The statement that looks a term up, and its parameters."""
    named = tenants.matching(term).values("id")[: TENANTS + 1]
    sql, params = named.query.sql_with_params()
    return _LOOK_UP.format(tenants=sql), [term, Gateway.values, kind, OBJECTS, *params]


def look_up(term: str, kind: str) -> Read[Found]:
    """What ``term`` stands for, among rows of ``kind``: the id of one of them is only that one."""

    def of(rows: Iterable[Row]) -> Found:
        found = Found()
        for gateway, payment, intent, invoice, tenant in rows:
            if tenant:
                found.tenants.append(tenant)
            found.payments |= {(gateway, ref) for ref in (payment, intent) if ref}
            if invoice:
                found.invoices.add((gateway, invoice))
        return found

    return Read(of, Sql(*statement(term, kind), columns=5))


def events(term: str) -> Read[Sought]:
    """Events by their id, by any id they carry, by what they are about, by tenant."""
    own = _any_ref(("event_id", "customer_ref", "subscription_ref"), term)
    return Read(
        lambda found: found.sought(
            own | among("invoice_ref", found.invoices) | among("payment_ref", found.payments)
        ),
        look_up(term, "event"),
    )


def invoices(term: str) -> Read[Sought]:
    """Invoices by number, by any id of the gateway, by what belongs to them, by tenant."""
    own = _any_ref(("customer_ref", "subscription_ref"), term)
    return Read(
        lambda found: found.sought(own | among("ref", found.invoices)), look_up(term, "invoice")
    )


def refunds(term: str) -> Read[Sought]:
    """Refunds by their id, by anything that finds their payment or invoice, by tenant."""
    own = _any_ref(("ref",), term)
    return Read(
        lambda found: found.sought(
            own | among("payment_ref", found.payments) | among("invoice_ref", found.invoices)
        ),
        look_up(term, "refund"),
    )


def disputes(term: str) -> Read[Sought]:
    """Disputes by their id, by anything that finds their payment, by tenant."""
    own = _any_ref(("ref",), term)
    return Read(
        lambda found: found.sought(own | among("payment_ref", found.payments)),
        look_up(term, "dispute"),
    )


def _any_ref(columns: Iterable[str], term: str) -> Q:
    wanted = Q()
    for column in columns:
        # The indexes begin with the gateway.
        wanted |= Q(gateway__in=Gateway.values, **{column: term})
    return wanted
