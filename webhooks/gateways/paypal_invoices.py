"""Invoices that were made with PayPal's invoicing."""

from billing.facts import (
    Fact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
)
from webhooks.gateways.base import PayloadError
from webhooks.gateways.paypal_resources import Event, tax
from webhooks.gateways.values import (
    iso_time,
    label,
    paypal_money,
    ref,
    required_ref,
    rows,
    table,
    text,
)

# https://developer.paypal.com/docs/api/invoicing/v2/#invoices_get
# The event PAID is sent for a part payment too: only the status says which it was.
INVOICE_STATUS = {
    "DRAFT": InvoiceStatus.DRAFT,
    "SCHEDULED": InvoiceStatus.DRAFT,
    "SENT": InvoiceStatus.PENDING,
    "UNPAID": InvoiceStatus.PENDING,
    "PAYMENT_PENDING": InvoiceStatus.PENDING,
    "PARTIALLY_PAID": InvoiceStatus.PENDING,
    "PAID": InvoiceStatus.PAID,
    "MARKED_AS_PAID": InvoiceStatus.PAID,
    "PARTIALLY_REFUNDED": InvoiceStatus.PAID,
    "REFUNDED": InvoiceStatus.PAID,
    "MARKED_AS_REFUNDED": InvoiceStatus.PAID,
    "CANCELLED": InvoiceStatus.VOID,
}


def invoice(event: Event) -> Reading:
    """An invoice of PayPal's invoicing, whose payments are sales or captures of their own too."""
    invoice = table(event.resource, "invoice") or event.resource
    invoice_ref = required_ref(invoice)
    detail = table(invoice, "detail")
    word = text(invoice, "status") or ""
    if word not in INVOICE_STATUS:
        raise PayloadError(f"invoice status {word[:40]!r} is not one that PayPal documents")
    money = paypal_money(invoice, "amount")
    payments = [
        payment_ref
        for payment in rows(table(invoice, "payments"), "transactions")
        if (payment_ref := ref(payment, "payment_id"))
    ]
    created_at = iso_time(table(detail, "metadata"), "create_time") or event.created_at
    refunds = table(invoice, "refunds")
    facts: list[Fact] = [
        InvoiceFact(
            ref=invoice_ref,
            step=event.step,
            money=money,
            tax_minor=tax(table(invoice, "amount", "breakdown", "tax_total").get("value"), money),
            status=INVOICE_STATUS[word],
            gateway_status=word.lower(),
            number=label(detail, "invoice_number"),
            created_at=created_at,
            due_at=iso_time(table(detail, "payment_term"), "due_date"),
        ),
        *(PaymentFact(ref=one, step=event.step, invoice_ref=invoice_ref) for one in payments),
    ]
    if refunds.get("refund_amount") is not None:
        # PayPal counts up here what refunds of the payments say one by one: it stands for those
        # that no other event names, of whichever payment they are.
        refunded = paypal_money(refunds, "refund_amount")
        facts.append(
            PaymentFact(
                ref=invoice_ref,
                step=refunded.minor,
                money=money,
                invoice_ref=invoice_ref,
                refunded=refunded,
            )
        )
    for row in rows(refunds, "transactions"):
        refund_ref = ref(row, "refund_id")
        if refund_ref is not None:
            facts.append(
                RefundFact(
                    ref=refund_ref,
                    step=event.step,
                    hint=True,
                    money=paypal_money(row, "amount"),
                    status=RefundStatus.SUCCEEDED,
                    payment_ref=payments[0] if len(payments) == 1 else invoice_ref,
                    invoice_ref=invoice_ref,
                    created_at=iso_time(row, "refund_date") or created_at,
                )
            )
    return Reading(
        refs=Refs(invoice=invoice_ref, payment=payments[0] if len(payments) == 1 else None),
        facts=tuple(facts),
    )
