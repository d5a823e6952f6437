"""Signed posts of Stripe, as large as genuine ones."""

import json
from datetime import UTC, datetime
from itertools import count

from bench.load import request
from bench.servers import ROOT, SECRET
from webhooks.simulator import stripe_headers

#: The size of the genuine events that were collected, in bytes, at the median.
BODY_BYTES = 4800
_numbers = count(1)


def stripe_posts(how_many: int, path: str) -> list[bytes]:
    """As many requests, each of an event of its own, signed now."""
    event = json.loads((ROOT / "tests/payloads/stripe/invoice.paid--basil.json").read_text())
    event["data"]["object"]["metadata"] = {"note": ""}
    padding = BODY_BYTES - len(json.dumps(event))
    event["data"]["object"]["metadata"] = {"note": "x" * padding}
    now = datetime.now(UTC)
    made = []
    for number, _ in zip(_numbers, range(how_many), strict=False):
        event["id"] = f"evt_bench{number:012}"
        event["data"]["object"]["id"] = f"in_bench{number:012}"
        body = json.dumps(event).encode()
        made.append(request("POST", path, stripe_headers(body, SECRET, now), body))
    return made
