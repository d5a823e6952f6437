"""Refunds that no event named one by one.

A charge says how much of it was refunded, in all. Accounts of older API versions get no event for
each refund, so that this sum is all there is; newer ones get both. The part of the sum that the
known refunds do not explain stands as one refund row with the id of the charge, and goes when they
do. A refund that failed still explains its part: the sum was said before it failed.
"""

from collections.abc import Collection

from django.db.models import Q

from billing.ledger.stamps import NEWEST, moment
from billing.models import Payment, Refund


def settle(gateway: str, payment_refs: Collection[str]) -> set[str]:
    """Bring the remainders of payments, which must be locked, in step with their refunds.

    Returns the ids of the rows that changed.
    """
    charges = list(
        Payment.objects.filter(
            Q(ref__in=payment_refs) | Q(intent_ref__in=payment_refs),
            gateway=gateway,
            refunded_minor__isnull=False,
        ).order_by("ref")
    )
    if not charges:
        return set()
    named_by = {charge.ref: charge for charge in charges} | {
        charge.intent_ref: charge for charge in charges if charge.intent_ref
    }
    explained = dict.fromkeys((charge.ref for charge in charges), 0)
    standing: dict[str, Refund] = {}
    for refund in Refund.objects.filter(gateway=gateway, payment_ref__in=named_by):
        charge = named_by[refund.payment_ref or ""]
        if refund.remainder:
            standing[refund.ref] = refund
        elif refund.currency == charge.currency:
            explained[charge.ref] += refund.amount_minor
    changed = set()
    for charge in charges:
        remainder = max((charge.refunded_minor or 0) - explained[charge.ref], 0)
        row = standing.get(charge.ref)
        if remainder == (row.amount_minor if row else 0):
            continue
        changed.add(charge.ref)
        if row is not None and not remainder:
            row.delete()
            continue
        said_at_ms = (charge.stamps.get("refunded_minor") or charge.stamps[NEWEST])[1]
        Refund.objects.update_or_create(
            gateway=gateway,
            ref=charge.ref,
            defaults={
                # A charge that says a sum says its currency too.
                "remainder": True,
                "payment_ref": charge.ref,
                "currency": charge.currency or "",
                "exponent": charge.exponent or 0,
                "amount_minor": remainder,
                "status": Refund.Status.SUCCEEDED,
                "created_at": moment(said_at_ms),
            },
        )
    return changed
