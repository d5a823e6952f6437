"""Addresses: of the current page, with something changed, and of the rows behind a figure."""

from collections.abc import Collection
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from billing.models import KeptSum, Notification
from billing.zone import start_of_day

#: A longer value filters nothing, and must not be repeated in a hundred links.
MAX_VALUE_LENGTH = 255

#: What says where in the list the reader is, and which tenant is looked for in the menu; any other
#: filter or order begins at its first page, with the menus closed.
POSITION = ("after", "before", "open", "tenant_q")


def given(query: QueryDict, name: str) -> list[str]:
    """The values of a parameter that the database can be asked about."""
    return [
        value
        for value in query.getlist(name)
        if value and "\0" not in value and len(value) <= MAX_VALUE_LENGTH
    ]


def typed(query: QueryDict, name: str) -> str:
    """What was typed into a field of search; nothing, if the database cannot be asked about it."""
    text = query.get(name, "").strip()
    return text if "\0" not in text and len(text) <= MAX_VALUE_LENGTH else ""


#: The list and its filters that give exactly the rows that a figure is the sum of.
_ROWS_OF = {
    KeptSum.Figure.PAID: ("invoices", {"status": "paid"}),
    KeptSum.Figure.PENDING: ("invoices", {"status": "pending"}),
    KeptSum.Figure.VOID: ("invoices", {"status": "void"}),
    KeptSum.Figure.REFUNDED: ("refunds", {"status": "succeeded"}),
    KeptSum.Figure.DISPUTED: ("disputes", {"counted": "1"}),
}


def rows_of(figure: KeptSum.Figure, **filters: object) -> str:
    """Where the rows are that ``figure`` sums up: all, or those that more ``filters`` let through.

    A filter without a value is left out.
    """
    name, own = _ROWS_OF[figure]
    given = {name: value for name, value in filters.items() if value}
    return f"{reverse(f'billing:{name}')}?{urlencode({**own, **given})}"


def failures_of(first: date, last: date) -> str:
    """Where the failed payments of some days are, in Django's admin."""
    bounds = {
        "kind__exact": Notification.Kind.PAYMENT_FAILED.value,
        "occurred_at__gte": start_of_day(first).isoformat(),
        "occurred_at__lt": start_of_day(last + timedelta(days=1)).isoformat(),
    }
    return f"{reverse('admin:billing_notification_changelist')}?{urlencode(bounds)}"


def changed(query: QueryDict, *, without: Collection[str] = (), **values: object) -> str:
    """``query`` without the parameters ``without`` and with ``values``, as ``?…``.

    Parameters without a value, as a form sends for what was not filled in, are left out.
    """
    result = QueryDict(mutable=True)
    for name, given in query.lists():
        if name in without or name in values:
            continue
        result.setlist(name, [v for v in given if v and len(v) <= MAX_VALUE_LENGTH])
    for name, value in values.items():
        if value != "":
            result[name] = str(value)
    return f"?{result.urlencode()}"
