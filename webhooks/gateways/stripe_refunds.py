"""Money that goes back: Stripe's refunds, credit notes and disputes."""

from collections.abc import Iterator
from dataclasses import replace

from billing.facts import (
    CreditNoteFact,
    CreditNoteStatus,
    DisputeFact,
    DisputeStatus,
    Fact,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
)
from billing.money import Money
from webhooks.gateways.base import PayloadError
from webhooks.gateways.stripe_metadata import tenants
from webhooks.gateways.stripe_payments import charge
from webhooks.gateways.values import (
    Payload,
    integer,
    label,
    ref,
    required_epoch,
    required_ref,
    rows,
    stripe_money,
    table,
    text,
)

# https://docs.stripe.com/api/refunds/object#refund_object-status
REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELLED,
}
# https://docs.stripe.com/api/disputes/object#dispute_object-status
# A warning is an inquiry: no money has moved, nor has any where a dispute was prevented.
DISPUTE_STATUS = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.WON,
    "prevented": DisputeStatus.WON,
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    # Before 2014 a refund in answer to a dispute was a status of the dispute.
    "charge_refunded": DisputeStatus.WON,
}


def refunded_charge(payload: Payload, step: int) -> Reading:
    """A charge says how much of it was refunded so far; before 2022-11-15, by which refunds."""
    reading = charge(payload, step)
    refunded = stripe_money(payload, "amount_refunded")
    refunds = [
        fact
        for refund in rows(payload, "refunds")
        # Before 2014 a refund had no id: then the charge's own sum is all there is.
        if ref(refund, "id")
        for fact in _refund_facts(refund, step, payload)
    ]
    # Of two sums said in the same second the larger is the later.
    in_all = PaymentFact(ref=required_ref(payload), step=refunded.minor, refunded=refunded)
    return replace(reading, facts=(*reading.facts, in_all, *refunds))


def refund(refund: Payload, step: int) -> Reading:
    return Reading(
        refs=Refs(
            customer=ref(refund, "customer"),
            payment=ref(refund, "charge") or ref(refund, "payment_intent") or ref(refund, "id"),
        ),
        facts=(*_refund_facts(refund, step), *tenants(table(refund, "metadata"))),
    )


def _refund_facts(refund: Payload, step: int, charge: Payload | None = None) -> Iterator[Fact]:
    """A refund, and the link between the charge and the payment intent that it names.

    Refunds inside a charge of old versions lack a status (they had succeeded), and may lack the
    currency and the charge's id.
    """
    if charge is not None:
        refund = {"charge": charge.get("id"), "currency": charge.get("currency")} | refund
    charge_ref, intent_ref = ref(refund, "charge"), ref(refund, "payment_intent")
    word = text(refund, "status") or "succeeded"
    if word not in REFUND_STATUS:
        raise PayloadError(f"refund status {word[:40]!r} is not one that Stripe documents")
    yield RefundFact(
        ref=required_ref(refund),
        step=step,
        money=stripe_money(refund, "amount"),
        status=REFUND_STATUS[word],
        payment_ref=charge_ref or intent_ref,
        created_at=required_epoch(refund, "created"),
    )
    if charge_ref is not None and intent_ref is not None:
        yield PaymentFact(ref=charge_ref, step=step, intent_ref=intent_ref)


def credit_note(note: Payload, step: int, *, voided: bool = False) -> Reading:
    """An issued invoice made smaller; refunds that it made are counted by their own ids."""
    invoice_ref, customer_ref = ref(note, "invoice"), ref(note, "customer")
    money = stripe_money(note, "amount")
    created_at = required_epoch(note, "created")
    if note.get("pre_payment_amount") is not None:
        pre_payment = stripe_money(note, "pre_payment_amount").minor
    else:
        # Until basil a note was wholly before or wholly after payment.
        pre_payment = money.minor if text(note, "type") == "pre_payment" else 0
    if pre_payment > money.minor:
        raise PayloadError("pre_payment_amount is more than the amount that it is part of")
    voided = voided or text(note, "status") == "void"
    return Reading(
        refs=Refs(customer=customer_ref, invoice=invoice_ref),
        facts=(
            CreditNoteFact(
                ref=required_ref(note),
                step=step,
                money=money,
                pre_payment_minor=pre_payment,
                status=CreditNoteStatus.VOID if voided else CreditNoteStatus.ISSUED,
                number=label(note, "number"),
                invoice_ref=invoice_ref,
                customer_ref=customer_ref,
                created_at=created_at,
            ),
            *_credit_note_refunds(note, step, money, pre_payment),
            *tenants(table(note, "metadata")),
        ),
    )


def voided_credit_note(note: Payload, step: int) -> Reading:
    """Undone. Samples still say issued, so that here the type counts."""
    return credit_note(note, step, voided=True)


def _credit_note_refunds(
    note: Payload, step: int, money: Money, pre_payment: int
) -> Iterator[Fact]:
    """The refunds that a note names: said in passing, so that what a refund says itself wins."""
    named = [(ref(row, "refund"), integer(row, "amount_refunded")) for row in rows(note, "refunds")]
    if not named:
        # Before basil one refund, without its amount: what was not given otherwise.
        outside = integer(note, "out_of_band_amount") or 0
        named = [(ref(note, "refund"), money.minor - pre_payment - outside)]
    for refund_ref, amount in named:
        if refund_ref is not None and amount is not None and amount >= 0:
            yield RefundFact(
                ref=refund_ref,
                step=step,
                hint=True,
                money=replace(money, minor=amount),
                status=RefundStatus.SUCCEEDED,
                invoice_ref=ref(note, "invoice"),
                created_at=required_epoch(note, "created"),
            )


def dispute(dispute: Payload, step: int, *, returned: bool | None = None) -> Reading:
    """A dispute, or an inquiry that may become one."""
    charge_ref, intent_ref = ref(dispute, "charge"), ref(dispute, "payment_intent")
    payment_ref = charge_ref or intent_ref
    # Before 2014 a dispute had no id of its own: a charge can have but one.
    dispute_ref = ref(dispute, "id") or required_ref(dispute, "charge")
    word = text(dispute, "status") or ""
    if word not in DISPUTE_STATUS:
        raise PayloadError(f"dispute status {word[:40]!r} is not one that Stripe documents")
    facts: list[Fact] = [
        DisputeFact(
            ref=dispute_ref,
            step=step,
            money=stripe_money(dispute, "amount"),
            status=DISPUTE_STATUS[word],
            gateway_status=word,
            returned=returned,
            payment_ref=payment_ref,
            created_at=required_epoch(dispute, "created"),
        ),
        *tenants(table(dispute, "metadata")),
    ]
    if charge_ref is not None and intent_ref is not None:
        facts.append(PaymentFact(ref=charge_ref, step=step, intent_ref=intent_ref))
    return Reading(refs=Refs(payment=payment_ref or dispute_ref), facts=tuple(facts))


def funds_withdrawn(payload: Payload, step: int) -> Reading:
    return dispute(payload, step, returned=False)


def funds_reinstated(payload: Payload, step: int) -> Reading:
    return dispute(payload, step, returned=True)
