"""What the gateways know by now: each line of a scenario adds to it, each event shows a part."""

from datetime import datetime

from tests.scenarios.reading import FIRST_DAY, TIME, Line, event_line

# Where an object that does not name its currency takes it from.
CURRENCY_FROM = ("invoice", "charge", "payment", "sale", "capture", "transaction", "subscription")


class Thing(dict[str, str]):
    """An object of a gateway: what was said of it so far."""

    def __init__(self, ref: str, created: datetime) -> None:
        super().__init__()
        self.ref, self.created = ref, created

    def time(self, key: str) -> datetime:
        """A time of day (``10:00:00``), with its date (``06-15 10:00:00``), or a whole one."""
        text = self[key].replace("T", " ", 1)
        if TIME.match(f"{text} "):
            return event_line(f"{text} stripe none").at
        if len(text) == len("06-15"):
            return FIRST_DAY.replace(month=int(text[:2]), day=int(text[3:]))
        return datetime.fromisoformat(self[key])


class World:
    def __init__(self) -> None:
        self._things: dict[str, Thing] = {}

    def thing(self, line: Line) -> Thing:
        """The object of a line, with what the line says of it."""
        thing = self._things.setdefault(line.ref, Thing(line.ref, line.at))
        thing.update(line.values)
        for key, value in line.values.items():
            if value == "none" and key != "description":
                del thing[key]
        if "currency" not in thing and (currency := self._currency(thing)):
            thing["currency"] = currency
        return thing

    def named(self, ref: str, amount: str, by: Thing) -> Thing:
        """An object that another one names with an amount, made known by that if it was not."""
        thing = self._things.get(ref) or Thing(ref, by.created)
        if not thing:
            thing |= {"amount": amount, "charge": by.ref, "currency": by["currency"]}
            if "payment" in by:
                thing["payment"] = by["payment"]
        return thing

    def _currency(self, thing: Thing) -> str | None:
        for key in CURRENCY_FROM:
            other = self._things.get(thing.get(key, ""))
            if other is not None and "currency" in other:
                return other["currency"]
        return None
