"""Hides what a payload says of persons, and what opens something, before anyone reads it.

Staff look into a payload to see what a gateway said of an invoice or a payment: ids, amounts,
states, dates, and the brand and last four digits of a card, by which buyers know it. Who the buyer
is, where they live and how money could be taken from them is none of that (GDPR, article 5(1)(c):
no more than is necessary; PCI DSS 4, 3.4.1: card numbers are masked when displayed).

A value is hidden by the name of its field or by what it looks like, wherever it stands, also in
metadata and in fields that a gateway has yet to invent. Names of people in free text are not found.
Fields of Stripe: https://docs.stripe.com/api, of PayPal: https://developer.paypal.com/api/rest/.
"""

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

#: Stands for what is hidden, whatever its length was.
MASK = "••••••"
#: Longer texts are hidden whole: the longest that a gateway documents for a reader is shorter.
LONGEST_TEXT = 2_000


class Number(str):
    """A number as it was written: no digit of it may change on the way to the reader."""


Scalar = str | Number | bool | None

HIDDEN_NUMBER = Number("0")


class Place(NamedTuple):
    """Where a value stands: the name of the nearest field, and whether that is to be hidden."""

    name: str = ""
    hidden: bool = False


# Field names are compared without case, "_", "-" and the like: "billing_address", "BillingAddress".

#: A field with one of these in its name is hidden, and all that is in it.
HIDDEN_PARTS = (
    # Who it is, and how to reach them.
    *("email", "phone", "surname", "birth", "contact", "signature", "username", "nationalnumber"),
    # Where they are.
    *("address", "postalcode", "geolocation", "latitude", "longitude"),
    # What opens something: an API, a payment page, a session.
    *("secret", "token", "password", "apikey", "privatekey", "credential", "authorizationcode"),
    # How a bank or the state knows them; a fingerprint links a card across accounts.
    *("iban", "accountnumber", "accountholder", "routing", "sortcode", "bankcode", "branchcode"),
    *("swift", "taxid", "vatid", "vatnumber", "passport", "fingerprint"),
)
#: A field of exactly one of these names is hidden, and all that is in it.
HIDDEN_NAMES = frozenset(
    [
        # Where they are, outside of an address too, and from where they came.
        *("city", "zip", "line1", "line2", "adminarea1", "adminarea2"),
        *("ip", "useragent", "accessactivitylog", "trackingnumber", "shippingtrackingnumber"),
        # All that identifies a person at once.
        *("payerinfo", "recipientinfo", "legalentity", "owner", "person", "individual", "dob"),
        # What makes a card or an account usable.
        *("expmonth", "expyear", "expiry", "cvc", "cvv", "cvv2", "securitycode", "pin"),
        *("bic", "bsb", "bsbnumber", "ifsc", "clabe", "vpa", "cashtag", "ssn", "ssnlast4"),
        # What people wrote or handed in themselves.
        *("customfields", "note", "notes", "notetopayer", "additionalnotes", "memo"),
        *("comment", "comments", "messages", "evidence", "evidences", "uncategorizedtext"),
    ]
)
#: A name is a person's, unless it is in one of these, which are goods: "plan", "items".
GOODS = frozenset(["plan", "product", "price", "item", "items", "lines", "coupon", "lineitems"])
#: Shown even inside what is hidden: tax depends on the country, and the page is full of payer ids.
SHOWN = frozenset(["country", "countrycode", "payerid"])

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]{0,20}://)(?:[^\s/?#]*@)?(?P<host>[^\s/?#\\]*)\S*", re.IGNORECASE
)
_NO_ADDRESS = r"\s@<>,;:\"()\[\]"
_EMAIL = re.compile(
    rf"(?<![^{_NO_ADDRESS}])[^{_NO_ADDRESS}]+(?:@|%40)[^{_NO_ADDRESS}]+", re.IGNORECASE
)
# Keys, client secrets, bearer tokens and JSON web tokens, by how Stripe and PayPal form them.
_SECRET = re.compile(
    r"\b(?:(?:sk|rk|pk|ek)_(?:live|test)_\w+|whsec_\w+|\w*_secret_\w+|A21AA[\w-]+"
    r"|bearer\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]*)",
    re.IGNORECASE,
)
_IP = re.compile(r"(?<![\w:.])[0-9a-f:.]{2,45}(?![\w:.])", re.IGNORECASE)
_DIGIT = re.compile(r"\d+")
# Digits, alone or in groups as people write card numbers.
_DIGITS = re.compile(r"\d+(?:[ \u00a0\u2009\u202f._/\u2010-\u2015-]{1,3}\d+)*")
# ISO/IEC 7812-1 allows 19 digits; Visa issued 13.
SHORTEST_CARD, LONGEST_CARD = 13, 19
# Twice each digit, as the sum of its own digits.
_TWICE = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def inside(place: Place, field: str) -> Place:
    """The place of what ``field`` of an object at ``place`` holds."""
    name = _plain(field)
    return Place(name, place.hidden or _is_hidden(name, place.name))


def masked(value: Scalar, place: Place) -> Scalar:
    """The value, or one of its type that says nothing."""
    hidden = place.hidden and place.name not in SHOWN
    if isinstance(value, Number):
        # A fraction is no group of a card number.
        hidden = hidden or any(_cards([digits]) for digits in _DIGIT.findall(value))
        return HIDDEN_NUMBER if hidden else value
    if isinstance(value, str):
        # An empty text hides nothing, and that there is none may be what the reader looks for.
        return MASK if hidden and value else masked_text(value)
    return value


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name[:LONGEST_TEXT]).casefold()
    return "".join(filter(str.isalnum, folded))


@lru_cache(maxsize=4096)
def _is_hidden(name: str, within: str) -> bool:
    if name in HIDDEN_NAMES or any(part in name for part in HIDDEN_PARTS):
        return True
    return name.endswith(("name", "names")) and within not in GOODS


def masked_text(text: str) -> str:
    """The text with what is recognised in it hidden."""
    if len(text) > LONGEST_TEXT:
        return MASK
    text = _URL.sub(_site_only, text)
    text = _EMAIL.sub(MASK, text)
    text = _SECRET.sub(MASK, text)
    text = _IP.sub(_masked_ip, text)
    return _masked_cards(text)


def _site_only(url: re.Match[str]) -> str:
    """Links to invoices, receipts and approvals open without a login: only the site is shown."""
    site = url["scheme"] + url["host"]
    return url[0] if url[0] in (site, f"{site}/") else f"{site}/{MASK}"


def _masked_ip(token: re.Match[str]) -> str:
    try:
        ipaddress.ip_address(token[0])
    except ValueError:
        return token[0]
    return MASK


def _masked_cards(text: str) -> str:
    return _DIGITS.sub(_without_cards, text)


def _without_cards(written: re.Match[str]) -> str:
    """Hides the groups of digits that make a card number together.

    A group longer than any card number may have one in it, and is of no use to a reader.
    """
    groups = list(_DIGIT.finditer(written[0]))
    result, at = "", 0
    for first, last in _cards([group[0] for group in groups]):
        if groups[first].start() >= at:
            result += written[0][at : groups[first].start()] + MASK
        at = max(at, groups[last].end())
    return result + written[0][at:]


def _cards(groups: list[str]) -> list[tuple[int, int]]:
    """The first and the last of the groups of each card number, by the first."""
    found = []
    for first in range(len(groups)):
        # Luhn (ISO/IEC 7812-1, annex B): from the last digit on, every second counts twice. ``odd``
        # is the sum if this digit is the last, ``even`` if another one follows it.
        length = odd = even = 0
        for last in range(first, len(groups)):
            length += len(groups[last])
            if length > LONGEST_CARD:
                if first == last:
                    found.append((first, last))
                break
            for digit in map(int, groups[last]):
                odd, even = even + digit, odd + _TWICE[digit]
            if length >= SHORTEST_CARD and odd % 10 == 0:
                found.append((first, last))
    return found
