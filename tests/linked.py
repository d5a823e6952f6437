"""Follows the links of figures, and adds up the rows that they lead to."""

import csv
import io
import re
from decimal import Decimal
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.test import Client


class Links(HTMLParser):
    """Every link of a page: where it leads, and its text, or else its label."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._within = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            given = dict(attrs)
            self.found.append((given["href"] or "", given.get("aria-label") or ""))
            self._within = not self.found[-1][1]

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._within:
            href, text = self.found[-1]
            self.found[-1] = (href, text + data)


def figure(text: str) -> Decimal:
    """The last number of a text, as written in English: ``June 2026: -€1,234.50`` is -1234.50."""
    sign, number = re.findall(r"(-?)[^\s\d.,-]*([\d,]+(?:\.\d+)?)", text)[-1]
    return Decimal(sign + number.replace(",", ""))


def rows(client: Client, url: str) -> list[dict[str, str]]:
    """The rows of a list, from its file, which is refused where a filter is not valid."""
    assert client.get(url).status_code == 200, url
    parts = urlsplit(url)
    response = client.get(f"{parts.path}export.csv?{parts.query}")
    assert response.status_code == 200, url
    return list(csv.DictReader(io.StringIO(b"".join(response).decode(), newline="")))


def total(found: list[dict[str, str]]) -> Decimal:
    """What rows come to: of a dispute, what counts of it."""
    return sum((Decimal(row.get("counted") or row["amount"]) for row in found), Decimal())
