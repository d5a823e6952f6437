"""Stripe's checkout sessions, payment intents and charges."""

from dataclasses import replace
from datetime import datetime

from billing.facts import (
    CustomerFact,
    Fact,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
    SubscriptionFact,
    SubscriptionStatus,
)
from billing.money import Money
from webhooks.gateways.base import PayloadError, _
from webhooks.gateways.stripe_metadata import browser_tenant, tenants
from webhooks.gateways.values import (
    Payload,
    integer,
    ref,
    required_epoch,
    required_ref,
    rows,
    stripe_money,
    table,
    text,
)

# https://docs.stripe.com/payments/paymentintents/lifecycle
# A method that is still asked for was not paid, and may be tried again: pending.
INTENT_STATUS = {"succeeded": InvoiceStatus.PAID, "canceled": InvoiceStatus.VOID}
# What Stripe itself writes as the description of a payment intent that it makes for an invoice.
INVOICE_DESCRIPTIONS = ("Subscription creation", "Subscription update", "Payment for Invoice")


def checkout_session(session: Payload, step: int, *failed: Fact) -> Reading:
    """A buyer finished a checkout: ties our tenant to the gateway's customer and subscription."""
    customer_ref = ref(session, "customer")
    subscription_ref = ref(session, "subscription")
    invoice_ref = ref(session, "invoice")
    intent_ref = ref(session, "payment_intent")
    facts: list[Fact] = [
        *tenants(table(session, "metadata")),
        *browser_tenant(session),
    ]
    if customer_ref is not None:
        details = table(session, "customer_details")
        facts.append(
            CustomerFact(
                ref=customer_ref,
                step=step,
                hint=True,
                email=text(details, "email") or text(session, "customer_email"),
                name=text(details, "name"),
            )
        )
    if subscription_ref is not None:
        settled = session.get("payment_status") in ("paid", "no_payment_required")
        facts.append(
            SubscriptionFact(
                ref=subscription_ref,
                step=step,
                hint=True,
                status=SubscriptionStatus.ACTIVE if settled else SubscriptionStatus.INCOMPLETE,
                customer_ref=customer_ref,
            )
        )
    payment_ref = intent_ref
    if intent_ref is not None and invoice_ref is not None:
        facts.append(
            PaymentFact(
                ref=intent_ref, step=step, invoice_ref=invoice_ref, customer_ref=customer_ref
            )
        )
    elif (
        session.get("mode") == "payment"
        and invoice_ref is None
        and session.get("amount_total") is not None
    ):
        # Where no money was asked for there is no payment intent: the session stands in.
        payment_ref = intent_ref or required_ref(session)
        facts += _one_off(
            payment_ref,
            step,
            money=stripe_money(session, "amount_total"),
            tax_minor=integer(table(session, "total_details"), "amount_tax"),
            status=_session_status(session),
            gateway_status=text(session, "payment_status") or "unpaid",
            customer_ref=customer_ref,
            created_at=required_epoch(session, "created"),
        )
    return Reading(
        refs=Refs(
            customer=customer_ref,
            subscription=subscription_ref,
            invoice=invoice_ref,
            payment=payment_ref,
        ),
        facts=(*facts, *failed),
    )


def _session_status(session: Payload) -> InvoiceStatus:
    if session.get("payment_status") in ("paid", "no_payment_required"):
        return InvoiceStatus.PAID
    if session.get("status") == "expired":
        return InvoiceStatus.VOID
    return InvoiceStatus.PENDING


def failed_checkout_session(session: Payload, step: int) -> Reading:
    """A payment method that answers days later said no."""
    has_amount = session.get("amount_total") is not None
    failed = FailureFact(
        invoice_ref=ref(session, "invoice")
        or ref(session, "payment_intent")
        or required_ref(session),
        attempt="checkout",
        money=stripe_money(session, "amount_total") if has_amount else None,
    )
    return checkout_session(session, step, failed)


def expired_checkout_session(session: Payload, step: int) -> Reading:
    if ref(session, "payment_intent") is None:
        return Reading(ignored=_("nothing was asked for before the session expired"))
    return checkout_session(session, step)


def payment_intent(intent: Payload, step: int) -> Reading:
    """A payment. It is an invoice itself where it has none, which may be known only later."""
    intent_ref = required_ref(intent)
    customer_ref = ref(intent, "customer")
    invoice_ref = ref(intent, "invoice") or _ordered_invoice(intent)
    money = stripe_money(intent, "amount")
    word = text(intent, "status") or ""
    facts: list[Fact] = [
        PaymentFact(
            ref=intent_ref,
            step=step,
            money=money,
            invoice_ref=invoice_ref,
            customer_ref=customer_ref,
        ),
        *(
            PaymentFact(ref=charge_ref, step=step, intent_ref=intent_ref, customer_ref=customer_ref)
            for charge_ref in _charges(intent)
        ),
        *tenants(table(intent, "metadata")),
    ]
    of_invoice = (text(intent, "description") or "").startswith(INVOICE_DESCRIPTIONS)
    if invoice_ref is None and not of_invoice:
        facts += _one_off(
            intent_ref,
            step,
            money=money,
            status=INTENT_STATUS.get(word, InvoiceStatus.PENDING),
            gateway_status=word,
            customer_ref=customer_ref,
            created_at=required_epoch(intent, "created"),
        )
    return Reading(
        refs=Refs(customer=customer_ref, invoice=invoice_ref, payment=intent_ref),
        facts=tuple(facts),
    )


def failed_payment_intent(intent: Payload, step: int) -> Reading:
    reading = payment_intent(intent, step)
    if not any(isinstance(fact, InvoiceFact) for fact in reading.facts):
        # invoice.payment_failed tells of it.
        return reading
    failed = FailureFact(
        invoice_ref=required_ref(intent),
        attempt=(_charges(intent) or ["1"])[-1],
        money=stripe_money(intent, "amount"),
    )
    return replace(reading, facts=(*reading.facts, failed))


def _ordered_invoice(intent: Payload) -> str | None:
    """Since clover a payment intent names its invoice as the order that it pays."""
    order = ref(table(intent, "payment_details"), "order_reference")
    return order if order is not None and order.startswith("in_") else None


def _charges(intent: Payload) -> list[str]:
    """The charges that a payment intent names: all before 2022-11-15, the latest since."""
    named = [ref(charge, "id") for charge in rows(intent, "charges")]
    return [charge_ref for charge_ref in [*named, ref(intent, "latest_charge")] if charge_ref]


def _one_off(
    payment_ref: str,
    step: int,
    *,
    money: Money,
    status: InvoiceStatus,
    gateway_status: str,
    customer_ref: str | None,
    created_at: datetime,
    tax_minor: int | None = None,
) -> list[Fact]:
    """A payment without an invoice, as one: until something names another."""
    if tax_minor is not None and not 0 <= tax_minor <= money.minor:
        raise PayloadError("tax is negative, or more than the total that includes it")
    return [
        InvoiceFact(
            ref=payment_ref,
            step=step,
            money=money,
            tax_minor=tax_minor,
            status=status,
            gateway_status=gateway_status,
            customer_ref=customer_ref,
            created_at=created_at,
        ),
        PaymentFact(
            ref=payment_ref,
            step=step,
            hint=True,
            money=money,
            invoice_ref=payment_ref,
            customer_ref=customer_ref,
        ),
    ]


def charge(charge: Payload, step: int) -> Reading:
    """What a charge belongs to; by itself it is no revenue."""
    customer_ref, invoice_ref = ref(charge, "customer"), ref(charge, "invoice")
    charge_ref, intent_ref = required_ref(charge), ref(charge, "payment_intent")
    facts: list[Fact] = [
        PaymentFact(
            ref=charge_ref,
            step=step,
            money=stripe_money(charge, "amount"),
            intent_ref=intent_ref,
            invoice_ref=invoice_ref,
            customer_ref=customer_ref,
        ),
        *tenants(table(charge, "metadata")),
    ]
    if intent_ref is not None:
        # A refund may name the intent only.
        facts.append(
            PaymentFact(
                ref=intent_ref, step=step, invoice_ref=invoice_ref, customer_ref=customer_ref
            )
        )
    return Reading(
        refs=Refs(customer=customer_ref, invoice=invoice_ref, payment=charge_ref),
        facts=tuple(facts),
    )


def fraud_warning(warning: Payload, step: int) -> Reading:
    """Says that a payment may be fraud; shown with the payment, and moves no money."""
    charge_ref = required_ref(warning, "charge")
    intent_ref = ref(warning, "payment_intent")
    return Reading(
        refs=Refs(payment=charge_ref),
        facts=(PaymentFact(ref=charge_ref, step=step, intent_ref=intent_ref),),
    )
