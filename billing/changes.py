"""What an event changed, in the reader's words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import BooleanField, DateTimeField, Field, Model
from django.utils.translation import gettext

from billing import formats
from billing.masking import Place, inside, masked
from billing.models import PaymentEvent
from billing.money import Money


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one object; ``before`` and ``after`` are empty where there was nothing."""

    kind: str
    ref: str
    field: str
    before: str
    after: str


def described(event: PaymentEvent) -> list[Change]:
    return [_described(*change) for change in event.changes or []]


def _described(kind: str, ref: str, name: str, before: Any, after: Any) -> Change:
    model = apps.get_model("billing", kind)
    column = _column(model, name)
    return Change(
        kind=str(model._meta.verbose_name),
        ref=ref,
        field=str(column.verbose_name) if column else name,
        before=_value(column, before),
        after=_value(column, after),
    )


def _column(model: type[Model], name: str) -> "Field[Any, Any] | None":
    """The column of a name, which the ledger keeps without its unit; None if it is no more."""
    columns = {column.name: column for column in model._meta.concrete_fields}
    return next((columns[n] for n in (name, f"{name}_minor", f"{name}_ref") if n in columns), None)


def _value(column: "Field[Any, Any] | None", value: Any) -> str:
    if value is None:
        return ""
    if isinstance(column, DateTimeField):
        return formats.moment(datetime.fromisoformat(value))
    if isinstance(column, BooleanField):
        return gettext("yes") if value else gettext("no")
    if column is None:
        return str(value)
    if column.name.endswith("_minor"):
        return _money(value)
    if column.flatchoices:
        return str(dict(column.flatchoices).get(value, value))
    # Who the buyer is, is masked here as in the payload.
    return str(masked(str(value), inside(Place(), column.name)))


def _money(text: str) -> str:
    """``1050.00 EUR``, as the ledger notes it, as people write it: ``€1,050.00 EUR``."""
    amount, currency = text.split()
    exponent = len(amount.partition(".")[2])
    money = Money(int(Decimal(amount).scaleb(exponent)), currency, exponent)
    return f"{money.format(formats.locale())} {currency}"
