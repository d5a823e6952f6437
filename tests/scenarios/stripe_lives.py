"""What may happen to a customer of Stripe."""

from tests.scenarios.lives import (
    REPORTS,
    STRIPE_CURRENCIES,
    Dispute,
    Invoice,
    Life,
    Payment,
    Refund,
    major,
)


def customer(life: Life) -> None:
    """One customer: perhaps a subscription, a few invoices and one-off payments."""
    ref, currency = life.ref("cus_"), life.pick(STRIPE_CURRENCIES)
    if life.chance():
        life.tell(f"customer.created {ref}{life.tenant()}")
    subscription = ""
    if life.chance():
        subscription = life.ref("sub_")
        life.tell(
            f"customer.subscription.created {subscription} customer={ref} plan=basic{life.tenant()}"
        )
    for _ in range(life.pick((3, 2, 1))):
        life.later()
        if life.pick((True, True, True, False)):
            _invoice(life, ref, subscription, currency)
        else:
            _one_off(life, ref, currency)
    if subscription:
        _end_of(life, subscription)


def _end_of(life: Life, subscription: str) -> None:
    life.later()
    status = life.pick(("active", "past_due", "trialing"))
    life.tell(f"customer.subscription.updated {subscription} status={status} quantity=3")
    if life.chance():
        life.later()
        life.tell(f"customer.subscription.deleted {subscription}")


def _invoice(life: Life, customer: str, subscription: str, currency: str) -> None:
    ref, amount = life.ref("in_"), life.amount()
    of = f"customer={customer}" + (f" subscription={subscription}" if subscription else "")
    total = f"total={major(amount, currency)} {currency}"
    number = f"number={ref.upper()}"
    if life.chance():
        life.tell(f"invoice.created {ref} {of} {total}{life.tenant()}")
        if life.chance():
            life.later()
            amount = life.amount()
            total = f"total={major(amount, currency)} {currency}"
            life.tell(f"invoice.updated {ref} {total}")
        life.later()
        if life.pick((*[False] * 7, True)):
            life.tell(f"invoice.deleted {ref}")
            if life.chance():
                life.later()
                life.tell(f"invoice.updated {ref}")
            return
    invoice = Invoice(ref, amount, currency, "pending")
    life.invoices.append(invoice)
    intent = life.ref("pi_")
    known = f"invoice.finalized {ref} {of} {total} {number} payment={intent}"
    life.tell(known)
    if life.chance():
        life.tell(f"invoice.updated {ref}{life.tenant()}")
    _credit(life, invoice, customer)
    for attempt in range(1, life.pick((1, 1, 2, 3))):
        life.later()
        charge = life.ref("ch_")
        life.tell(f"invoice.payment_failed {ref} attempts={attempt}")
        if life.chance():
            life.tell(
                f"payment_intent.payment_failed {intent} invoice={ref} customer={customer}"
                f" amount={major(invoice.due, currency)} {currency} charge={charge}"
            )
        if life.chance():
            life.tell(
                f"charge.failed {charge} payment={intent} invoice={ref} customer={customer}"
                f" amount={major(invoice.due, currency)} {currency}"
            )
    life.later()
    end = life.pick((*["paid"] * 6, "open", "void", "uncollectible", "paid late"))
    if end in ("uncollectible", "paid late"):
        life.tell(f"invoice.marked_uncollectible {ref}")
        invoice.status = "void"
        life.later(at_least=1)
    if end == "void":
        life.tell(f"invoice.voided {ref}")
        invoice.status = "void"
    if end in ("paid", "paid late"):
        _pay(life, invoice, intent, customer)
    if end != "paid" and life.chance():
        life.later()
        life.tell(f"invoice.updated {ref}")


def _credit(life: Life, invoice: Invoice, customer: str) -> None:
    """Credit notes before payment, some taken back."""
    while invoice.due > 1 and life.pick((False, False, True)):
        life.later()
        amount = life.amount(invoice.due - 1)
        note = life.ref("cn_")
        said = major(amount, invoice.currency)
        life.tell(
            f"credit_note.created {note} invoice={invoice.ref} customer={customer}"
            f" amount={said} before={said} {invoice.currency}"
        )
        if life.chance():
            life.later()
            life.tell(f"credit_note.voided {note}")
        else:
            invoice.credited += amount


def _pay(life: Life, invoice: Invoice, intent: str, customer: str) -> None:
    ref, currency = invoice.ref, invoice.currency
    invoice.status = "paid"
    if life.pick((*[False] * 7, True)):
        life.tell(f"invoice.paid {ref} out-of-band")
        return
    parts = _parts(life, invoice.due)
    payments = [
        # The intent that the invoice came with is for the whole of it.
        Payment(life.ref("ch_"), part, currency, life.ref("pi_") if parts[1:] else intent, ref)
        for part in parts
    ]
    life.payments += payments
    for payment in payments:
        _paid(life, payment, customer)
    life.tell_some(
        f"invoice.paid {ref} charge={payments[0].ref}",
        f"invoice.payment_succeeded {ref} status=paid",
    )
    for payment in payments:
        _money_back(life, payment, customer)


def _parts(life: Life, due: int) -> list[int]:
    """An invoice may be paid at once or, since basil, in two payments."""
    if due == 1 or life.pick((True, True, False)):
        return [due]
    first = life.amount(due - 1)
    return [first, due - first]


def _paid(life: Life, payment: Payment, customer: str) -> None:
    """A payment of an invoice, and the link between the two."""
    amount = f"amount={major(payment.amount, payment.currency)} {payment.currency}"
    of = f"invoice={payment.invoice} payment={payment.intent}"
    life.tell(f"invoice_payment.paid {life.ref('inpay_')} {of} {amount}")
    if life.chance():
        described = " description=none" if life.chance() else ""
        life.tell(
            f"payment_intent.succeeded {payment.intent} invoice={payment.invoice}"
            f" customer={customer} {amount} charge={payment.ref}{described}"
        )
    _charge(life, payment, customer)


def _charge(life: Life, payment: Payment, customer: str) -> None:
    if life.chance():
        return
    payment.known = True
    of = f" invoice={payment.invoice}" if payment.invoice else ""
    life.tell(
        f"charge.succeeded {payment.ref} payment={payment.intent} customer={customer}{of}"
        f" amount={major(payment.amount, payment.currency)} {payment.currency}"
    )


def _one_off(life: Life, customer: str, currency: str) -> None:
    intent, amount = life.ref("pi_"), life.amount()
    invoice = Invoice(intent, amount, currency, "pending")
    life.invoices.append(invoice)
    money = f"amount={major(amount, currency)} {currency}"
    life.tell(f"payment_intent.processing {intent} customer={customer} {money}{life.tenant()}")
    if life.chance():
        life.later()
        life.tell(f"payment_intent.payment_failed {intent} charge={life.ref('ch_')}")
    life.later()
    end = life.pick(("paid", "paid", "paid", "open", "canceled"))
    if end == "canceled":
        invoice.status = "void"
        life.tell(f"payment_intent.canceled {intent}")
    if end == "paid":
        invoice.status = "paid"
        payment = Payment(life.ref("ch_"), amount, currency, intent)
        life.payments.append(payment)
        total = f"total={major(amount, currency)} {currency}"
        life.tell_some(
            f"payment_intent.succeeded {intent} charge={payment.ref}",
            f"checkout.session.completed {life.ref('cs_')} mode=payment {total}"
            f" payment={intent} customer={customer}{life.tenant('buyer')}",
        )
        _charge(life, payment, customer)
        _money_back(life, payment, customer)


def _money_back(life: Life, payment: Payment, customer: str) -> None:
    # An account may ask for other events from one day on.
    life.reports, life.embedded = life.pick(REPORTS), life.chance()
    for _ in range(life.pick((2, 1, 3, 4, 0))):
        life.later()
        if payment.left and life.pick((True, True, True, False)):
            _refund(life, payment, customer)
        else:
            _dispute(life, payment)


def _refund(life: Life, payment: Payment, customer: str) -> None:
    refund = Refund(life.ref("re_"), life.amount(max(payment.left * 2 // 3, 1)))
    own = "own" in life.reports
    if own and life.chance():
        refund.status = "pending"
    payment.refunds.append(refund)
    amount = f"amount={major(refund.amount, payment.currency)} {payment.currency}"
    of = f"payment={payment.intent} charge={payment.ref} {amount}"
    if own and life.pick((False, False, True)):
        of = f"payment={payment.intent} {amount}"  # made by intent: the charge is not always said
    if own:
        life.tell(f"refund.created {refund.ref} {of} status={refund.status}")
    _sum(life, payment, customer)
    if payment.invoice and life.pick((False, False, True)):
        said = major(refund.amount, payment.currency)
        life.tell(
            f"credit_note.created {life.ref('cn_')} invoice={payment.invoice} customer={customer}"
            f" amount={said} refunds={refund.ref}:{said} {payment.currency}"
        )
    if life.reports == {"sum"} or not life.chance():
        return
    life.later(at_least=1)
    if refund.status == "pending":
        refund.status = life.pick(("succeeded", "failed", "canceled"))
    elif life.chance():
        refund.status = "failed"
    texts = [f"refund.updated {refund.ref}"] if own else []
    if own and refund.status == "failed":
        texts.append(f"refund.failed {refund.ref}")
    if "updated" in life.reports:
        texts.append(f"charge.refund.updated {refund.ref}")
    life.tell_some(*(f"{text} {of} status={refund.status}" for text in texts))
    if refund.status == "failed":
        life.later(at_least=1)  # a sum said in the very second could be from before or after


def _sum(life: Life, payment: Payment, customer: str) -> None:
    """The charge, with what was refunded of it so far."""
    if "sum" not in life.reports:
        return
    payment.known = True
    counted = [one for one in payment.refunds if one.status in ("succeeded", "pending")]
    refunded = major(sum(one.amount for one in counted), payment.currency)
    embedded = ""
    if life.embedded:
        rows = (f"{one.ref}:{major(one.amount, payment.currency)}" for one in payment.refunds)
        embedded = f" refunds={','.join(rows)}"
    of = f" invoice={payment.invoice}" if payment.invoice else ""
    life.tell(
        f"charge.refunded {payment.ref} payment={payment.intent} customer={customer}{of}"
        f" amount={major(payment.amount, payment.currency)} {payment.currency}"
        f" refunded={refunded}{embedded}"
    )


def _dispute(life: Life, payment: Payment) -> None:
    if not payment.known:  # the rest of a payment is known only where the whole is
        payment.known = True
        life.tell(
            f"charge.updated {payment.ref} payment={payment.intent}"
            f" amount={major(payment.amount, payment.currency)} {payment.currency}"
            + (f" invoice={payment.invoice}" if payment.invoice else "")
        )
    ref, dispute = life.ref("dp_"), Dispute(life.amount(payment.amount), gone=True)
    payment.disputes.append(dispute)
    amount = f"amount={major(dispute.amount, payment.currency)} {payment.currency}"
    of = f"{ref} charge={payment.ref} payment={payment.intent} {amount}"
    if life.chance():
        dispute.gone = False
        life.tell(f"charge.dispute.created {of} status=warning_needs_response")
        life.later()
        if life.chance():
            life.tell(f"charge.dispute.closed {of} status=warning_closed")
            return
        dispute.gone = True
        life.tell(f"charge.dispute.updated {of} status=needs_response")
    else:
        life.tell(f"charge.dispute.created {of} status=needs_response")
    if life.chance():
        life.tell(f"charge.dispute.funds_withdrawn {of}")
    life.later()
    end = life.pick(("open", "won", "lost"))
    if end == "open":
        return
    dispute.gone = end == "lost"
    if end == "won" and life.chance():
        life.later(at_least=1)
        life.tell(f"charge.dispute.funds_reinstated {of} status=under_review")
        life.later()
    life.tell(f"charge.dispute.closed {of} status={end}")
