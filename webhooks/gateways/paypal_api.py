"""Asks PayPal itself what an event says.

PayPal's signature covers a CRC32 of the body, which can be matched by another body. An event that
moves money is therefore read back from PayPal before it is applied, where we have credentials.
"""

import threading
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import paypalrestsdk
import requests
from paypalrestsdk.exceptions import ConnectionError as ApiError
from paypalrestsdk.exceptions import ResourceNotFound, UnauthorizedAccess

from billing.facts import DisputeFact, InvoiceFact, PaymentFact, Reading, RefundFact
from webhooks.gateways.base import NotKnownYet, Unavailable, _

CONNECT_SECONDS, READ_SECONDS = 3.05, 10


class Confirm(StrEnum):
    """Which events are read back."""

    MONEY = "money"
    ALWAYS = "always"
    NEVER = "never"


class PayPalApi(paypalrestsdk.Api):  # type: ignore[misc] # it has no types
    """The SDK's client, made safe to wait for and to share between threads.

    The SDK has no time-outs, follows a persistent 401 until the stack ends, does not quote ids, and
    logs credentials when it thinks that it talks to the sandbox.
    """

    def __init__(self, client_id: str, client_secret: str, base: str) -> None:
        # "live" is what keeps the SDK from logging headers; `base` says where it really goes.
        super().__init__(
            mode="live", client_id=client_id, client_secret=client_secret, endpoint=base
        )
        self._token_lock = threading.RLock()

    def event(self, event_id: str) -> dict[str, Any]:
        """A webhook event as PayPal has it. Raises `NotKnownYet` or `Unavailable`.

        https://developer.paypal.com/docs/api/webhooks/v1/#webhooks-events_get
        """
        url = f"{self.endpoint}/v1/notifications/webhooks-events/{quote(event_id, safe='')}"
        try:
            try:
                found = self.http_call(url, "GET", headers=self.headers())
            except UnauthorizedAccess:
                # A token may end before its time; a new one that is refused too is no accident.
                self.token_hash = None
                found = self.http_call(url, "GET", headers=self.headers())
        except ResourceNotFound:
            raise NotKnownYet(_("PayPal does not know this event")) from None
        except ApiError as error:
            # Its text has the answer's body, and for a redirect cannot even be made.
            status = getattr(error.response, "status_code", None)
            raise Unavailable(f"PayPal's API answered {status}") from None
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"PayPal's API: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise Unavailable("PayPal's API answered with something else than an event")
        return found

    def get_token_hash(self, *args: Any, **kwargs: Any) -> Any:
        with self._token_lock:
            return super().get_token_hash(*args, **kwargs)

    def http_call(self, url: str, method: str, **kwargs: Any) -> Any:
        return super().http_call(
            url,
            method,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            **kwargs,
        )


class PayPalReadBack:
    """Says which events are to be confirmed, and fetches them."""

    def __init__(self, api: PayPalApi, confirm: Confirm) -> None:
        self._api = api
        self._confirm = confirm

    def needed(self, reading: Reading) -> bool:
        if self._confirm == Confirm.MONEY:
            return any(_moves_money(fact) for fact in reading.facts)
        return self._confirm == Confirm.ALWAYS

    def fetch(self, event_id: str) -> dict[str, Any]:
        return self._api.event(event_id)


def _moves_money(fact: object) -> bool:
    if isinstance(fact, PaymentFact):
        return fact.refunded is not None
    return isinstance(fact, InvoiceFact | RefundFact | DisputeFact)
