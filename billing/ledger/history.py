"""What an event changed, as it is kept on the event: object, its ref, field, before, after."""

from datetime import datetime
from typing import Any

from billing.ledger.stamps import Row
from billing.money import Money

#: One change, as JSON holds it.
Change = list[Any]

# These say in which unit the amounts beside them are, and stand in each of them.
_UNITS = ("currency", "exponent")


def changes(kind: str, ref: str, row: Row, changed: list[tuple[str, Any, Any]]) -> list[Change]:
    """Changes of one row in words and major units; ``changed`` has columns, before and after."""
    units = {name: row.values.get(name) for name in _UNITS}
    units_before = units | {name: before for name, before, _ in changed if name in _UNITS}
    return [
        [
            kind,
            ref,
            name.removesuffix("_minor").removesuffix("_ref"),
            _plain(name, before, units_before),
            _plain(name, after, units),
        ]
        for name, before, after in changed
        if name not in _UNITS
    ]


def _plain(name: str, value: Any, units: dict[str, Any]) -> Any:
    if value is None:
        return None
    if name.endswith("_minor"):
        return f"{Money(value, units['currency'], units['exponent'])} {units['currency']}"
    return value.isoformat() if isinstance(value, datetime) else value
