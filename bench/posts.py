"""Signed posts of Stripe, as large as genuine ones."""

import json
from datetime import UTC, datetime
from itertools import count

from bench.load import request
from bench.servers import ROOT, SECRET
from webhooks.simulator import stripe_headers

#: The size of the genuine events that were collected, in bytes, at the median.
BODY_BYTES = 4800
#: Whose invoices they are, in turn.
CUSTOMERS = 10_000


def stripe_posts(how_many: int, path: str) -> list[bytes]:
    """As many requests, each of an event of its own, signed now."""
    now = datetime.now(UTC)
    bodies = (stripe_body(next(_numbers)) for _ in range(how_many))
    return [request("POST", path, stripe_headers(body, SECRET, now), body) for body in bodies]


def stripe_body(number: int) -> bytes:
    """An event that an invoice was paid; a genuine one with ids of its own, and padded."""
    _event["id"] = f"evt_bench{number:012}"
    _invoice["id"] = f"in_bench{number:012}"
    _invoice["customer"] = f"cus_bench{number % CUSTOMERS:012}"
    _invoice["parent"]["subscription_details"]["subscription"] = f"sub_{_invoice['customer']}"
    return json.dumps(_event).encode()


_numbers = count(1)
_event = json.loads((ROOT / "tests/payloads/stripe/invoice.paid--basil.json").read_text())
_invoice = _event["data"]["object"]
_invoice["metadata"] = {"note": ""}
_invoice["metadata"]["note"] = "x" * (BODY_BYTES - len(stripe_body(0)))
