"""Stripe's objects, written in the shape of an API version before or since basil.

Since basil (https://docs.stripe.com/changelog/basil) an invoice and its payments no longer name
each other: only ``invoice_payment.paid``, and at times the order reference of the payment intent,
does. Taxes, credit notes, periods and refunds stand elsewhere.
"""

from datetime import datetime
from typing import Any

from tests.scenarios.reading import Line
from tests.scenarios.units import stripe_amount
from tests.scenarios.world import Thing, World

Payload = dict[str, Any]

VERSIONS = {"2022": "2022-08-01", "basil": "2025-11-17.clover"}
# Types that older versions do not send.
SINCE_BASIL = {"invoice_payment.paid"}

INVOICE_STATUS = {
    "created": "draft",
    "finalized": "open",
    "paid": "paid",
    "payment_succeeded": "paid",
    "overpaid": "paid",
    "voided": "void",
    "marked_uncollectible": "uncollectible",
    "deleted": "draft",
}
INTENT_STATUS = {
    "created": "requires_payment_method",
    "processing": "processing",
    "succeeded": "succeeded",
    "payment_failed": "requires_payment_method",
    "canceled": "canceled",
}
SUBSCRIPTION_STATUS = {"deleted": "canceled", "paused": "paused", "resumed": "active"}
DISPUTE_STATUS = {"created": "needs_response"}
SESSION = {  # status, payment_status
    "completed": ("complete", "paid"),
    "async_payment_succeeded": ("complete", "paid"),
    "async_payment_failed": ("complete", "unpaid"),
    "expired": ("expired", "unpaid"),
}


def event(line: Line, world: World, shape: str, event_id: str) -> Payload | None:
    """The event of a line, or ``None`` where this shape has no such event."""
    shape = next((flag[1:] for flag in line.flags if flag.startswith("@")), shape)
    if shape == "2022" and line.event_type in SINCE_BASIL:
        return None
    subject, _, happened = line.event_type.rpartition(".")
    thing = world.thing(line)
    write = WRITERS.get(line.event_type) or WRITERS.get(subject) or _other
    said = write(thing, happened, line, world, shape)
    for path, value in line.raw.items():
        _put(said, path, value)
    return {
        "id": event_id,
        "object": "event",
        "api_version": VERSIONS[shape],
        "created": _epoch(line.at),
        "data": {"object": said},
        "livemode": "live" in line.flags,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": line.event_type,
    }


def _put(said: Payload, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for key in parents:
        said = said[key]
    said[last] = value


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


def _time(thing: Thing, key: str) -> int | None:
    return _epoch(thing.time(key)) if key in thing else None


def _common(thing: Thing, kind: str, line: Line) -> Payload:
    metadata = {"tenant_id": thing["tenant"]} if "tenant" in thing else {}
    return {
        "id": thing.ref,
        "object": kind,
        "created": _epoch(thing.created),
        "livemode": "live" in line.flags,
        "metadata": metadata,
    }


def _money(thing: Thing, key: str, default: str = "0") -> int:
    return stripe_amount(thing.get(key) or default, thing["currency"])


def _invoice(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    if "status" not in line.values:
        thing["status"] = INVOICE_STATUS.get(happened) or thing.get("status") or "open"
    status = thing["status"]
    if status == "paid":
        thing.setdefault("paid_at", line.at.isoformat())
    if happened == "payment_failed":
        thing["attempts"] = line.values.get("attempts") or str(int(thing.get("attempts") or 0) + 1)
    total, tax = _money(thing, "total"), _money(thing, "tax")
    paid = total if status == "paid" and happened != "out_of_band" else 0
    of_subscription = "subscription" in thing
    said = _common(thing, "invoice", line) | {
        "amount_due": total,
        "amount_paid": paid,
        "amount_remaining": total - paid,
        "attempt_count": int(thing.get("attempts") or 0),
        "attempted": bool(thing.get("attempts")),
        "auto_advance": status == "open",
        "billing_reason": "subscription_cycle" if of_subscription else "manual",
        "collection_method": "charge_automatically",
        "currency": thing["currency"].lower(),
        "customer": thing.get("customer"),
        "due_date": _time(thing, "due"),
        "lines": {"object": "list", "data": [], "has_more": False},
        "next_payment_attempt": _time(thing, "next") if status == "open" else None,
        # A draft has no number yet.
        "number": thing.get("number") if status != "draft" else None,
        "period_start": _epoch(thing.created),
        "period_end": _epoch(thing.created),
        "status": status,
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": _time(thing, "paid_at") if status == "paid" else None,
            "voided_at": None,
        },
        "subtotal": total - tax,
        "total": total,
        "total_excluding_tax": total - tax,
    }
    tenant = said["metadata"] if of_subscription else {}
    if of_subscription:
        said["metadata"] = {}
    if shape == "basil":
        details = {"metadata": tenant, "subscription": thing.get("subscription")}
        said |= {
            "amount_overpaid": 0,
            "parent": {"subscription_details": details, "type": "subscription_details"}
            if of_subscription
            else None,
            "total_taxes": [{"amount": tax, "tax_behavior": "exclusive"}] if "tax" in thing else [],
        }
    else:
        said |= {
            "charge": thing.get("charge"),
            "discount": None,
            "paid": status == "paid",
            "paid_out_of_band": "out-of-band" in line.flags,
            "payment_intent": thing.get("payment"),
            "subscription": thing.get("subscription"),
            "subscription_details": {"metadata": tenant},
            "tax": tax if "tax" in thing else None,
            "total_tax_amounts": [{"amount": tax, "inclusive": False}] if "tax" in thing else [],
        }
    return said


def _invoice_payment(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    paid_by = {"payment_intent": thing["payment"], "type": "payment_intent"}
    if "payment" not in thing:
        paid_by = {"charge": thing["charge"], "type": "charge"}
    return _common(thing, "invoice_payment", line) | {
        "amount_paid": _money(thing, "amount"),
        "amount_requested": _money(thing, "amount"),
        "currency": thing["currency"].lower(),
        "invoice": thing["invoice"],
        "is_default": True,
        "payment": paid_by,
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": _epoch(line.at)},
    }


def _customer(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    return _common(thing, "customer", line) | {
        "email": thing.get("email"),
        "name": thing.get("name"),
        "currency": None,
        "delinquent": False,
    }


def _subscription(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    if "status" not in line.values:
        thing["status"] = SUBSCRIPTION_STATUS.get(happened) or thing.get("status") or "active"
    if happened == "deleted":
        thing.setdefault("ended", line.at.isoformat())
    quantity = int(thing.get("quantity") or 1)
    period = {
        "current_period_start": _time(thing, "from"),
        "current_period_end": _time(thing, "until"),
    }
    price = {"id": thing.get("plan") or "price_1", "object": "price", "nickname": None}
    item = {"id": "si_1", "object": "subscription_item", "price": price, "quantity": quantity}
    said = _common(thing, "subscription", line) | {
        "cancel_at": _time(thing, "cancels"),
        "cancel_at_period_end": "cancel-at-end" in line.flags,
        "canceled_at": _time(thing, "ended"),
        "customer": thing.get("customer"),
        "ended_at": _time(thing, "ended"),
        "items": {"object": "list", "data": [item]},
        "status": thing["status"],
        "trial_end": None,
    }
    if shape == "basil":
        item |= period
    else:
        plan = {"id": price["id"], "object": "plan", "nickname": None}
        item["plan"] = plan
        said |= period | {"plan": plan, "quantity": quantity}
    return said


def _session(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    status, payment_status = SESSION[happened]
    currency = thing.get("currency")
    total = _money(thing, "total") if "total" in thing else None
    return _common(thing, "checkout.session", line) | {
        "amount_subtotal": total,
        "amount_total": total,
        "client_reference_id": thing.get("buyer"),
        "currency": currency.lower() if currency else None,
        "customer": thing.get("customer"),
        "customer_details": {"email": thing.get("email"), "name": thing.get("name")},
        "customer_email": None,
        "invoice": thing.get("invoice"),
        "mode": thing.get("mode") or "subscription",
        "payment_intent": thing.get("payment"),
        "payment_status": line.values.get("paid") or payment_status,
        "status": line.values.get("status") or status,
        "subscription": thing.get("subscription"),
        "total_details": {
            "amount_discount": 0,
            "amount_shipping": 0,
            "amount_tax": _money(thing, "tax") if "tax" in thing else 0,
        },
    }


def _intent(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    if "status" not in line.values:
        thing["status"] = INTENT_STATUS.get(happened) or thing.get("status") or "processing"
    described = thing.get("description")
    if described is None and "invoice" in thing:
        described = "Payment for Invoice"
    amount = _money(thing, "amount")
    said = _common(thing, "payment_intent", line) | {
        "amount": amount,
        "amount_received": amount if thing["status"] == "succeeded" else 0,
        "currency": thing["currency"].lower(),
        "customer": thing.get("customer"),
        "description": described if described != "none" else None,
        "last_payment_error": None,
        "latest_charge": thing.get("charge"),
        "status": thing["status"],
    }
    if shape == "2022":
        charges = [{"id": thing["charge"], "object": "charge"}] if "charge" in thing else []
        said |= {"invoice": thing.get("invoice"), "charges": {"object": "list", "data": charges}}
    elif "ordered" in line.flags:
        said["payment_details"] = {"customer_reference": None, "order_reference": thing["invoice"]}
    return said


def _charge(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    amount, refunded = _money(thing, "amount"), _money(thing, "refunded")
    said = _common(thing, "charge", line) | {
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": refunded,
        "captured": True,
        "currency": thing["currency"].lower(),
        "customer": thing.get("customer"),
        "description": None,
        "disputed": False,
        "paid": happened != "failed",
        "payment_intent": thing.get("payment"),
        "refunded": refunded == amount,
        "status": "failed" if happened == "failed" else "succeeded",
    }
    if shape == "2022":
        said["invoice"] = thing.get("invoice")
        if "refunds" in line.values:
            said["refunds"] = {
                "object": "list",
                "data": [
                    _refund(world.named(ref, amount, thing), "created", line, world, shape)
                    for ref, amount in line_amounts(line.values["refunds"])
                ],
            }
    return said


def line_amounts(text: str) -> list[tuple[str, str]]:
    """``re_1:10.00,re_2:5.00`` as pairs."""
    return [(ref, amount) for ref, _, amount in (one.partition(":") for one in text.split(","))]


def _refund(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    if happened == "failed":
        thing["status"] = "failed"
    return _common(thing, "refund", line) | {
        "amount": _money(thing, "amount"),
        "balance_transaction": None,
        "charge": thing.get("charge"),
        "currency": thing["currency"].lower(),
        "payment_intent": thing.get("payment"),
        "reason": None,
        "status": thing.get("status") or "succeeded",
    }


def _credit_note(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    if happened == "voided":
        thing["status"] = "void"
    amount, before = _money(thing, "amount"), _money(thing, "before")
    refunds = line_amounts(thing["refunds"]) if "refunds" in thing else []
    said = _common(thing, "credit_note", line) | {
        "amount": amount,
        "currency": thing["currency"].lower(),
        "customer": thing.get("customer"),
        "invoice": thing["invoice"],
        "number": f"{thing.ref}-CN",
        "out_of_band_amount": _money(thing, "outside") if "outside" in thing else None,
        "status": thing.get("status") or "issued",
        "subtotal": amount,
        "total": amount,
        # Stripe still calls a note of both kinds by what it did first.
        "type": "pre_payment" if before else "post_payment",
        "voided_at": None,
    }
    if shape == "basil":
        said |= {
            "pre_payment_amount": before,
            "post_payment_amount": amount - before,
            "refunds": [
                {"refund": ref, "amount_refunded": stripe_amount(refunded, thing["currency"])}
                for ref, refunded in refunds
            ],
            "total_taxes": [],
        }
    else:
        said |= {"refund": refunds[0][0] if refunds else None, "tax_amounts": []}
    return said


def _dispute(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    thing.setdefault("status", DISPUTE_STATUS["created"])
    return _common(thing, "dispute", line) | {
        "amount": _money(thing, "amount"),
        "balance_transactions": [],
        "charge": thing.get("charge"),
        "currency": thing["currency"].lower(),
        "is_charge_refundable": thing["status"].startswith("warning"),
        "payment_intent": thing.get("payment"),
        "reason": "fraudulent",
        "status": thing["status"],
    }


def _other(thing: Thing, happened: str, line: Line, world: World, shape: str) -> Payload:
    return _common(thing, line.event_type.rpartition(".")[0], line)


WRITERS = {
    "invoice": _invoice,
    "invoice_payment": _invoice_payment,
    "customer": _customer,
    "customer.subscription": _subscription,
    "checkout.session": _session,
    "payment_intent": _intent,
    "charge": _charge,
    "charge.refund.updated": _refund,
    "charge.refund": _refund,
    "refund": _refund,
    "credit_note": _credit_note,
    "charge.dispute": _dispute,
}
