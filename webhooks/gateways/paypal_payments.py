"""PayPal's sales and captures, and the money that goes back from them."""

import re

from billing.facts import (
    DisputeFact,
    DisputeStatus,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
)
from webhooks.gateways.base import PayloadError
from webhooks.gateways.paypal_resources import Event, status_word, tax, tenants
from webhooks.gateways.values import (
    Payload,
    label,
    paypal_money,
    ref,
    required_ref,
    rows,
    table,
    text,
)

# https://developer.paypal.com/docs/api/payments/v1/#sale_get
# https://developer.paypal.com/docs/api/payments/v2/#captures_get
# A refund or a dispute never takes a payment back out of paid: each has a ledger of its own.
PAYMENT_STATUS = {
    "COMPLETED": InvoiceStatus.PAID,
    "PARTIALLY_REFUNDED": InvoiceStatus.PAID,
    "REFUNDED": InvoiceStatus.PAID,
    "REVERSED": InvoiceStatus.PAID,
    "PENDING": InvoiceStatus.PENDING,
    "DENIED": InvoiceStatus.VOID,
    "DECLINED": InvoiceStatus.VOID,
    "FAILED": InvoiceStatus.VOID,
}

# https://developer.paypal.com/docs/api/payments/v2/#refunds_get
REFUND_STATUS = {
    "COMPLETED": RefundStatus.SUCCEEDED,
    "PENDING": RefundStatus.PENDING,
    "FAILED": RefundStatus.FAILED,
    "CANCELLED": RefundStatus.CANCELLED,
}

# https://developer.paypal.com/docs/api/customer-disputes/v1/#disputes_get
# Who the money went to in the end. Any other outcome (the seller's favour, a payout by PayPal, a
# case that was dropped) leaves it with the seller.
LOST_OUTCOMES = {"RESOLVED_BUYER_FAVOUR", "ACCEPTED"}

# …/v1/payments/sale/9T09, …/v2/payments/captures/2GG2: the payment, of the links of a refund.
PAYMENT_LINK = re.compile("/payments/(?:sale|capture)s?/(?P<ref>[A-Z0-9]+)$")


def payment(event: Event, *failed: FailureFact) -> Reading:
    """A sale or a capture, which is the invoice too unless PayPal has one for it."""
    resource = event.resource
    payment_ref = required_ref(resource)
    subscription_ref = ref(resource, "billing_agreement_id")
    word = status_word(resource)
    if word not in PAYMENT_STATUS:
        raise PayloadError(f"payment status {word[:40]!r} is not one that PayPal documents")
    status = PAYMENT_STATUS[word]
    money = paypal_money(resource, "amount")
    return Reading(
        refs=Refs(subscription=subscription_ref, invoice=payment_ref, payment=payment_ref),
        facts=(
            InvoiceFact(
                ref=payment_ref,
                step=event.step,
                money=money,
                tax_minor=tax(table(resource, "amount", "details").get("tax"), money),
                status=status,
                gateway_status=word.lower(),
                number=label(resource, "invoice_number") or label(resource, "invoice_id"),
                subscription_ref=subscription_ref,
                created_at=event.created_at,
                paid_at=event.created_at if status == InvoiceStatus.PAID else None,
            ),
            PaymentFact(
                ref=payment_ref,
                step=event.step,
                hint=True,
                money=money,
                invoice_ref=payment_ref,
                subscription_ref=subscription_ref,
            ),
            *tenants(resource),
            *failed,
        ),
    )


def denied_payment(event: Event) -> Reading:
    return payment(
        event,
        FailureFact(
            invoice_ref=required_ref(event.resource),
            attempt="denied",
            money=paypal_money(event.resource, "amount"),
        ),
    )


def refund(event: Event) -> Reading:
    """A refund of a sale or capture: v1 has negative amounts, v2 names its capture by a link."""
    resource = event.resource
    refund_ref = required_ref(resource)
    word = status_word(resource)
    if word not in REFUND_STATUS:
        raise PayloadError(f"refund status {word[:40]!r} is not one that PayPal documents")
    # Refunds made on PayPal's website name no payment. Such a one is its own, so that a person can
    # still say whose it is.
    payment_ref = _returned_of(resource) or refund_ref
    return Reading(
        refs=Refs(payment=payment_ref),
        facts=(
            RefundFact(
                ref=refund_ref,
                step=event.step,
                money=abs(paypal_money(resource, "amount", signed=True)),
                status=REFUND_STATUS[word],
                payment_ref=payment_ref,
                created_at=event.created_at,
            ),
            *tenants(resource),
        ),
    )


def reversal(event: Event) -> Reading:
    """A chargeback. Seen in two shapes: the id is the payment's, or that of the reversal itself."""
    resource = event.resource
    reversal_ref = required_ref(resource)
    payment_ref = _returned_of(resource) or reversal_ref
    return Reading(
        refs=Refs(payment=payment_ref),
        facts=(
            DisputeFact(
                ref=reversal_ref,
                step=event.step,
                money=abs(paypal_money(resource, "amount", signed=True)),
                status=DisputeStatus.LOST,
                gateway_status="reversed",
                payment_ref=payment_ref,
                created_at=event.created_at,
            ),
            *tenants(resource),
        ),
    )


def _returned_of(resource: Payload) -> str | None:
    """The payment that money went back from: by its id, or by a link to it."""
    named = ref(resource, "sale_id") or ref(resource, "capture_id")
    if named is not None:
        return named
    for link in rows(resource, "links"):
        found = PAYMENT_LINK.search(text(link, "href") or "")
        if found:
            return found["ref"]
    return None


def dispute(event: Event) -> Reading:
    """A case. While it is an inquiry between buyer and seller no money moves."""
    resource = event.resource
    dispute_ref = required_ref(resource, "dispute_id")
    disputed = rows(resource, "disputed_transactions")
    payment_ref = next(
        (found for one in disputed if (found := ref(one, "seller_transaction_id"))), None
    )
    word = text(resource, "status") or ""
    outcome = text(table(resource, "dispute_outcome"), "outcome_code")
    if word == "RESOLVED":
        status = DisputeStatus.LOST if outcome in LOST_OUTCOMES else DisputeStatus.WON
    elif text(resource, "dispute_life_cycle_stage") == "INQUIRY":
        status = DisputeStatus.INQUIRY
    else:
        status = DisputeStatus.OPEN
    return Reading(
        refs=Refs(payment=payment_ref or dispute_ref),
        facts=(
            DisputeFact(
                ref=dispute_ref,
                step=event.step,
                money=paypal_money(resource, "dispute_amount"),
                status=status,
                gateway_status=(outcome or word).lower(),
                payment_ref=payment_ref or dispute_ref,
                created_at=event.created_at,
            ),
        ),
    )
