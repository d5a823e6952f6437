"""What follows from several rows at once, and is worked out anew whenever one of them is touched.

Nothing here is said by an event. Each function takes what a batch touched, reads what stands, and
writes what follows; so it does not matter either in which order the rows came to stand.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from billing.ledger import sql
from billing.ledger.stamps import DERIVED_RANK, NEWEST, moment
from billing.models import Dispute, Payment, Refund
from billing.models.gateway import GatewayObject

DERIVED_STAMP = json.dumps([DERIVED_RANK, 0, 0, ""])


def supersede_payments(gateway: str, refs: Collection[str]) -> None:
    """Take payments that belong to an invoice of their own off the page: they are no second one.

    A payment without an invoice is one itself, by its own ref. That it has one may be known later.
    The status gets a stamp above every rank, so that nothing said of the payment brings it back.
    """
    sql.execute(
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

    A cycle that could not be collected stands as an invoice, ``subscription:number``. PayPal's
    later payment of it has an id of its own and does not say which cycle it pays: any payment after
    the failure is the one, for PayPal collects in order. Nothing but this decides the status, so
    that a cycle opens again if it fails after the payment.
    """
    sql.execute(
        """
        UPDATE billing_invoice AS cycle SET status = found.status
        FROM (
            SELECT failed.id, CASE WHEN EXISTS (
                SELECT FROM billing_invoice AS paid
                WHERE paid.gateway = failed.gateway AND paid.status = 'paid'
                    AND paid.subscription_ref = failed.subscription_ref
                    AND paid.created_at >= failed.created_at
            ) THEN 'superseded' WHEN EXISTS (
                SELECT FROM billing_subscription AS subscription
                WHERE subscription.gateway = failed.gateway AND subscription.status = 'expired'
                    AND subscription.ref = failed.subscription_ref
            ) THEN 'void' ELSE 'pending' END AS status
            FROM billing_invoice AS failed
            WHERE failed.gateway = %s AND failed.subscription_ref = ANY(%s)
                AND failed.ref LIKE failed.subscription_ref || ':%%'
        ) AS found
        WHERE cycle.id = found.id AND found.status <> cycle.status
        """,
        gateway,
        sorted(subscription_refs),
    )


def credit_invoices(gateway: str, invoice_refs: Collection[str]) -> None:
    """Take off invoices what their standing credit notes take off before payment."""
    sql.execute(
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
    families = _families(gateway, payment_refs, invoice_refs)
    if not families:
        return set()
    # The families that pay one invoice, by the invoice; one without an invoice stands alone.
    books: dict[str, list[Family]] = defaultdict(list)
    for family in families:
        books[family.invoice_ref or family.root].append(family)
    book_of = {ref: book for book, members in books.items() for one in members for ref in one.refs}
    refunds: dict[str, list[Refund]] = defaultdict(list)
    for refund in Refund.objects.filter(
        Q(payment_ref__any_of=book_of) | Q(payment_ref=None, invoice_ref__any_of=books),
        gateway=gateway,
    ).order_by("ref"):
        # A refund that names no payment is known by its invoice, from a credit note.
        refunds[book_of.get(refund.payment_ref or "") or refund.invoice_ref or ""].append(refund)
    disputes: dict[str, list[Dispute]] = defaultdict(list)
    for dispute in Dispute.objects.filter(gateway=gateway, payment_ref__any_of=book_of).order_by(
        "ref"
    ):
        disputes[dispute.payment_ref or ""].append(dispute)
    changed: set[str] = set()
    for book, members in books.items():
        named = [row for row in refunds[book] if not row.remainder]
        remainders, by_invoice = _remainders(members, named)
        changed |= _replace([row for row in refunds[book] if row.remainder], remainders)
        succeeded = [row for row in named + remainders if row.status == Refund.Status.SUCCEEDED]
        for family in members:
            if len(members) == 1:
                refunded = sum(row.amount_minor for row in succeeded)
            else:
                of_family = [row for row in succeeded if row.payment_ref in family.refs]
                refunded = sum(row.amount_minor for row in of_family) + by_invoice[family.root]
            disputed = [dispute for ref in family.refs for dispute in disputes[ref]]
            _count_disputes(disputed, family, refunded)
    return changed


@dataclass(frozen=True, slots=True)
class Family:
    """A payment intent together with its charges, or a payment that has neither."""

    root: str
    payments: list[Payment]

    @property
    def refs(self) -> list[str]:
        return [payment.ref for payment in self.payments]

    @property
    def invoice_ref(self) -> str | None:
        return next((one.invoice_ref for one in self.payments if one.invoice_ref), None)


def _families(
    gateway: str, payment_refs: Collection[str], invoice_refs: Collection[str]
) -> list[Family]:
    """The families of what was touched, and of all else that pays the same invoices; locked."""
    of_gateway = Payment.objects.filter(gateway=gateway)

    def roots(*conditions: Q) -> set[str]:
        found = of_gateway.filter(*conditions).values_list("ref", "intent_ref")
        return {intent_ref or ref for ref, intent_ref in found}

    touched = roots(Q(ref__any_of=payment_refs) | Q(invoice_ref__any_of=invoice_refs))
    if not touched:
        return []
    paid = of_gateway.filter(
        Q(ref__any_of=touched) | Q(intent_ref__any_of=touched), invoice_ref__isnull=False
    )
    touched |= roots(Q(invoice_ref__any_of=list(paid.values_list("invoice_ref", flat=True))))
    families: dict[str, Family] = {}
    for payment in (
        of_gateway.filter(Q(ref__any_of=touched) | Q(intent_ref__any_of=touched))
        .order_by("ref")
        .select_for_update()
    ):
        root = payment.intent_ref or payment.ref
        families.setdefault(root, Family(root, [])).payments.append(payment)
    return list(families.values())


def _remainders(families: list[Family], refunds: list[Refund]) -> tuple[list[Refund], Counter[str]]:
    """Refunds that no event named one by one.

    A charge says how much of it was refunded, in all. Accounts of older API versions get no event
    for each refund, so that this sum is all there is; newer ones get both. The part of the sum that
    the known refunds do not explain stands as one refund row with the id of the charge, and goes
    when they do. Refunds known by their invoice alone explain what the others leave open; how much
    of them went back by each family, in minor units by its root, is returned beside the rows.
    """
    by_invoice = [row for row in refunds if row.payment_ref is None]
    left = {row.ref: row.amount_minor for row in by_invoice}
    found: list[Refund] = []
    went_back: Counter[str] = Counter()
    # A sum that stands for a whole invoice comes last: the rest of its payments explain it too.
    for family in sorted(families, key=lambda one: (one.root == one.invoice_ref, one.root)):
        for payment in family.payments:
            if not payment.refunded_minor:
                continue
            if payment.ref == payment.invoice_ref:
                own = [*refunds, *found]
            else:
                with_sums = {one.ref for one in family.payments if one.refunded_minor is not None}
                others = with_sums - {payment.ref}
                own = [
                    row
                    for row in refunds
                    if row.payment_ref in family.refs and row.payment_ref not in others
                ]
            missing = payment.refunded_minor - sum(_explained(row, payment) for row in own)
            if payment.ref != payment.invoice_ref:
                for row in by_invoice:
                    part = min(max(missing, 0), left[row.ref], _explained(row, payment))
                    left[row.ref] -= part
                    missing -= part
                    if row.status == Refund.Status.SUCCEEDED:
                        went_back[family.root] += part
            if missing > 0:
                found.append(_remainder(payment, missing))
    return found, went_back


def _explained(refund: Refund, payment: Payment) -> int:
    """How much of a payment's refunded sum a refund explains.

    One that failed does if the sum was said before: after it, the sum no longer has it.
    """
    if refund.currency != payment.currency:
        return 0
    failed = refund.status in (Refund.Status.FAILED, Refund.Status.CANCELLED)
    if failed and _said_at_ms(refund, "status") < _said_at_ms(payment, "refunded_minor"):
        return 0
    return refund.amount_minor


def _said_at_ms(row: GatewayObject, column: str) -> int:
    """When what stands in a column was said, in milliseconds since 1970."""
    return int((row.stamps.get(column) or row.stamps[NEWEST])[1])


def _remainder(payment: Payment, minor: int) -> Refund:
    return Refund(
        gateway=payment.gateway,
        ref=payment.ref,
        remainder=True,
        payment_ref=payment.ref,
        currency=payment.currency or "",
        exponent=payment.exponent or 0,
        amount_minor=minor,
        status=Refund.Status.SUCCEEDED,
        created_at=moment(_said_at_ms(payment, "refunded_minor")),
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


def _count_disputes(disputes: list[Dispute], family: Family, refunded: int) -> None:
    """Count of each dispute the money that is gone because of it, and not counted elsewhere.

    A reversal and a case may be two reports of one loss: the larger counts. What was refunded of a
    payment, in minor units, cannot be lost once more: together they take no more than was paid.
    """
    paid = [one.amount_minor for one in family.payments if one.amount_minor is not None]
    gone = sorted(
        (dispute for dispute in disputes if _is_gone(dispute)),
        key=lambda dispute: (-dispute.amount_minor, dispute.ref),
    )
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
