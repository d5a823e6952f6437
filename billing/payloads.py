"""The body of an event as a reader sees it: JSON in colours, masked unless asked for whole."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from billing import masking
from billing.masking import Number, Place

#: A page with more would be slow to make and to scroll; a large event of a gateway has a third.
CHARACTERS_SHOWN = 100_000
#: What is nested deeper is not shown; an event of a gateway has about ten levels.
DEEPEST = 50


class Object(list["tuple[str, Json]"]):
    """The fields of a JSON object, in their order, and also those whose name comes twice."""


Json = masking.Scalar | list["Json"] | Object


class Token(NamedTuple):
    """A word of JSON, after what is between it and the last one.

    ``kind`` is key, string, number, literal, masked, or deeper for what is nested too deep.
    """

    before: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Payload:
    """``cut``: there is more than is shown. ``raw`` is the body where it is shown as it came."""

    tokens: list[Token] = field(default_factory=list)
    masked: int = 0
    cut: bool = False
    raw: str = ""


def masked_payload(body: bytes) -> Payload | None:
    """What all who see events may see; None if it is no JSON, for then nothing can be hidden."""
    try:
        return _shown(_tokens(_read(body), "", 0, Place()))
    except _NotJson:
        return None


def whole_payload(body: bytes) -> Payload:
    """All of it: as it came where it is no JSON, or too much or too deep for colours."""
    try:
        payload = _shown(_tokens(_read(body), "", 0, None))
    except _NotJson:
        payload = Payload(cut=True)
    if payload.cut:
        return Payload(raw=_printable(body.decode(errors="backslashreplace")))
    return payload


class _NotJson(Exception):
    """The body is no JSON, or nested deeper than the parser goes."""


def _read(body: bytes) -> Json:
    """Keeps every digit of numbers, and every field of a name that comes twice."""
    try:
        value: Json = json.loads(
            body.decode(),
            object_pairs_hook=Object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=Number,
        )
    except (ValueError, RecursionError):
        raise _NotJson from None
    return value


def _shown(tokens: Iterator[Token]) -> Payload:
    """The tokens up to the limit."""
    shown, room = [], CHARACTERS_SHOWN
    for token in tokens:
        room -= len(token.before) + len(token.text)
        if room < 0:
            break
        shown.append(token)
    kinds = Counter(token.kind for token in shown)
    return Payload(shown, kinds["masked"], cut=room < 0 or kinds["deeper"] > 0)


def _tokens(value: Json, before: str, depth: int, place: Place | None) -> Iterator[Token]:
    """``place`` is where the value stands, None to hide nothing."""
    if not isinstance(value, list):
        yield _word(value, before, place)
    elif depth > DEEPEST:
        yield Token(before, "deeper", "…")
    else:
        line = "\n" + "  " * depth
        opened, closed = "{}" if isinstance(value, Object) else "[]"
        before += opened
        separator = f"{line}  "
        if isinstance(value, Object):
            for key, item in value:
                yield _key(key, before + separator, place)
                inside = masking.inside(place, key) if place else None
                yield from _tokens(item, ": ", depth + 1, inside)
                before = ","
        else:
            for item in value:
                yield from _tokens(item, before + separator, depth + 1, place)
                before = ","
        yield Token(f"{line}{closed}" if value else before + closed, "", "")


def _key(key: str, before: str, place: Place | None) -> Token:
    shown = masking.masked_text(key) if place else key
    return Token(before, "key" if shown == key else "masked", _quoted(shown))


def _word(value: masking.Scalar, before: str, place: Place | None) -> Token:
    shown = masking.masked(value, place) if place else value
    if isinstance(shown, Number):
        kind, text = "number", str(shown)
    elif isinstance(shown, str):
        kind, text = "string", _quoted(shown)
    else:
        kind, text = "literal", json.dumps(shown)
    hidden = shown is masking.HIDDEN_NUMBER or shown != value
    return Token(before, "masked" if hidden else kind, text)


def _quoted(text: str) -> str:
    return _printable(json.dumps(text, ensure_ascii=False))


def _printable(text: str) -> str:
    """Half surrogates cannot be sent; what is invisible or turns the writing around misleads."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else json.dumps(char)[1:-1] for char in text
    )
