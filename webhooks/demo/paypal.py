"""PayPal's side of the demo: subscriptions (v2) and the sales (v1) that pay for them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from webhooks.demo.post import Company, Post, body, identifier

Resource = dict[str, Any]
WEEK = timedelta(days=7)


class Subscriber:
    """One company as a subscriber at PayPal; each method adds the events of one episode."""

    def __init__(self, company: Company) -> None:
        self.posts: list[Post] = []
        self._company = company
        self._sales = 0
        self._subscription: Resource = {}

    def subscribe(self, at: datetime) -> None:
        """Starts a subscription, which its buyer approves a few minutes later."""
        self._subscription = {
            "id": _id("I-", self._company.key),
            "plan_id": _id("P-", self._company.plan),
            "status": "APPROVAL_PENDING",
            "custom_id": self._company.key,
            "quantity": "1",
            "start_time": _time(at),
            "create_time": _time(at),
            "subscriber": {
                "email_address": self._company.billing_email,
                "payer_id": _id("", self._company.key)[:13],
                "name": {"given_name": self._company.name, "surname": "Accounts"},
            },
        }
        self._subscription_event("CREATED", at)
        at += timedelta(minutes=6)
        self._subscription |= {
            "status": "ACTIVE",
            "billing_info": {
                "next_billing_time": _time(at + WEEK),
                "failed_payments_count": 0,
            },
        }
        self._subscription_event("ACTIVATED", at)

    def end(self, at: datetime, status: str) -> None:
        """``CANCELLED`` or ``SUSPENDED``."""
        self._subscription |= {"status": status, "status_update_time": _time(at)}
        self._subscription_event(status, at)

    def sale(self, at: datetime, state: str = "completed") -> Resource:
        """One cycle's payment: ``completed``, or ``pending`` as an eCheck is for days."""
        self._sales += 1
        net = self._company.price_minor
        tax = self._company.tax_minor(net)
        sale = {
            "id": _id("", self._company.key, self._sales),
            "state": state,
            "amount": {
                "total": _amount(net + tax),
                "currency": self._company.currency,
                "details": {"subtotal": _amount(net), "tax": _amount(tax)},
            },
            "billing_agreement_id": self._subscription["id"],
            "custom": self._company.key,
            "invoice_number": "",
            "payment_mode": "ECHECK" if state == "pending" else "INSTANT_TRANSFER",
            "protection_eligibility": "ELIGIBLE",
            "create_time": _time(at),
            "update_time": _time(at),
        }
        self._event(f"PAYMENT.SALE.{state.upper()}", "sale", sale, at)
        return sale

    def settle(self, sale: Resource, at: datetime, state: str) -> None:
        """A pending sale ends as ``completed`` or ``denied``."""
        sale |= {"state": state, "update_time": _time(at)}
        self._event(f"PAYMENT.SALE.{state.upper()}", "sale", sale, at)

    def refund(self, sale: Resource, at: datetime, amount: str) -> None:
        self._give_back("PAYMENT.SALE.REFUNDED", sale, at, amount)

    def reverse(self, sale: Resource, at: datetime) -> None:
        """The buyer's bank takes the payment back."""
        self._give_back("PAYMENT.SALE.REVERSED", sale, at, sale["amount"]["total"])

    def _give_back(self, event_type: str, sale: Resource, at: datetime, amount: str) -> None:
        refund_id = _id("", event_type, sale["id"])
        api = "https://api.sandbox.paypal.com/v1/payments"
        refund = {
            "id": refund_id,
            "sale_id": sale["id"],
            "state": "completed",
            "amount": {"total": f"-{amount}", "currency": self._company.currency},
            "total_refunded_amount": {"value": amount, "currency": self._company.currency},
            "create_time": _time(at),
            "update_time": _time(at),
            "links": [
                {"href": f"{api}/refund/{refund_id}", "rel": "self", "method": "GET"},
                {"href": f"{api}/sale/{sale['id']}", "rel": "sale", "method": "GET"},
            ],
        }
        self._event(event_type, "refund", refund, at)

    def _subscription_event(self, word: str, at: datetime) -> None:
        self._subscription["update_time"] = _time(at)
        self._event(
            f"BILLING.SUBSCRIPTION.{word}", "subscription", self._subscription, at, version="2.0"
        )

    def _event(
        self, event_type: str, kind: str, resource: Resource, at: datetime, version: str = "1.0"
    ) -> None:
        event_id = "WH-" + _id("", event_type, resource["id"], len(self.posts))
        event = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": _time(at),
            "resource_type": kind,
            "resource_version": version,
            "event_type": event_type,
            "summary": f"{event_type.replace('.', ' ').capitalize()}.",
            "resource": resource,
            "links": [],
        }
        self.posts.append(Post("paypal", event_id, at, body(event)))


def _id(prefix: str, *parts: object) -> str:
    return identifier(prefix, "paypal", *parts).upper()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _amount(minor: int) -> str:
    """PayPal's decimal string; all currencies of the demo have cents."""
    return f"{Decimal(minor).scaleb(-2):.2f}"
