"""What the foot of every list shows."""

from typing import Any

from django.http import QueryDict

from billing.addresses import POSITION, changed
from billing.pagination import PAGE_SIZES, Page
from billing.queries.lists import Rows, bounded_count
from billing.queries.reads import Read


def matching(page: Page[Any], rows: Rows[Any]) -> Read[int]:
    """How many rows there are on all pages; bounded."""
    return Read(lambda: len(page.rows)) if page.is_everything else bounded_count(rows)


def pages(query: QueryDict, page: Page[Any], matching: int) -> dict[str, Any]:
    """The context of `billing/_pages.html`."""
    return {
        "page": page,
        "page_sizes": PAGE_SIZES,
        "matching": matching,
        "previous": page.before and changed(query, without=POSITION, before=page.before),
        "next": page.after and changed(query, without=POSITION, after=page.after),
    }
