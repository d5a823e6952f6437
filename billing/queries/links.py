"""How the gateways' objects name one another."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q

from billing.models import Invoice

#: A gateway and the gateway's own id of an object.
Key = tuple[str, str]


def among(column: str, keys: Iterable[Key]) -> Q:
    """``column`` and gateway are among ``keys``."""
    by_gateway: dict[str, set[str]] = defaultdict(set)
    for gateway, ref in keys:
        by_gateway[gateway].add(ref)
    return reduce(
        or_, (Q(gateway=gateway, **{f"{column}__in": refs}) for gateway, refs in by_gateway.items())
    )


_ISSUED = ", ".join(f"'{status}'" for status in Invoice.ISSUED)


def invoice_of(invoice_ref: str) -> str:
    """SQL that joins to each row ``listed`` the issued invoice that it is about, if there is one.

    The row names it (``invoice_ref``), or a payment of it. A charge may know its invoice only
    through its payment intent, and an intent only through its charge. A payment that a row names as
    its invoice may have turned out to belong to another one. The first that is found counts.
    """
    return f"""
        LEFT JOIN LATERAL (
            SELECT invoice.* FROM (
                SELECT {invoice_ref}::text AS ref
                UNION ALL
                SELECT near.ref FROM billing_payment AS payment, LATERAL (
                    SELECT payment.invoice_ref AS ref
                    UNION ALL
                    SELECT invoice_ref FROM billing_payment
                    WHERE gateway = listed.gateway AND ref = payment.intent_ref
                    UNION ALL
                    SELECT invoice_ref FROM billing_payment
                    WHERE gateway = listed.gateway AND intent_ref = payment.intent_ref
                ) AS near
                WHERE payment.gateway = listed.gateway AND payment.ref = listed.payment_ref
                UNION ALL
                SELECT invoice_ref FROM billing_payment
                WHERE gateway = listed.gateway AND intent_ref = listed.payment_ref
            ) AS named
            JOIN billing_invoice AS invoice
            ON invoice.gateway = listed.gateway AND invoice.ref = named.ref
                AND invoice.status IN ({_ISSUED})
            LIMIT 1
        ) AS invoice ON true
    """


#: SQL that joins to each invoice ``listed`` how much was refunded of it.
#:
#: Refunds name their invoice, or a payment of it, or a charge of a payment intent of it. Each
#: counts once, if it succeeded and is in the invoice's currency and unit.
REFUNDED = """
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(amount_minor), 0) AS minor FROM (
            SELECT amount_minor, status, currency, exponent FROM billing_refund
            WHERE gateway = listed.gateway AND invoice_ref = listed.ref
            UNION ALL
            SELECT refund.amount_minor, refund.status, refund.currency, refund.exponent
            FROM billing_payment AS named, LATERAL (
                SELECT named.ref
                UNION ALL
                SELECT ref FROM billing_payment
                WHERE gateway = listed.gateway AND intent_ref = named.ref
                    AND invoice_ref IS DISTINCT FROM listed.ref
            ) AS payment, billing_refund AS refund
            WHERE named.gateway = listed.gateway AND named.invoice_ref = listed.ref
                AND refund.gateway = listed.gateway AND refund.payment_ref = payment.ref
                AND refund.invoice_ref IS DISTINCT FROM listed.ref
        ) AS refund
        WHERE (status, currency, exponent) = ('succeeded', listed.currency, listed.exponent)
    ) AS refunded
"""
