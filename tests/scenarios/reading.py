"""Reads scenario files: their lines become `Line`s of events and `Expected` lines."""

import json
import re
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FIRST_DAY = datetime(2025, 6, 2, tzinfo=UTC)
SHAPES = ("2022", "basil")

TIME = re.compile(r"(?:(\d\d)-(\d\d) )?(\d\d):(\d\d):(\d\d) ")
CURRENCY = re.compile(r"[A-Z]{3}")
# Per kind of expectation: the words that start a detail. What stands before is the kind, its id and
# what is always said.
DETAILS = {
    "invoice": {"tax", "refunded", "tenant", "word", "attention", "attempts"},
    "refund": {"of", "tenant"},
    "dispute": {"counted", "of", "tenant"},
    "subscription": {"plan", "quantity", "from", "until", "cancels", "customer", "tenant"},
    "totals": {"revenue", "refunded", "pending", "disputed"},
    "count": {"paid", "pending", "void"},
    "state": {"because", "tenant"},
    "notice": set[str](),
    "conflict": set[str](),
}


@dataclass(frozen=True)
class Line:
    """One event, as the file says it."""

    at: datetime
    gateway: str
    event_type: str
    ref: str
    values: dict[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    raw: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class Expected:
    """``invoice INV-1 paid 49.00 USD tax 4.04``: kind, id, what is said, details."""

    kind: str
    ref: str
    said: str
    details: dict[str, str]
    text: str


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    why: str
    shapes: tuple[str, ...]
    open: str
    every_order: bool
    events: tuple[Line, ...]
    expected: tuple[Expected, ...]


def files() -> list[Path]:
    return sorted(FOLDER.glob("*/*.txt"))


def load(path: Path) -> Scenario:
    return parse(path.read_text(), f"{path.parent.name}/{path.stem}")


def parse(text: str, name: str = "") -> Scenario:
    head, _, rest = text.partition("\nevents:\n")
    events, _, expected = rest.partition("\nexpect:\n")
    title, _, why = head.strip().partition("\n")
    why, *heads = re.split(r"^(shapes|orders|open):", why, flags=re.MULTILINE)
    said = dict(zip(heads[::2], heads[1::2], strict=True))
    assert title, f"{name}: no title"
    assert why.strip(), f"{name}: no reason"
    return Scenario(
        name=name,
        title=title,
        why=why.strip(),
        shapes=tuple(said.get("shapes", "").split()) or SHAPES,
        open=said.get("open", "").strip(),
        every_order=said.get("orders", "").strip() == "every",
        events=tuple(event_line(line) for line in _lines(events)),
        expected=tuple(_expected(line) for line in _lines(expected)),
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.split("#")[0].strip()]


def event_line(text: str) -> Line:
    found = TIME.match(text)
    assert found, f"no time: {text}"
    month, day, *clock = found.groups()
    at = FIRST_DAY.replace(month=int(month), day=int(day)) if month else FIRST_DAY
    at += timedelta(hours=int(clock[0]), minutes=int(clock[1]), seconds=int(clock[2]))
    body, _, name = text[found.end() :].partition(" as ")
    gateway, event_type, *words = shlex.split(body)
    ref = words.pop(0) if words and "=" not in words[0] else ""
    values: dict[str, str] = {}
    raw: dict[str, Any] = {}
    flags: set[str] = set()
    for word in words:
        if ":=" in word:
            key, _, value = word.partition(":=")
            raw[key] = json.loads(value)
        elif "=" in word:
            key, _, values[key] = word.partition("=")
        elif CURRENCY.fullmatch(word):
            values["currency"] = word
        else:
            flags.add(word)
    return Line(at, gateway, event_type, ref, values, frozenset(flags), raw, name.strip(), text)


def _expected(text: str) -> Expected:
    kind, *words = shlex.split(text)
    known = DETAILS[kind]
    ref = "" if kind == "count" else words.pop(0)
    said: list[str] = []
    while words and words[0] not in known:
        said.append(words.pop(0))
    assert len(words) % 2 == 0, f"details come in pairs: {text}"
    details = dict(zip(words[::2], words[1::2], strict=True))
    assert details.keys() <= known, f"unknown detail: {text}"
    return Expected(kind, ref, " ".join(said), details, text)
