"""Every type of event that is acted on has a payload file, and says the same in every shape."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import transaction

from billing.facts import Fact, PaymentFact, Reading, RefundFact, TenantFact
from billing.totals import discrepancies
from tests import inbox, payloads
from tests.ledger_state import snapshot
from tests.payloads import Payload
from tests.webhooks.gateways.said import totals
from webhooks.gateways import paypal_events, stripe_events
from webhooks.gateways.base import Tracked

EVENTS: dict[str, Mapping[str, Tracked]] = {
    "stripe": stripe_events.EVENTS,
    "paypal": paypal_events.EVENTS,
}
READ = {"stripe": stripe_events.read, "paypal": paypal_events.read}
SHAPES = {"stripe": ["basil", "2022", "2017"], "paypal": ["v2", "v1"]}
TYPE_FIELD = {"stripe": "type", "paypal": "event_type"}
TYPES = [(gateway, event_type) for gateway, events in EVENTS.items() for event_type in events]
FILES = [(gateway, name) for gateway in EVENTS for name in payloads.names(gateway)]

# What a shape has no field for, or another word.
LACKS = {"2017": {"paid_at", "name"}, "v1": {"quantity", "gateway_status"}}
# In 2017 an invoice was never a draft, and a charge had its refunds in it.
OTHERWISE = {"invoice.created--2017"}
SAYS_MORE: dict[str, type[Fact]] = {"charge.refunded--2017": RefundFact}


def in_shapes(gateway: str, event_type: str) -> list[str]:
    """The files of a type that differ in shape only, the newest first."""
    found = payloads.names(gateway, event_type)
    names = [f"{event_type}--{shape}" for shape in SHAPES[gateway]]
    return [name for name in names if name in found and name not in OTHERWISE]


@pytest.mark.parametrize(("gateway", "event_type"), TYPES)
def test_every_type_that_is_acted_on_has_a_payload_file(gateway: str, event_type: str) -> None:
    assert payloads.names(gateway, event_type)


@pytest.mark.parametrize(("gateway", "name"), FILES)
def test_a_file_is_named_by_the_type_that_is_in_it(gateway: str, name: str) -> None:
    event_type, _ = name.split("--")
    assert payloads.load(gateway, name)[TYPE_FIELD[gateway]] == event_type
    assert event_type in EVENTS[gateway]


@pytest.mark.parametrize("gateway", sorted(EVENTS))
def test_no_two_files_have_the_same_event_id(gateway: str) -> None:
    ids = [payloads.load(gateway, name)["id"] for name in payloads.names(gateway)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("gateway", "event_type"),
    [
        (gateway, event_type)
        for gateway, event_type in TYPES
        if len(in_shapes(gateway, event_type)) > 1
    ],
)
def test_every_shape_gives_the_same_projection(gateway: str, event_type: str) -> None:
    newest, *older = in_shapes(gateway, event_type)
    said = READ[gateway](payloads.load(gateway, newest))
    for name in older:
        reading = READ[gateway](payloads.load(gateway, name))
        left_out = LACKS.get(name.split("--")[1], set())
        assert projection(reading, left_out, SAYS_MORE.get(name)) == projection(said, left_out)
        assert reading.refs.customer == said.refs.customer
        assert reading.ignored == said.ignored


def projection(
    reading: Reading, left_out: set[str], more: type[Fact] | None = None
) -> list[dict[str, Any]]:
    """What is said of objects themselves; which payment belongs to what differs by shape.

    Where the tenant stands differs too: an invoice of 2017 has it on its lines only.
    """
    kinds = (PaymentFact, TenantFact, *([more] if more else []))
    return [
        {"kind": type(fact).__name__}
        | {name: value for name, value in dataclasses.asdict(fact).items() if name not in left_out}
        for fact in reading.facts
        if not isinstance(fact, kinds)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("gateway", "event_type"), TYPES)
def test_every_shape_counts_the_same_on_the_cards(gateway: str, event_type: str) -> None:
    first, *others = [
        alone(payloads.load(gateway, name)) for name in in_shapes(gateway, event_type)
    ]
    assert all(other == first for other in others)


def alone(event: Payload) -> dict[str, int]:
    """The totals once this event alone has arrived."""
    with transaction.atomic():
        (arrived,) = inbox.arrive(event)
        assert arrived.state in ("processed", "unmatched", "ignored"), arrived.reason
        assert discrepancies() == []
        state = snapshot()
        transaction.set_rollback(True)
    return totals(state)
