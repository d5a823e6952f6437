"""Payload files, written for this project: one customer's life, in every shape it has been sent in.

``stripe/<type>--<shape>.json`` with the shapes ``2017`` (no status, ``date``), ``2022`` and
``basil``, and where they alone differ ``2013``, ``2020`` and ``clover``;
``paypal/<TYPE>--<shape>.json`` with ``v1`` (Agreement, sale, state) and ``v2`` (subscription,
status). A word after the shape tells another case: ``charge.dispute.closed--basil-lost``.
"""

import copy
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

Payload = dict[str, Any]

#: Where each gateway keeps the object that an event is about.
OBJECT_PATH = {"stripe": ("data", "object"), "paypal": ("resource",)}
_files: dict[tuple[str, str], Payload] = {}


def names(gateway: str, of: str = "") -> list[str]:
    """The files of a gateway, or of one event type: ``invoice.paid--basil``."""
    return sorted(
        path.stem
        for path in (FOLDER / gateway).glob("*.json")
        if not of or path.stem.split("--")[0] == of
    )


def load(gateway: str, name: str) -> Payload:
    """The event in a file, fresh, so that a test may change it."""
    key = (gateway, name)
    if key not in _files:
        _files[key] = json.loads((FOLDER / gateway / f"{name}.json").read_text())
    return copy.deepcopy(_files[key])


def thing(gateway: str, event: Payload) -> Payload:
    """The object that an event is about, to be changed in place."""
    for key in OBJECT_PATH[gateway]:
        event = event[key]
    return event


def stripe(name: str, *, event_id: str = "", at: int | None = None, **changes: Any) -> Payload:
    """A Stripe event from its file, with another id, time (seconds) or other fields of its object.

    A field that is ``...`` is taken out.
    """
    event = load("stripe", name)
    event["id"] = event_id or event["id"]
    event["created"] = event["created"] if at is None else at
    _change(thing("stripe", event), changes)
    return event


def paypal(name: str, *, event_id: str = "", at: str = "", **changes: Any) -> Payload:
    """A PayPal event from its file, with another id, time (ISO 8601) or other fields."""
    event = load("paypal", name)
    event["id"] = event_id or event["id"]
    event["create_time"] = at or event["create_time"]
    _change(thing("paypal", event), changes)
    return event


def _change(target: Payload, changes: Payload) -> None:
    for key, value in changes.items():
        if value is ...:
            target.pop(key, None)
        else:
            target[key] = value
