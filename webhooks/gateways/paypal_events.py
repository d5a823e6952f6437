"""What PayPal's events say: the table of types, each with what happens and the code that reads it.

Subscriptions come as ``subscription`` (v2, ``status``) or as the older ``Agreement`` (v1,
``state``), payments as v1 sales and captures (``state``, ``amount.total``) or v2 captures
(``status``, ``amount.value``); which it is, the keys tell. PayPal makes no invoice for a
subscription's payments, so that each payment is one here.
"""

from typing import Any

from billing.facts import Reading
from webhooks.gateways import paypal_invoices as invoices
from webhooks.gateways import paypal_payments as payments
from webhooks.gateways import paypal_subscriptions as subscriptions
from webhooks.gateways.base import Tracked, _
from webhooks.gateways.paypal_resources import Event
from webhooks.gateways.values import table, text


def read(payload: dict[str, Any]) -> Reading:
    """What an event says; raises `PayloadError` where a value cannot be what it should be."""
    event_type = text(payload, "event_type") or ""
    tracked = EVENTS.get(event_type)
    if tracked is None:
        return Reading(ignored=_("this type changes nothing"))
    return tracked.read(Event(payload, table(payload, "resource"), STEPS[event_type]))


def _order(event: Event) -> Reading:
    return Reading(ignored=_("an approval, which moves no money"))


# https://developer.paypal.com/api/rest/webhooks/event-names/
# In the order of an object's life: of two events of one moment the later line wins a tie.
EVENTS = {
    "CHECKOUT.ORDER.APPROVED": Tracked(_("Logged: no money yet"), _order),
    "CHECKOUT.ORDER.COMPLETED": Tracked(_("Logged: the capture says it"), _order),
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": Tracked(_("Logged: no money moved"), _order),
    "BILLING.SUBSCRIPTION.CREATED": Tracked(
        _("Subscription initiated"), subscriptions.subscription
    ),
    "BILLING.SUBSCRIPTION.ACTIVATED": Tracked(
        _("Subscription confirmed"), subscriptions.subscription
    ),
    "BILLING.SUBSCRIPTION.RE-ACTIVATED": Tracked(
        _("Subscription confirmed again"), subscriptions.subscription
    ),
    "BILLING.SUBSCRIPTION.UPDATED": Tracked(_("Subscription changed"), subscriptions.subscription),
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": Tracked(
        _("Payment failed and notification sent"), subscriptions.subscription_payment_failed
    ),
    "BILLING.SUBSCRIPTION.SUSPENDED": Tracked(
        _("Subscription suspended"), subscriptions.subscription
    ),
    "BILLING.SUBSCRIPTION.CANCELLED": Tracked(
        _("Subscription cancelled"), subscriptions.subscription
    ),
    "BILLING.SUBSCRIPTION.EXPIRED": Tracked(_("Subscription expired"), subscriptions.subscription),
    "PAYMENT.SALE.PENDING": Tracked(_("Payment pending"), payments.payment),
    "PAYMENT.SALE.COMPLETED": Tracked(_("Payment received"), payments.payment),
    "PAYMENT.SALE.DENIED": Tracked(
        _("Payment denied and notification sent"), payments.denied_payment
    ),
    "PAYMENT.SALE.REFUNDED": Tracked(_("Refund recorded"), payments.refund),
    "PAYMENT.SALE.REVERSED": Tracked(_("Reversal recorded as disputed"), payments.reversal),
    "PAYMENT.CAPTURE.PENDING": Tracked(_("Payment pending"), payments.payment),
    "PAYMENT.CAPTURE.COMPLETED": Tracked(_("Payment received"), payments.payment),
    "PAYMENT.CAPTURE.DENIED": Tracked(
        _("Payment denied and notification sent"), payments.denied_payment
    ),
    "PAYMENT.CAPTURE.DECLINED": Tracked(
        _("Payment denied and notification sent"), payments.denied_payment
    ),
    "PAYMENT.CAPTURE.REFUNDED": Tracked(_("Refund recorded"), payments.refund),
    "PAYMENT.CAPTURE.REVERSED": Tracked(_("Reversal recorded as disputed"), payments.reversal),
    "INVOICING.INVOICE.CREATED": Tracked(_("Invoice drafted"), invoices.invoice),
    "INVOICING.INVOICE.SCHEDULED": Tracked(_("Invoice drafted"), invoices.invoice),
    "INVOICING.INVOICE.UPDATED": Tracked(_("Invoice refreshed"), invoices.invoice),
    "INVOICING.INVOICE.PAID": Tracked(_("Invoice paid, or paid in part"), invoices.invoice),
    "INVOICING.INVOICE.CANCELLED": Tracked(_("Invoice void"), invoices.invoice),
    "INVOICING.INVOICE.REFUNDED": Tracked(_("Refund counted"), invoices.invoice),
    "CUSTOMER.DISPUTE.CREATED": Tracked(_("Dispute recorded"), payments.dispute),
    "CUSTOMER.DISPUTE.UPDATED": Tracked(_("Dispute refreshed"), payments.dispute),
    "CUSTOMER.DISPUTE.RESOLVED": Tracked(_("Dispute won or lost"), payments.dispute),
}
STEPS = {event_type: step for step, event_type in enumerate(EVENTS)}
