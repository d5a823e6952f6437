"""What follows from several rows at once, and is worked out anew whenever one of them is touched.

Nothing here is said by an event. Each function takes what a batch touched, reads what stands, and
writes what follows; so it does not matter either in which order the rows came to stand.
"""

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import Q

from billing.ledger.stamps import DERIVED_RANK, NEWEST, moment
from billing.models import Dispute, Payment, Refund

DERIVED_STAMP = json.dumps([DERIVED_RANK, 0, 0, ""])


def supersede_payments(gateway: str, refs: Collection[str]) -> None:
    """Take payments that belong to an invoice of their own off the page: they are no second one.

    A payment without an invoice is one itself, by its own ref. That it has one may be known later.
    The status gets a stamp above every rank, so that nothing said of the payment brings it back.
    """
    _execute(
        """
        UPDATE billing_invoice AS invoice SET status = 'superseded',
            stamps = jsonb_set(invoice.stamps, '{status}', %s)
        FROM billing_payment AS payment
        WHERE invoice.gateway = %s AND invoice.ref = ANY(%s) AND invoice.status <> 'superseded'
            AND payment.gateway = invoice.gateway AND payment.ref = invoice.ref
            AND payment.invoice_ref <> invoice.ref
        """,
        DERIVED_STAMP,
        gateway,
        sorted(refs),
    )


def close_cycles(gateway: str, subscription_refs: Collection[str]) -> None:
    """Close the open cycles of subscriptions: superseded once paid, void once nothing can be.

    A cycle that could not be collected stands as an invoice by the name that `cycle_ref` gives it.
    PayPal's later payment of it has an id of its own and does not say which cycle it pays: any
    payment after the failure is the one, for PayPal collects in order.
    """
    _execute(
        """
        UPDATE billing_invoice AS cycle SET status = closed.status,
            stamps = jsonb_set(cycle.stamps, '{status}', %s)
        FROM (
            SELECT open.id, CASE WHEN EXISTS (
                SELECT FROM billing_invoice AS paid
                WHERE paid.gateway = open.gateway AND paid.status = 'paid'
                    AND paid.subscription_ref = open.subscription_ref
                    AND paid.created_at >= open.created_at
            ) THEN 'superseded' WHEN EXISTS (
                SELECT FROM billing_subscription AS subscription
                WHERE subscription.gateway = open.gateway AND subscription.status = 'expired'
                    AND subscription.ref = open.subscription_ref
            ) THEN 'void' END AS status
            FROM billing_invoice AS open
            WHERE open.gateway = %s AND open.subscription_ref = ANY(%s)
                AND open.ref LIKE open.subscription_ref || ':%%'
                AND open.status IN ('pending', 'void')
        ) AS closed
        WHERE cycle.id = closed.id AND closed.status <> cycle.status
        """,
        DERIVED_STAMP,
        gateway,
        sorted(subscription_refs),
    )


def credit_invoices(gateway: str, invoice_refs: Collection[str]) -> None:
    """Take off invoices what their standing credit notes take off before payment."""
    _execute(
        """
        UPDATE billing_invoice AS invoice SET credited_minor = credited.minor
        FROM (
            SELECT i.id, GREATEST(0, LEAST(i.amount_minor, (
                SELECT COALESCE(sum(note.pre_payment_minor), 0) FROM billing_creditnote AS note
                WHERE note.gateway = i.gateway AND note.invoice_ref = i.ref
                    AND note.status = 'issued' AND note.currency = i.currency
            ))) AS minor
            FROM billing_invoice AS i WHERE i.gateway = %s AND i.ref = ANY(%s)
        ) AS credited
        WHERE invoice.id = credited.id AND invoice.credited_minor <> credited.minor
        """,
        gateway,
        sorted(invoice_refs),
    )


def settle_payments(
    gateway: str, payment_refs: Collection[str], invoice_refs: Collection[str]
) -> set[str]:
    """Bring remainders of refunds and counted disputes of payments in step with what is known.

    Returns the refs of the refund rows that changed.
    """
    groups = _groups(gateway, payment_refs, invoice_refs)
    if not groups:
        return set()
    by_ref = {payment.ref: group for group in groups for payment in group}
    by_invoice = {
        payment.invoice_ref: group for group in groups for payment in group if payment.invoice_ref
    }
    refunds: dict[int, list[Refund]] = defaultdict(list)
    for refund in Refund.objects.filter(
        Q(payment_ref__in=by_ref) | Q(payment_ref=None, invoice_ref__in=by_invoice),
        gateway=gateway,
    ).order_by("ref"):
        # A refund that names no payment is known by its invoice, from a credit note.
        group = by_ref.get(refund.payment_ref or "") or by_invoice[refund.invoice_ref or ""]
        refunds[id(group)].append(refund)
    disputes: dict[int, list[Dispute]] = defaultdict(list)
    for dispute in Dispute.objects.filter(gateway=gateway, payment_ref__in=by_ref).order_by("ref"):
        disputes[id(by_ref[dispute.payment_ref or ""])].append(dispute)
    changed: set[str] = set()
    for group in groups:
        standing = refunds[id(group)]
        remainders = [row for one in group if (row := _remainder(one, group, standing))]
        changed |= _replace([row for row in standing if row.remainder], remainders)
        named = [row for row in standing if not row.remainder]
        _count_disputes(disputes[id(group)], group, named + remainders)
    return changed


def _groups(
    gateway: str, payment_refs: Collection[str], invoice_refs: Collection[str]
) -> list[list[Payment]]:
    """The payments that were touched, locked: each payment intent together with its charges."""
    touched = list(
        Payment.objects.filter(
            Q(ref__in=payment_refs) | Q(invoice_ref__in=invoice_refs), gateway=gateway
        ).values_list("ref", "intent_ref")
    )
    roots = {intent_ref or ref for ref, intent_ref in touched}
    if not roots:
        return []
    groups: dict[str, list[Payment]] = defaultdict(list)
    for payment in (
        Payment.objects.filter(Q(ref__in=roots) | Q(intent_ref__in=roots), gateway=gateway)
        .order_by("ref")
        .select_for_update()
    ):
        groups[payment.intent_ref or payment.ref].append(payment)
    return list(groups.values())


def _remainder(payment: Payment, group: list[Payment], refunds: list[Refund]) -> Refund | None:
    """Refunds that no event named one by one.

    A charge says how much of it was refunded, in all. Accounts of older API versions get no event
    for each refund, so that this sum is all there is; newer ones get both. The part of the sum that
    the known refunds do not explain stands as one refund row with the id of the charge, and goes
    when they do. One that failed explains its part too: the sum was said before it failed.
    """
    if not payment.refunded_minor:
        return None
    others = {other.ref for other in group if other.refunded_minor is not None} - {payment.ref}
    explained = sum(
        refund.amount_minor
        for refund in refunds
        if not refund.remainder
        and refund.currency == payment.currency
        and refund.payment_ref not in others
    )
    if explained >= payment.refunded_minor:
        return None
    said_at_ms = (payment.stamps.get("refunded_minor") or payment.stamps[NEWEST])[1]
    return Refund(
        gateway=payment.gateway,
        ref=payment.ref,
        remainder=True,
        payment_ref=payment.ref,
        currency=payment.currency or "",
        exponent=payment.exponent or 0,
        amount_minor=payment.refunded_minor - explained,
        status=Refund.Status.SUCCEEDED,
        created_at=moment(said_at_ms),
    )


def _replace(standing: list[Refund], wanted: list[Refund]) -> set[str]:
    """Make the remainders that stand those that are wanted; returns the refs that changed."""
    values = ("currency", "exponent", "amount_minor", "created_at")
    before = {row.ref: row for row in standing}
    changed = set()
    for row in wanted:
        old = before.pop(row.ref, None)
        if old is None:
            row.save()
        elif any(getattr(old, name) != getattr(row, name) for name in values):
            row.pk, row.tenant_id = old.pk, old.tenant_id
            row.save()
        else:
            continue
        changed.add(row.ref)
    for old in before.values():
        old.delete()
    return changed


def _count_disputes(disputes: list[Dispute], group: list[Payment], refunds: list[Refund]) -> None:
    """Count of each dispute the money that is gone because of it, and not counted elsewhere.

    A reversal and a case may be two reports of one loss: the larger counts. What was refunded of a
    payment cannot be lost once more: together they take no more than was paid.
    """
    refunded = sum(row.amount_minor for row in refunds if row.status == Refund.Status.SUCCEEDED)
    paid = [payment.amount_minor for payment in group if payment.amount_minor is not None]
    gone = [dispute for dispute in disputes if _is_gone(dispute)]
    gone.sort(key=lambda dispute: (-dispute.amount_minor, dispute.ref))
    for dispute in disputes:
        counted = 0
        if gone and dispute.ref == gone[0].ref:
            if paid:
                counted = min(dispute.amount_minor, max(max(paid) - refunded, 0))
            elif refunded < dispute.amount_minor:
                # What was paid is not known: only a refund of as much is surely the same money.
                counted = dispute.amount_minor
        if dispute.counted_minor != counted:
            dispute.counted_minor = counted
            dispute.save(update_fields=["counted_minor"])


def _is_gone(dispute: Dispute) -> bool:
    if dispute.status == Dispute.Status.OPEN:
        return not dispute.returned
    return dispute.status == Dispute.Status.LOST


def _execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
