"""Turns lines into the payloads that the gateways would post."""

from collections.abc import Sequence
from typing import Any

from tests.scenarios import paypal_shapes, stripe_shapes
from tests.scenarios.reading import Line
from tests.scenarios.world import World

Payload = dict[str, Any]


def payloads(lines: Sequence[Line], shape: str) -> list[tuple[str, Payload]]:
    """The events of lines in one of Stripe's shapes, each with its name, in the order given.

    Ids count down, so that the order of ids is not the order of what happened.
    """
    world = World()
    built: list[tuple[str, Payload]] = []
    for place, line in enumerate(lines):
        number = f"{9000 - place:04}"
        event: Payload | None
        if line.gateway == "stripe":
            event = stripe_shapes.event(line, world, shape, f"evt_{number}")
        else:
            event = paypal_shapes.event(line, world, f"WH-{number}")
        if event is not None:
            built.append((line.name or f"{place + 1}", event))
    return built
