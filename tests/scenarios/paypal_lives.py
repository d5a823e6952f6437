"""What may happen to a buyer at PayPal."""

from tests.scenarios.lives import (
    PAYPAL_CURRENCIES,
    Dispute,
    Invoice,
    Life,
    Payment,
    Refund,
    major,
)


def buyer(life: Life) -> None:
    currency = life.pick(PAYPAL_CURRENCIES)
    for _ in range(life.pick((2, 3, 1))):
        life.later()
        what = life.pick((_subscription, _payment, _invoice))
        what(life, currency)


def _payment(life: Life, currency: str) -> None:
    """A sale or a capture."""
    kind = life.pick(("SALE", "CAPTURE"))
    payment = Payment(life.ref(kind), life.amount(), currency)
    invoice = Invoice(payment.ref, payment.amount, currency, "pending")
    life.invoices.append(invoice)
    said = f"{payment.ref} amount={major(payment.amount, currency)} {currency}"
    end = life.pick(("COMPLETED", "COMPLETED", "PENDING", "DENIED"))
    if end != "COMPLETED" or life.chance():
        life.tell(f"PAYMENT.{kind}.PENDING {said}{life.tenant('buyer')}")
        life.later()
    if end == "DENIED":
        invoice.status = "void"
        life.tell(f"PAYMENT.{kind}.DENIED {said}")
    if end == "COMPLETED":
        invoice.status = "paid"
        life.payments.append(payment)
        life.tell(f"PAYMENT.{kind}.COMPLETED {said}{life.tenant('buyer')}")
        _money_back(life, payment, kind)


def _subscription(life: Life, currency: str) -> None:
    ref, amount = life.ref("I-"), life.amount()
    money = f"amount={major(amount, currency)} {currency}"
    life.tell(f"BILLING.SUBSCRIPTION.CREATED {ref}{life.tenant('buyer')}")
    life.later()
    life.tell(f"BILLING.SUBSCRIPTION.ACTIVATED {ref} payer={life.ref('PAYER')}")
    completed = 0
    open_cycle: Invoice | None = None
    for _ in range(life.pick((1, 1, 2, 3))):
        life.later(at_least=1)
        for _ in range(life.pick((0, 0, 1, 2))):
            life.tell(f"BILLING.SUBSCRIPTION.PAYMENT.FAILED {ref} {money} cycles={completed}")
            if open_cycle is None:
                open_cycle = Invoice(f"{ref}:{completed + 1}", amount, currency, "pending")
                life.invoices.append(open_cycle)
            life.later(at_least=1)
        if open_cycle is not None and life.chance():
            break
        if open_cycle is not None:
            life.invoices.remove(open_cycle)  # paid after all, under a name of its own
            open_cycle = None
        sale = Payment(life.ref("SALE"), amount, currency)
        life.payments.append(sale)
        life.invoices.append(Invoice(sale.ref, amount, currency, "paid"))
        life.tell(f"PAYMENT.SALE.COMPLETED {sale.ref} subscription={ref} {money}")
        completed += 1
        _money_back(life, sale, "SALE")
    life.later(at_least=1)
    end = life.pick(("", "SUSPENDED", "CANCELLED", "EXPIRED"))
    if end:
        life.tell(f"BILLING.SUBSCRIPTION.{end} {ref} cycles={completed}")
    if end == "EXPIRED" and open_cycle is not None:
        open_cycle.status = "void"


def _invoice(life: Life, currency: str) -> None:
    """An invoice of PayPal's invoicing, paid by a sale that PayPal tells of too."""
    invoice = Invoice(life.ref("INV2-"), life.amount(), currency, "draft")
    life.invoices.append(invoice)
    of = f"{invoice.ref} number={invoice.ref} total={major(invoice.amount, currency)} {currency}"
    life.tell(f"INVOICING.INVOICE.CREATED {of} status=DRAFT")
    life.later()
    end = life.pick(("draft", "sent", "cancelled", "marked", "paid", "paid", "paid"))
    if end == "draft":
        return
    invoice.status = "pending"
    life.tell(f"INVOICING.INVOICE.UPDATED {of} status=SENT")
    life.later()
    if end == "cancelled":
        invoice.status = "void"
        life.tell(f"INVOICING.INVOICE.CANCELLED {of} status=CANCELLED")
    if end == "marked":
        invoice.status = "paid"
        life.tell(f"INVOICING.INVOICE.PAID {of} status=MARKED_AS_PAID")
    if end == "paid":
        invoice.status = "paid"
        sale = Payment(life.ref("SALE"), invoice.amount, currency, invoice=invoice.ref)
        life.payments.append(sale)
        amount = major(sale.amount, currency)
        life.tell(f"INVOICING.INVOICE.PAID {of} status=PAID payments={sale.ref}:{amount}")
        if life.chance():
            life.tell(
                f"PAYMENT.SALE.COMPLETED {sale.ref} amount={amount} {currency}"
                + life.tenant("buyer")
            )
        _refunds_of_invoice(life, sale, of)


def _refunds_of_invoice(life: Life, sale: Payment, of: str) -> None:
    by = life.pick(({"sale"}, {"invoice"}, {"sale", "invoice"}))
    named = life.chance()
    for _ in range(life.pick((2, 1, 3, 0))):
        if not sale.left:
            return
        life.later()
        refund = Refund(life.ref("REFUND"), life.amount(max(sale.left * 2 // 3, 1)))
        sale.refunds.append(refund)
        if "sale" in by:
            life.tell(
                f"PAYMENT.SALE.REFUNDED {refund.ref} sale={sale.ref}"
                f" amount={major(refund.amount, sale.currency)} {sale.currency}"
            )
        if "invoice" in by:
            rows = (f"{one.ref}:{major(one.amount, sale.currency)}" for one in sale.refunds)
            status = "PARTIALLY_REFUNDED" if sale.left else "REFUNDED"
            life.tell(
                f"INVOICING.INVOICE.REFUNDED {of} status={status}"
                f" payments={sale.ref}:{major(sale.amount, sale.currency)}"
                f" refunded={major(sale.refunded, sale.currency)} refunds={','.join(rows)}"
                + ("" if named else " unnamed")
            )


def _money_back(life: Life, payment: Payment, kind: str) -> None:
    of = f"{'sale' if kind == 'SALE' else 'capture'}={payment.ref}"
    for _ in range(life.pick((1, 2, 3, 0))):
        life.later()
        if payment.left and life.pick((True, True, True, False)):
            refund = Refund(life.ref("REFUND"), life.amount(max(payment.left * 2 // 3, 1)))
            payment.refunds.append(refund)
            money = f"amount={major(refund.amount, payment.currency)} {payment.currency}"
            said = f"PAYMENT.{kind}.REFUNDED {refund.ref} {of} {money}"
            if kind == "CAPTURE" and life.chance():
                life.tell(f"{said} status=PENDING")
                life.later()
                refund.status = life.pick(("pending", "succeeded", "failed"))
                word = {"pending": "PENDING", "succeeded": "COMPLETED", "failed": "FAILED"}
                life.tell(f"{said} status={word[refund.status]}")
            else:
                life.tell(said)
        else:
            _loss(life, payment, kind, of)


def _loss(life: Life, payment: Payment, kind: str, of: str) -> None:
    """A case, a reversal, or both of them about the same money."""
    dispute = Dispute(payment.amount, gone=True)
    payment.disputes.append(dispute)
    money = f"amount={major(dispute.amount, payment.currency)} {payment.currency}"
    case = life.ref("PP-D-")
    said = f"{case} transaction={payment.ref} {money}"
    by = life.pick(({"case"}, {"reversal"}, {"case", "reversal"}))
    if "case" in by:
        inquiry = life.chance()
        dispute.gone = not inquiry
        stage = "INQUIRY" if inquiry else "CHARGEBACK"
        life.tell(f"CUSTOMER.DISPUTE.CREATED {said} stage={stage}")
        life.later()
    if "reversal" in by:
        dispute.gone = True
        life.tell(f"PAYMENT.{kind}.REVERSED {life.ref('REVERSAL')} {of} {money}")
        life.later()
    if "case" in by and life.chance():
        outcome = "RESOLVED_BUYER_FAVOUR"
        if "reversal" not in by and life.chance():
            outcome = "RESOLVED_SELLER_FAVOUR"
        dispute.gone = outcome == "RESOLVED_BUYER_FAVOUR"
        life.tell(f"CUSTOMER.DISPUTE.RESOLVED {said} outcome={outcome}")
