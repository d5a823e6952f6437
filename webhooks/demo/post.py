"""What the demo's stories are made of."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A tenant of the demo. ``price_minor`` is without tax; ``tax_basis_points`` are hundredths of
    a percent."""

    key: str
    name: str
    currency: str
    price_minor: int
    tax_basis_points: int
    plan: str

    @property
    def billing_email(self) -> str:
        return f"billing@{self.key}.example"

    def tax_minor(self, net_minor: int) -> int:
        """Half up, to a whole minor unit."""
        return (net_minor * self.tax_basis_points + 5000) // 10000


@dataclass(frozen=True, slots=True)
class Post:
    """One webhook, before it is signed."""

    gateway: str
    event_id: str
    occurred_at: datetime
    body: bytes


def identifier(prefix: str, *parts: object) -> str:
    """An id that is the same on every start, so that the second start posts nothing twice."""
    digest = hashlib.sha256("/".join(map(str, ("demo", prefix, *parts))).encode())
    # As long as a transaction id of PayPal.
    return prefix + digest.hexdigest()[:17]


def body(event: dict[str, Any]) -> bytes:
    return json.dumps(event, indent=2, ensure_ascii=False).encode()
