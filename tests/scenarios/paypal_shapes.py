"""PayPal's objects: v1 sales (``amount.total``), v2 captures, subscriptions, invoices and cases."""

from datetime import datetime
from typing import Any

from tests.scenarios.reading import Line
from tests.scenarios.stripe_shapes import line_amounts
from tests.scenarios.units import paypal_amount
from tests.scenarios.world import Thing, World

Payload = dict[str, Any]

API = "https://api.paypal.com"
SUBSCRIPTION_STATUS = {
    "CREATED": "APPROVAL_PENDING",
    "ACTIVATED": "ACTIVE",
    "RE-ACTIVATED": "ACTIVE",
    "SUSPENDED": "SUSPENDED",
    "CANCELLED": "CANCELLED",
    "EXPIRED": "EXPIRED",
    "PAYMENT.FAILED": "ACTIVE",
}
CAPTURE_STATUS = {"DENIED": "DECLINED"}  # as genuine ones say
CASE_STATUS = {"CREATED": "OPEN", "UPDATED": "UNDER_REVIEW", "RESOLVED": "RESOLVED"}


def event(line: Line, world: World, event_id: str) -> Payload:
    thing = world.thing(line)
    subject = next(name for name in WRITERS if line.event_type.startswith(name))
    happened = line.event_type.removeprefix(subject).lstrip(".")
    said, kind, version = WRITERS[subject](thing, happened, line)
    for path, value in line.raw.items():
        *parents, last = path.split(".")
        place = said
        for key in parents:
            place = place[key]
        place[last] = value
    return {
        "id": event_id,
        "create_time": _iso(line.at),
        "resource_type": kind,
        "resource_version": version,
        "event_version": "1.0",
        "event_type": line.event_type,
        "summary": f"{line.event_type} {thing.ref}",
        "resource": said,
        "links": [],
    }


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _v1(thing: Thing, key: str = "amount", sign: str = "") -> Payload:
    said: Payload = {"total": sign + paypal_amount(thing[key]), "currency": thing["currency"]}
    if "tax" in thing:
        said["details"] = {"tax": paypal_amount(thing["tax"])}
    return said


def _v2(thing: Thing, amount: str) -> Payload:
    return {"value": paypal_amount(amount), "currency_code": thing["currency"]}


def _links(**links: str) -> list[Payload]:
    return [{"href": f"{API}{path}", "rel": rel, "method": "GET"} for rel, path in links.items()]


def _times(thing: Thing, line: Line) -> Payload:
    return {"create_time": _iso(thing.created), "update_time": _iso(line.at)}


def _subscription(thing: Thing, happened: str, line: Line) -> tuple[Payload, str, str]:
    if "status" not in line.values:
        thing["status"] = SUBSCRIPTION_STATUS.get(happened) or thing.get("status") or "ACTIVE"
    billing: Payload = {
        "cycle_executions": [
            {
                "tenure_type": "REGULAR",
                "sequence": 1,
                "cycles_completed": int(thing.get("cycles") or 0),
            }
        ],
        "failed_payments_count": int(thing.get("failures") or 0),
    }
    if "next" in thing:
        billing["next_billing_time"] = _iso(thing.time("next"))
    if happened == "PAYMENT.FAILED" and "amount" in thing:
        billing["last_failed_payment"] = {
            "amount": _v2(thing, thing["amount"]),
            "time": _iso(line.at),
            "reason_code": "PAYMENT_DENIED",
        }
    said: Payload = {
        "id": thing.ref,
        "status": thing["status"],
        "plan_id": thing.get("plan") or "P-1",
        "quantity": thing.get("quantity") or "1",
        "billing_info": billing,
        "links": _links(self=f"/v1/billing/subscriptions/{thing.ref}"),
    } | _times(thing, line)
    if "buyer" in thing:
        said["custom_id"] = thing["buyer"]
    if "payer" in thing:
        said["subscriber"] = {
            "payer_id": thing["payer"],
            "email_address": f"{thing['payer'].lower()}@buyer.example",
            "name": {"given_name": "Test", "surname": thing["payer"]},
        }
    return said, "subscription", "2.0"


def _sale(thing: Thing, happened: str, line: Line) -> tuple[Payload, str, str]:
    if happened == "REFUNDED":
        said: Payload = {
            "id": thing.ref,
            "amount": _v1(thing, sign="-"),
            "state": line.values.get("state") or "completed",
            "links": _links(self=f"/v1/payments/refund/{thing.ref}"),
        } | _times(thing, line)
        if "website" not in line.flags:  # refunds made on paypal.com do not name the sale
            said["sale_id"] = thing["sale"]
        return said, "refund", "1.0"
    if happened == "REVERSED":
        said = {
            "id": thing.ref,
            "amount": _v1(thing, "reversed" if "reversed" in thing else "amount", sign="-"),
            "state": "completed",
            "links": _links(self=f"/v1/payments/refund/{thing.ref}"),
        } | _times(thing, line)
        if "sale" in thing:
            said["sale_id"] = thing["sale"]
        return said, "sale", "1.0"
    said = {
        "id": thing.ref,
        "amount": _v1(thing),
        "state": line.values.get("state") or happened.lower(),
        "payment_mode": "INSTANT_TRANSFER",
        "links": _links(self=f"/v1/payments/sale/{thing.ref}"),
        "invoice_number": thing.get("number") or "",
    } | _times(thing, line)
    if "subscription" in thing:
        said["billing_agreement_id"] = thing["subscription"]
    if "buyer" in thing:
        said["custom"] = thing["buyer"]
    return said, "sale", "1.0"


def _capture(thing: Thing, happened: str, line: Line) -> tuple[Payload, str, str]:
    if happened in ("REFUNDED", "REVERSED"):
        said: Payload = {
            "id": thing.ref,
            "amount": _v2(thing, thing["amount"]),
            "status": line.values.get("status") or "COMPLETED",
            "links": _links(
                self=f"/v2/payments/refunds/{thing.ref}",
                up=f"/v2/payments/captures/{thing['capture']}",
            ),
        } | _times(thing, line)
        if "buyer" in thing:
            said["custom_id"] = thing["buyer"]
        return said, "refund", "2.0"
    said = {
        "id": thing.ref,
        "amount": _v2(thing, thing["amount"]),
        "final_capture": True,
        "status": line.values.get("status") or CAPTURE_STATUS.get(happened) or happened,
        "supplementary_data": {"related_ids": {"order_id": f"ORDER{thing.ref}"}},
        "links": _links(self=f"/v2/payments/captures/{thing.ref}"),
    } | _times(thing, line)
    if "number" in thing:
        said["invoice_id"] = thing["number"]
    if "buyer" in thing:
        said["custom_id"] = thing["buyer"]
    return said, "capture", "2.0"


def _invoice(thing: Thing, happened: str, line: Line) -> tuple[Payload, str, str]:
    thing.setdefault("status", "DRAFT")
    said: Payload = {
        "id": thing.ref,
        "status": thing["status"],
        "detail": {
            "currency_code": thing["currency"],
            "invoice_number": thing["number"],
            "metadata": {"create_time": _iso(thing.created)},
        },
        "amount": _v2(thing, thing["total"])
        | {"breakdown": {"tax_total": _v2(thing, thing.get("tax") or "0.00")}},
        "links": _links(self=f"/v2/invoicing/invoices/{thing.ref}"),
    }
    if "payments" in thing:
        said["payments"] = {
            "transactions": [
                {
                    "type": "PAYPAL",
                    "payment_id": ref,
                    "transaction_type": "SALE",
                    "method": "PAYPAL",
                    "amount": _v2(thing, amount),
                    "transaction_status": "SUCCESS",
                }
                for ref, amount in line_amounts(thing["payments"])
            ]
        }
    if "refunded" in thing:
        # Genuine ones name the refund by this key, documented ones by ``refund_id``.
        key = "recipient_transaction_id" if "unnamed" in line.flags else "refund_id"
        rows = line_amounts(thing["refunds"]) if "refunds" in thing else []
        said["refunds"] = {
            "refund_amount": _v2(thing, thing["refunded"]),
            "transactions": [
                {"type": "PAYPAL", key: ref, "amount": _v2(thing, amount)} for ref, amount in rows
            ],
        }
    return {"invoice": said}, "invoices", "2.0"


def _case(thing: Thing, happened: str, line: Line) -> tuple[Payload, str, str]:
    if "status" not in line.values:
        thing["status"] = CASE_STATUS[happened]
    said: Payload = {
        "dispute_id": thing.ref,
        "disputed_transactions": [{"seller_transaction_id": thing["transaction"]}],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": thing["status"],
        "dispute_amount": _v2(thing, thing["amount"]),
        "dispute_life_cycle_stage": thing.get("stage") or "CHARGEBACK",
        "links": [],
    } | _times(thing, line)
    if "outcome" in thing:
        said["dispute_outcome"] = {"outcome_code": thing["outcome"]}
    return said, "dispute", "1.0"


def _order(thing: Thing, happened: str, line: Line) -> tuple[Payload, str, str]:
    return {"id": thing.ref, "status": happened} | _times(thing, line), "checkout-order", "2.0"


WRITERS = {
    "BILLING.SUBSCRIPTION": _subscription,
    "PAYMENT.SALE": _sale,
    "PAYMENT.CAPTURE": _capture,
    "INVOICING.INVOICE": _invoice,
    "CUSTOMER.DISPUTE": _case,
    "CHECKOUT": _order,
}
