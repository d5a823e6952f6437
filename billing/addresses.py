"""Addresses of the page: the current one, with something changed."""

from collections.abc import Collection

from django.http import QueryDict

#: A longer value filters nothing, and must not be repeated in a hundred links.
MAX_VALUE_LENGTH = 255

#: What says where in the list the reader is; any other filter or order begins at its first page.
POSITION = ("after", "before", "open")


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
