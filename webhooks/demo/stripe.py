"""Stripe's side of the demo: the events of a customer's life, in Stripe's two shapes.

https://docs.stripe.com/changelog/basil says what moved between the shapes.
"""

from datetime import datetime, timedelta
from typing import Any

from webhooks.demo.post import Company, Post, body, identifier

Object = dict[str, Any]

OLD_VERSION, NEW_VERSION = "2024-06-20", "2025-08-27.basil"
WEEK = timedelta(days=7)


class Customer:
    """One company as a customer of Stripe; each method adds the events of one episode.

    ``basil`` chooses the newer shape. ``known`` tells Stripe the tenant, as a platform does when it
    creates the customer.
    """

    def __init__(self, company: Company, *, basil: bool = True, known: bool = True) -> None:
        self.posts: list[Post] = []
        self._company = company
        self._basil = basil
        self._price_minor = company.price_minor
        self._metadata = {"tenant_id": company.key} if known else {}
        self._customer = identifier("cus_", company.key)
        self._subscription: Object = {}
        self._invoices = 0

    def subscribe(self, at: datetime) -> None:
        """Buys the plan in a checkout; the first invoice is separate."""
        subscription_id = identifier("sub_", self._company.key)
        self._subscription = {
            "id": subscription_id,
            "object": "subscription",
            "billing_cycle_anchor": _epoch(at),
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "collection_method": "charge_automatically",
            "created": _epoch(at),
            "currency": self._company.currency.lower(),
            "customer": self._customer,
            "ended_at": None,
            "livemode": False,
            "metadata": self._metadata,
            "start_date": _epoch(at),
            "status": "active",
            "trial_end": None,
        }
        self._renew(at)
        self._event("customer.subscription.created", self._subscription, at)
        session = {
            "id": identifier("cs_test_", self._company.key),
            "object": "checkout.session",
            "amount_subtotal": self._price_minor,
            "amount_total": self._price_minor + self._company.tax_minor(self._price_minor),
            "client_reference_id": self._company.key if self._metadata else None,
            "created": _epoch(at - timedelta(minutes=4)),
            "currency": self._company.currency.lower(),
            "customer": self._customer,
            "customer_details": {
                "email": self._company.billing_email,
                "name": self._company.name,
            },
            "livemode": False,
            "metadata": {},
            "mode": "subscription",
            "payment_intent": None,
            "payment_status": "paid",
            "status": "complete",
            "subscription": subscription_id,
        }
        self._event("checkout.session.completed", session, at + timedelta(seconds=2))

    def renew(self, at: datetime) -> None:
        self._renew(at)
        self._event("customer.subscription.updated", self._subscription, at)

    def change_price(self, at: datetime, price_minor: int) -> None:
        self._price_minor = price_minor
        self.renew(at)

    def cancel(self, at: datetime) -> None:
        self._subscription |= {
            "status": "canceled",
            "canceled_at": _epoch(at),
            "ended_at": _epoch(at),
        }
        self._event("customer.subscription.deleted", self._subscription, at)

    def invoice(self, at: datetime) -> Object:
        """Draws up an invoice and finalizes it an hour later."""
        invoice = self._new_invoice(at)
        self._event("invoice.created", invoice, at)
        at += timedelta(hours=1)
        invoice |= {"status": "open", "number": f"{self._number_prefix()}-{self._invoices:04d}"}
        invoice["status_transitions"]["finalized_at"] = _epoch(at)
        self._event("invoice.finalized", invoice, at)
        return invoice

    def pay(self, invoice: Object, at: datetime) -> None:
        invoice |= {
            "status": "paid",
            "amount_paid": invoice["total"],
            "amount_remaining": 0,
            "attempted": True,
            "attempt_count": invoice["attempt_count"] + 1,
            "next_payment_attempt": None,
        }
        invoice["status_transitions"]["paid_at"] = _epoch(at)
        if not self._basil:
            invoice |= {"paid": True, "charge": self._charge_id(invoice)}
        self._event("invoice.payment_succeeded", invoice, at)
        self._event("invoice.paid", invoice, at)
        if self._basil:
            self._event("invoice_payment.paid", self._invoice_payment(invoice, at), at)

    def fail(self, invoice: Object, at: datetime, *, last: bool = False) -> None:
        """An attempt to collect the money fails; Stripe tries again three days later."""
        again = None if last else _epoch(at + timedelta(days=3))
        invoice |= {
            "attempted": True,
            "attempt_count": invoice["attempt_count"] + 1,
            "next_payment_attempt": again,
        }
        self._event("invoice.payment_failed", invoice, at)

    def close(self, invoice: Object, at: datetime, status: str) -> None:
        """Voids an invoice (``void``), or writes it off (``uncollectible``)."""
        event = {"void": "voided", "uncollectible": "marked_uncollectible"}[status]
        invoice |= {"status": status, "next_payment_attempt": None}
        invoice["status_transitions"][f"{event}_at"] = _epoch(at)
        self._event(f"invoice.{event}", invoice, at)

    def refund(
        self, invoice: Object, at: datetime, amount_minor: int, status: str = "succeeded"
    ) -> None:
        """Pays money back; ``failed`` means that the bank sent it back two days later."""
        refund = {
            "id": identifier("re_", invoice["id"]),
            "object": "refund",
            "amount": amount_minor,
            "charge": self._charge_id(invoice),
            "created": _epoch(at),
            "currency": invoice["currency"],
            "metadata": {},
            "payment_intent": self._intent_id(invoice),
            "reason": "requested_by_customer",
            "status": "pending",
        }
        self._event("refund.created", refund, at)
        self._event("charge.refunded", self._charge(invoice, amount_minor), at)
        refund["status"] = "succeeded"
        self._event("refund.updated", refund, at + timedelta(minutes=5))
        if status == "failed":
            refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
            self._event("refund.failed", refund, at + timedelta(days=2))

    def touch(self, at: datetime) -> None:
        """An event of a type that changes nothing here."""
        product = {
            "id": identifier("prod_", self._company.plan),
            "object": "product",
            "active": True,
            "created": _epoch(at),
            "livemode": False,
            "metadata": {},
            "name": self._company.plan,
            "updated": _epoch(at),
        }
        self._event("product.updated", product, at)

    def send_nonsense(self, at: datetime) -> None:
        """An invoice whose amount is a string, which is never guessed at."""
        invoice = self._new_invoice(at)
        invoice |= {"status": "open", "total": str(invoice["total"])}
        self._event("invoice.updated", invoice, at)

    def _renew(self, at: datetime) -> None:
        period = {
            "current_period_start": _epoch(at),
            "current_period_end": _epoch(at + WEEK),
        }
        price = {
            "id": identifier("price_", self._company.plan, self._price_minor),
            "object": "price",
            "active": True,
            "currency": self._company.currency.lower(),
            "nickname": self._company.plan,
            "product": identifier("prod_", self._company.plan),
            "recurring": {"interval": "week", "interval_count": 1},
            "type": "recurring",
            "unit_amount": self._price_minor,
        }
        item = {
            "id": identifier("si_", self._company.key),
            "object": "subscription_item",
            "created": self._subscription["created"],
            "price": price,
            "quantity": 1,
            "subscription": self._subscription["id"],
        }
        if self._basil:
            item |= period
        else:
            self._subscription |= period
        self._subscription["items"] = {"object": "list", "data": [item], "has_more": False}

    def _new_invoice(self, at: datetime) -> Object:
        self._invoices += 1
        net = self._price_minor
        tax = self._company.tax_minor(net)
        invoice: Object = {
            "id": identifier("in_", self._company.key, self._invoices),
            "object": "invoice",
            "amount_due": net + tax,
            "amount_paid": 0,
            "amount_remaining": net + tax,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": True,
            "billing_reason": "subscription_cycle",
            "collection_method": "charge_automatically",
            "created": _epoch(at),
            "currency": self._company.currency.lower(),
            "customer": self._customer,
            "customer_email": self._company.billing_email,
            "customer_name": self._company.name,
            "due_date": None,
            "lines": self._lines(net, at),
            "livemode": False,
            "metadata": {},
            "next_payment_attempt": _epoch(at + timedelta(hours=1)),
            "number": None,
            "period_end": _epoch(at),
            "period_start": _epoch(at - WEEK),
            "status": "draft",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
            "subtotal": net,
            "total": net + tax,
            "total_excluding_tax": net,
        }
        subscription_id = self._subscription.get("id")
        if self._basil:
            invoice["parent"] = {
                "type": "subscription_details",
                "quote_details": None,
                "subscription_details": {
                    "metadata": self._metadata,
                    "subscription": subscription_id,
                },
            }
            invoice["total_taxes"] = [
                {"amount": tax, "tax_behavior": "exclusive", "taxable_amount": net}
            ]
        else:
            invoice |= {
                "charge": None,
                "paid": False,
                "payment_intent": self._intent_id(invoice),
                "subscription": subscription_id,
                "subscription_details": {"metadata": self._metadata},
                "tax": tax,
                "total_tax_amounts": [{"amount": tax, "inclusive": False, "taxable_amount": net}],
            }
        return invoice

    def _lines(self, net_minor: int, at: datetime) -> Object:
        line = {
            "id": identifier("il_", self._company.key, self._invoices),
            "object": "line_item",
            "amount": net_minor,
            "currency": self._company.currency.lower(),
            "description": f"1 × {self._company.plan} (each week)",
            "period": {"start": _epoch(at), "end": _epoch(at + WEEK)},
            "quantity": 1,
        }
        return {"object": "list", "data": [line], "has_more": False, "total_count": 1}

    def _invoice_payment(self, invoice: Object, at: datetime) -> Object:
        """Since basil the only link between an invoice and its payment."""
        return {
            "id": identifier("inpay_", invoice["id"]),
            "object": "invoice_payment",
            "amount_paid": invoice["total"],
            "amount_requested": invoice["total"],
            "created": _epoch(at),
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": self._intent_id(invoice), "type": "payment_intent"},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": _epoch(at)},
        }

    def _charge(self, invoice: Object, refunded_minor: int) -> Object:
        charge = {
            "id": self._charge_id(invoice),
            "object": "charge",
            "amount": invoice["total"],
            "amount_captured": invoice["total"],
            "amount_refunded": refunded_minor,
            "captured": True,
            "created": invoice["status_transitions"]["paid_at"],
            "currency": invoice["currency"],
            "customer": self._customer,
            "livemode": False,
            "metadata": {},
            "paid": True,
            "payment_intent": self._intent_id(invoice),
            "refunded": refunded_minor == invoice["total"],
            "status": "succeeded",
        }
        if not self._basil:
            charge["invoice"] = invoice["id"]
        return charge

    def _charge_id(self, invoice: Object) -> str:
        return identifier("ch_", invoice["id"])

    def _intent_id(self, invoice: Object) -> str:
        return identifier("pi_", invoice["id"])

    def _number_prefix(self) -> str:
        return identifier("", self._company.key)[:8].upper()

    def _event(self, event_type: str, about: Object, at: datetime) -> None:
        event_id = identifier("evt_", event_type, about["id"], len(self.posts))
        event = {
            "id": event_id,
            "object": "event",
            "api_version": NEW_VERSION if self._basil else OLD_VERSION,
            "created": _epoch(at),
            "data": {"object": about},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        self.posts.append(Post("stripe", event_id, at, body(event)))


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
