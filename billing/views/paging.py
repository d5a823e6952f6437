"""What the foot of every list shows."""

from typing import Any

from django.http import QueryDict

from billing.addresses import POSITION, changed
from billing.pagination import PAGE_SIZES, Page
from billing.queries.lists import Rows, bounded_count


def pages(
    query: QueryDict, page: Page[Any], rows: Rows[Any], in_all: int | None = None
) -> dict[str, Any]:
    """The context of `billing/_pages.html`; rows are counted only where ``in_all`` is not known."""
    if page.is_everything:
        in_all = len(page.rows)
    return {
        "page": page,
        "page_sizes": PAGE_SIZES,
        "matching": bounded_count(rows) if in_all is None else in_all,
        "previous": page.before and changed(query, without=POSITION, before=page.before),
        "next": page.after and changed(query, without=POSITION, after=page.after),
    }
