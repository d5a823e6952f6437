"""What may happen to a buyer at PayPal."""

from collections.abc import Sequence

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
        sales = _sales_of_invoice(life, invoice, of)
        life.payments += sales
        _refunds_of_invoice(life, sales, of)


def _sales_of_invoice(life: Life, invoice: Invoice, of: str) -> list[Payment]:
    """PayPal tells that an invoice was paid, or paid in part; and may tell of each sale."""
    parts = [invoice.amount]
    if invoice.amount > 1 and life.pick((False, False, True)):
        first = life.amount(invoice.amount - 1)
        parts = [first, invoice.amount - first]
    sales: list[Payment] = []
    for amount in parts:
        life.later()
        sale = Payment(life.ref("SALE"), amount, invoice.currency, invoice=invoice.ref)
        sales.append(sale)
        status = "PAID" if len(sales) == len(parts) else "PARTIALLY_PAID"
        listed = _listed(sales, invoice.currency)
        life.tell(f"INVOICING.INVOICE.PAID {of} status={status} payments={listed}")
        if life.chance():
            money = f"amount={major(amount, invoice.currency)} {invoice.currency}"
            life.tell(f"PAYMENT.SALE.COMPLETED {sale.ref} {money}{life.tenant('buyer')}")
    return sales


def _listed(things: Sequence[Payment | Refund], currency: str) -> str:
    return ",".join(f"{one.ref}:{major(one.amount, currency)}" for one in things)


def _refunds_of_invoice(life: Life, sales: Sequence[Payment], of: str) -> None:
    by = life.pick(({"sale"}, {"invoice"}, {"sale", "invoice"}))
    unnamed = "" if life.chance() else " unnamed"
    refunds: list[Refund] = []
    for _ in range(life.pick((2, 1, 3, 0))):
        sale = life.pick(sales)
        if not sale.left:
            continue
        life.later()
        refund = Refund(life.ref("REFUND"), life.amount(max(sale.left * 2 // 3, 1)))
        refunds.append(refund)
        sale.refunds.append(refund)
        if "sale" in by:
            money = f"amount={major(refund.amount, sale.currency)} {sale.currency}"
            life.tell(f"PAYMENT.SALE.REFUNDED {refund.ref} sale={sale.ref} {money}")
        if "invoice" in by:
            status = "PARTIALLY_REFUNDED" if any(one.left for one in sales) else "REFUNDED"
            refunded = major(sum(one.amount for one in refunds), sale.currency)
            life.tell(
                f"INVOICING.INVOICE.REFUNDED {of} status={status}"
                f" payments={_listed(sales, sale.currency)}"
                f" refunded={refunded} refunds={_listed(refunds, sale.currency)}{unnamed}"
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
