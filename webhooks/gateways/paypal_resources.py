"""What all of PayPal's resources have in common."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.facts import Fact, TenantFact, Trust
from billing.money import Money
from webhooks.gateways.base import PayloadError
from webhooks.gateways.values import Payload, iso_time, paypal_money, ref, text


@dataclass(frozen=True, slots=True)
class Event:
    """An event on its way into facts: the whole, the object in it, and the step of its type."""

    payload: Payload
    resource: Payload
    step: int

    @property
    def created_at(self) -> datetime:
        """When the object came to be; the event's own time where the object does not say."""
        for place in (self.resource, self.payload):
            for key in ("create_time", "update_time"):
                if (found := iso_time(place, key)) is not None:
                    return found
        raise PayloadError("create_time is missing")


def status_word(resource: Payload) -> str:
    """The status: v2 ``status``, v1 ``state``, in capitals as v2 has it."""
    return (text(resource, "status") or text(resource, "state") or "").upper()


def tax(amount: Any, money: Money) -> int | None:
    """Tax in minor units, from an amount in text in the currency of the total."""
    if amount is None:
        return None
    stated = {"tax": {"value": amount, "currency": money.currency}}
    minor = paypal_money(stated, "tax").minor
    if minor > money.minor:
        raise PayloadError("tax is more than the total that includes it")
    return minor


def tenants(resource: Payload) -> list[Fact]:
    """What the checkout page passed along as the tenant: v2 ``custom_id``, v1 ``custom``."""
    key = ref(resource, "custom_id") or ref(resource, "custom")
    return [TenantFact(key=key, trust=Trust.BROWSER)] if key else []
