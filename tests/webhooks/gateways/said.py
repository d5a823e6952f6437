"""What the payload files are about, and how tests look at what came of them."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from billing.facts import Fact, ObjectFact, Reading, TenantFact, Trust
from billing.money import Money
from billing.totals import discrepancies
from tests import inbox
from tests.ledger_state import State, snapshot
from tests.payloads import Payload

CUSTOMER, SUBSCRIPTION = "cus_SBraeCycles001", "sub_1RBraeWorkshop01"
INVOICE, CHARGE, INTENT = "in_1RBraeInvoice001", "ch_3RBraeCharge0001", "pi_3RBraeIntent0001"
SECOND_INVOICE, REFUND = "in_1RBraeInvoice002", "re_3RBraeRefund0001"
# A payment that Stripe made no invoice for.
ONE_OFF, ONE_OFF_CHARGE = "pi_3RBraeOneOff00001", "ch_3RBraeOneOff0001"
TENANT = TenantFact(key="brae-cycles", trust=Trust.METADATA)
BROWSER_TENANT = TenantFact(key="brae-cycles", trust=Trust.BROWSER)

T0 = 1747300000
DAY = 86400

F = TypeVar("F", bound=Fact)
Object = TypeVar("Object", bound=ObjectFact)


def when(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def eur(minor: int) -> Money:
    return Money(minor, "EUR", 2)


def one(reading: Reading, kind: type[F]) -> F:
    (found,) = (fact for fact in reading.facts if isinstance(fact, kind))
    return found


def every(reading: Reading, kind: type[F]) -> list[F]:
    return [fact for fact in reading.facts if isinstance(fact, kind)]


def about(reading: Reading, kind: type[Object], ref: str) -> list[Object]:
    return [fact for fact in reading.facts if isinstance(fact, kind) and fact.ref == ref]


def after(*payloads: Payload, state: str = "processed") -> State:
    """The rows and totals once these events arrived, in this order, and were all applied."""
    events = inbox.arrive(*payloads)
    assert [(event.event_type, event.state) for event in events if event.state != state] == []
    assert discrepancies() == []
    return snapshot()


def row(state: State, table: str, **which: Any) -> dict[str, Any]:
    """The one row of a table with these values."""
    (found,) = [
        row for row in state[table] if all(row[name] == value for name, value in which.items())
    ]
    return found


def totals(state: State) -> dict[str, int]:
    return {row["figure"]: row["amount_minor"] for row in state["total"]}


def statuses(state: State, table: str = "invoice") -> dict[str, str]:
    return {row["ref"]: row["status"] for row in state[table]}
