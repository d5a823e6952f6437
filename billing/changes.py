"""What an event changed, in the reader's words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from billing import formats
from billing.models import PaymentEvent


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


def _described(kind: str, ref: str, field: str, before: Any, after: Any) -> Change:
    model = apps.get_model("billing", kind)
    return Change(
        kind=str(model._meta.verbose_name),
        ref=ref,
        field=_label(model, field),
        before=_value(field, before),
        after=_value(field, after),
    )


def _label(model: type[Model], field: str) -> str:
    """The name of the column, which the ledger keeps without its unit."""
    for name in (field, f"{field}_minor", f"{field}_ref"):
        try:
            return str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        except FieldDoesNotExist:
            continue
    return field


def _value(field: str, value: Any) -> str:
    if value is None:
        return ""
    if field.endswith("_at"):
        return formats.moment(datetime.fromisoformat(value))
    return str(value)
