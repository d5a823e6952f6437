"""What Stripe's events say: the table of types, each with what happens and the code that reads it.

The object in an event counts, not the event's type: genuine ``invoice.created`` events already say
paid. Which shape an object has is told by the keys that are there, not by the API version, for both
shapes occur in one payload (https://docs.stripe.com/changelog/basil).
"""

from typing import Any

from billing.facts import Reading
from webhooks.gateways import stripe_invoices as invoices
from webhooks.gateways import stripe_payments as payments
from webhooks.gateways import stripe_refunds as refunds
from webhooks.gateways import stripe_subscriptions as subscriptions
from webhooks.gateways.base import Tracked, _
from webhooks.gateways.values import table, text


def read(payload: dict[str, Any]) -> Reading:
    """What an event says; raises `PayloadError` where a value cannot be what it should be."""
    if payload.get("object") == "v2.core.event":
        return Reading(ignored=_("a thin event carries no object; reading it needs an API key"))
    event_type = text(payload, "type") or ""
    tracked = EVENTS.get(event_type)
    if tracked is None:
        return Reading(ignored=_("this type changes nothing"))
    said = table(payload, "data", "object")
    if "created" not in said and "date" not in said:
        # Objects of some old versions do not say when they were made: then when it was said.
        said = said | {"created": payload.get("created")}
    return tracked.read(said, STEPS[event_type])


# https://docs.stripe.com/api/events/types
# In the order of an object's life: of two events of one second the later line wins a tie.
EVENTS = {
    "customer.created": Tracked(_("Customer recorded"), subscriptions.customer),
    "customer.updated": Tracked(_("Customer refreshed"), subscriptions.customer),
    "customer.deleted": Tracked(_("Customer's rows kept"), subscriptions.customer),
    "checkout.session.completed": Tracked(
        _("New subscription activated"), payments.checkout_session
    ),
    "checkout.session.async_payment_failed": Tracked(
        _("One-off payment still pending, notification sent"), payments.failed_checkout_session
    ),
    "checkout.session.async_payment_succeeded": Tracked(
        _("One-off payment paid"), payments.checkout_session
    ),
    "checkout.session.expired": Tracked(
        _("Pending one-off payment closed"), payments.expired_checkout_session
    ),
    "customer.subscription.created": Tracked(
        _("Subscription record created"), subscriptions.subscription
    ),
    "customer.subscription.trial_will_end": Tracked(
        _("Subscription refreshed"), subscriptions.subscription
    ),
    "customer.subscription.pending_update_applied": Tracked(
        _("Plan changed"), subscriptions.subscription
    ),
    "customer.subscription.pending_update_expired": Tracked(
        _("Plan stays"), subscriptions.subscription
    ),
    "customer.subscription.paused": Tracked(_("Subscription paused"), subscriptions.subscription),
    "customer.subscription.resumed": Tracked(_("Subscription resumed"), subscriptions.subscription),
    "customer.subscription.updated": Tracked(
        _("Plan change or renewal"), subscriptions.subscription
    ),
    "customer.subscription.deleted": Tracked(
        _("Subscription cancelled"), subscriptions.deleted_subscription
    ),
    "invoice.upcoming": Tracked(_("Logged: there is no invoice yet"), invoices.invoice),
    "invoice.created": Tracked(_("Invoice drafted"), invoices.invoice),
    "invoice.finalization_failed": Tracked(
        _("Invoice marked, operators told"), invoices.invoice_finalization_failed
    ),
    "invoice.updated": Tracked(_("Invoice amounts refreshed"), invoices.invoice),
    "invoice.finalized": Tracked(_("Invoice pending"), invoices.invoice),
    "invoice.sent": Tracked(_("Logged: invoice sent"), invoices.invoice),
    "invoice.will_be_due": Tracked(_("Logged: invoice due soon"), invoices.invoice),
    "invoice.overdue": Tracked(_("Invoice marked overdue"), invoices.overdue_invoice),
    "invoice.payment_action_required": Tracked(
        _("Invoice marked: the buyer must act"), invoices.invoice_action_required
    ),
    "invoice.payment_attempt_required": Tracked(
        _("Invoice marked: the buyer must act"), invoices.invoice_action_required
    ),
    "invoice.payment_failed": Tracked(
        _("Payment failed and notification sent"), invoices.invoice_payment_failed
    ),
    "invoice.marked_uncollectible": Tracked(_("Invoice written off"), invoices.invoice),
    "invoice.payment_succeeded": Tracked(_("Invoice paid"), invoices.invoice),
    "invoice.paid": Tracked(_("Invoice paid"), invoices.invoice),
    "invoice.overpaid": Tracked(_("Invoice paid; the excess is credit"), invoices.invoice),
    "invoice.voided": Tracked(_("Invoice void"), invoices.invoice),
    "invoice.deleted": Tracked(_("Draft deleted, never issued"), invoices.deleted_invoice),
    "invoice_payment.paid": Tracked(_("Invoice linked to its payment"), invoices.invoice_payment),
    "payment_intent.processing": Tracked(_("One-off payment pending"), payments.payment_intent),
    "payment_intent.payment_failed": Tracked(
        _("One-off payment still pending, notification sent"), payments.failed_payment_intent
    ),
    "payment_intent.succeeded": Tracked(_("One-off payment paid"), payments.payment_intent),
    "payment_intent.canceled": Tracked(_("One-off payment void"), payments.payment_intent),
    "charge.failed": Tracked(_("Charge linked to its payment"), payments.charge),
    "charge.succeeded": Tracked(_("Charge linked to its payment"), payments.charge),
    "charge.updated": Tracked(_("Charge linked to its payment"), payments.charge),
    "radar.early_fraud_warning.created": Tracked(
        _("Logged with its payment: fraud warning"), payments.fraud_warning
    ),
    "charge.refunded": Tracked(_("Refund counted"), refunds.refunded_charge),
    "refund.created": Tracked(_("Refund recorded"), refunds.refund),
    "refund.updated": Tracked(_("Refund status changed"), refunds.refund),
    "charge.refund.updated": Tracked(_("Refund status changed"), refunds.refund),
    "refund.failed": Tracked(_("Refund taken out again"), refunds.refund),
    "credit_note.created": Tracked(_("Invoice lowered by a credit note"), refunds.credit_note),
    "credit_note.updated": Tracked(_("Credit note refreshed"), refunds.credit_note),
    "credit_note.voided": Tracked(_("Credit note undone"), refunds.voided_credit_note),
    "charge.dispute.created": Tracked(_("Dispute recorded"), refunds.dispute),
    "charge.dispute.updated": Tracked(_("Dispute refreshed"), refunds.dispute),
    "charge.dispute.funds_withdrawn": Tracked(_("Disputed money left"), refunds.funds_withdrawn),
    "charge.dispute.funds_reinstated": Tracked(
        _("Disputed money came back"), refunds.funds_reinstated
    ),
    "charge.dispute.closed": Tracked(_("Dispute won or lost"), refunds.dispute),
}
STEPS = {event_type: step for step, event_type in enumerate(EVENTS)}
