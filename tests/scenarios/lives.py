"""Whole lives of customers at both gateways, made up by Hypothesis, and what is true at their end.

A life is lines of a scenario, in the order in which things happened: a failing one can be read, and
kept as a file. What is true is worked out here, from what happened and not from what was told; a
life tells each thing in at least one way, for what nobody tells nobody can know.

Only what a gateway could send happens: states fit the time, and sums are sums.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.scenarios.reading import FIRST_DAY

T = TypeVar("T")

#: Some are told by events of several kinds; which ones an account asked for is its own choice.
#: sum: charge.refunded. own: refund.*. updated: charge.refund.updated.
REPORTS = (
    {"sum"},
    {"own"},
    {"sum", "own"},
    {"sum", "updated"},
    {"own", "updated"},
    {"sum", "own", "updated"},
)
DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "ISK": 2}
STRIPE_CURRENCIES = ("USD", "EUR", "JPY", "KWD", "ISK")
PAYPAL_CURRENCIES = ("USD", "EUR", "JPY")
TENANTS = ("acme", "globex")


@dataclass
class Refund:
    ref: str
    amount: int
    status: str = "succeeded"


@dataclass
class Dispute:
    amount: int
    gone: bool


@dataclass
class Payment:
    """A charge, a sale or a capture that was paid."""

    ref: str
    amount: int
    currency: str
    intent: str = ""
    invoice: str = ""
    known: bool = False  # whether an event told how much was paid
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds if refund.status == "succeeded")

    @property
    def left(self) -> int:
        """What may still be refunded."""
        taken = [one.amount for one in self.refunds if one.status in ("succeeded", "pending")]
        return self.amount - sum(taken)

    @property
    def disputed(self) -> int:
        gone = max((dispute.amount for dispute in self.disputes if dispute.gone), default=0)
        return min(gone, max(self.amount - self.refunded, 0))


@dataclass
class Invoice:
    ref: str
    amount: int
    currency: str
    status: str
    credited: int = 0

    @property
    def due(self) -> int:
        return self.amount - self.credited


class Life:
    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self._clock = 36000
        self._numbers: dict[str, int] = defaultdict(int)
        self.lines: list[str] = []
        self.invoices: list[Invoice] = []
        self.payments: list[Payment] = []
        self.reports: set[str] = REPORTS[0]
        #: Whether charges of the old shape list their refunds.
        self.embedded = False

    # --- Chance, time and words ------------------------------------------------------------

    def pick(self, values: Sequence[T]) -> T:
        picked: T = self._draw(st.sampled_from(values))
        return picked

    def chance(self) -> bool:
        return bool(self._draw(st.booleans()))

    def amount(self, most: int = 9000) -> int:
        return int(self._draw(st.integers(1, most)))

    def ref(self, prefix: str) -> str:
        self._numbers[prefix] += 1
        return f"{prefix}{self._numbers[prefix]}"

    def later(self, *, at_least: int = 0) -> None:
        """Time passes, or not: much happens in one second."""
        self._clock += max(at_least, self.pick((0, 0, 1, 60, 86400)))

    def tell(self, text: str) -> None:
        at = FIRST_DAY + timedelta(seconds=self._clock)
        gateway = "stripe" if text[0].islower() else "paypal"
        shape = f" @{self.pick(('2022', 'basil'))}" if gateway == "stripe" else ""
        if "invoice_payment.paid" in text:
            shape = " @basil"
        self.lines.append(f"{at:%m-%d %H:%M:%S} {gateway} {text}{shape}")

    def tell_some(self, *texts: str) -> None:
        """At least one of several events that say the same, in any order."""
        told = self._draw(st.permutations(texts))
        for text in told[: self._draw(st.integers(1, len(texts)))]:
            self.tell(text)

    def tenant(self, word: str = "tenant") -> str:
        return f" {word}={self.pick(TENANTS)}" if self.chance() else ""

    # --- What is true ---------------------------------------------------------------------

    def truth(self) -> dict[str, dict[str, Decimal]]:
        """The figures of each currency."""
        figures: dict[str, dict[str, Decimal]] = {}

        def add(currency: str, figure: str, minor: int) -> None:
            if currency not in figures:
                figures[currency] = dict.fromkeys(
                    ("revenue", "refunded", "pending", "disputed"), Decimal(0)
                )
            figures[currency][figure] += Decimal(minor).scaleb(-DECIMALS[currency])

        for invoice in self.invoices:
            if invoice.status in ("paid", "pending"):
                figure = "revenue" if invoice.status == "paid" else "pending"
                add(invoice.currency, figure, invoice.due)
        for payment in self.payments:
            add(payment.currency, "refunded", payment.refunded)
            add(payment.currency, "disputed", payment.disputed)
        return {currency: row for currency, row in figures.items() if any(row.values())}

    def counts(self) -> dict[str, int]:
        return {
            word: sum(invoice.status == word for invoice in self.invoices)
            for word in ("paid", "pending", "void")
        }


def major(minor: int, currency: str) -> str:
    return str(Decimal(minor).scaleb(-DECIMALS[currency]))
