"""The filters of the tables: one form each, and the chips that show it."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import formats
from billing.addresses import MAX_VALUE_LENGTH, POSITION, changed, given, typed
from billing.models import Dispute, Gateway, Invoice, PaymentEvent, Refund, Tenant
from billing.queries import lists, search, tenants
from billing.queries.reads import Read
from billing.queries.totals import Totals
from billing.zone import start_of_day, today

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

# Beyond these no payment was made, and time zones run out of calendar.
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)

# Their values are found in the index: the form offers those that are counted, or the first ones.
FOUND = ("currency", "event_type")
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class AnyOf(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    """Rows that have one of the chosen values."""

    def __init__(self, **kwargs: Any) -> None:
        messages = {"invalid_choice": _("“%(value)s” is not one of the choices.")}
        super().__init__(error_messages=messages, **kwargs)

    def filter(self, queryset: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.field_name}__in": value}) if value else queryset


class DayFilter(django_filters.DateFilter):  # type: ignore[misc]
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[
                MinValueValidator(FIRST_DAY, _("Enter a day from %(limit_value)s on.")),
                MaxValueValidator(LAST_DAY, _("Enter a day until %(limit_value)s.")),
            ],
            error_messages={"invalid": _("Enter a day as YYYY-MM-DD.")},
            **kwargs,
        )


class FirstDay(DayFilter):
    def filter(self, queryset: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(**{f"{self.field_name}__gte": start_of_day(value)})


class LastDay(DayFilter):
    """Up to the end of the day, which is the beginning of the next one."""

    def filter(self, queryset: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(
            **{f"{self.field_name}__lt": start_of_day(value + timedelta(days=1))}
        )


class FilterForm(forms.Form):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("date_from"), cleaned.get("date_to")
        if first and last and first > last:
            self.add_error("date_to", gettext("It is before the first day."))
            del cleaned["date_from"]
        return cleaned


@dataclass(frozen=True, slots=True)
class Day:
    """One end of the range of days. ``value`` is empty unless it is valid."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a menu. ``count`` is how many rows it has, where that is known already."""

    value: str
    label: str
    chosen: bool
    count: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """A range of days to choose with one click."""

    label: str
    url: str
    chosen: bool


class TenantMenu:
    """The tenants that the menu offers: those chosen, and the first that match what was typed."""

    def __init__(self, query: QueryDict) -> None:
        self.term = typed(query, "tenant_q")
        self.chosen = set(given(query, "tenant"))
        self.read = tenants.menu(self.term, self.chosen)
        #: Without JavaScript a menu cannot open by itself: it stands open while one is looked for.
        self.close = changed(query, without=POSITION) if self.term else ""

    @property
    def tenants(self) -> list[Tenant]:
        return self.read.value[0]

    @property
    def more(self) -> bool:
        return self.read.value[1]

    @property
    def found(self) -> bool:
        return any(each.key not in self.chosen for each in self.tenants)

    @property
    def options(self) -> list[Option]:
        return [Option(each.key, each.name, each.key in self.chosen) for each in self.tenants]


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter as the page shows it. ``value`` is empty while it filters nothing."""

    name: str
    label: str
    value: str
    clear: str
    #: What the menu offers to choose from; that of the dates has ``days`` instead.
    options: list[Option] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    presets: list[Preset] = field(default_factory=list)
    #: Only of the menu of tenants.
    tenants: TenantMenu | None = None


def _presets(day: date) -> list[tuple[str, date, date]]:
    """Ranges of days: label, first day, last day. Months are whole, so that addresses last."""
    month = day.replace(day=1)
    next_month = (month + timedelta(days=31)).replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    return [
        (gettext("Today"), day, day),
        (gettext("Last 7 days"), day - timedelta(days=6), day),
        (gettext("This month"), month, next_month - timedelta(days=1)),
        (gettext("Last month"), last_month, month - timedelta(days=1)),
    ]


class PageFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What the filters of all lists have in common.

    A value that is not valid filters nothing and has a message; the other filters stay.
    """

    date_field: str
    chip_order: tuple[str, ...]
    search_hint: "StrPromise"
    search_help: "StrPromise"
    #: Looks up what is searched for.
    find: Callable[[str], Read[search.Sought]]
    #: The indexes that go on in the order of the list, each by the filters that lead it.
    indexes: tuple[tuple[str, ...], ...] = ()
    #: Per filter, what each choice means.
    hints: dict[str, dict[str, "StrPromise"]] = {}

    q = django_filters.CharFilter(
        method="unchanged", label=_("Search"), max_length=MAX_VALUE_LENGTH, strip=True
    )
    gateway = AnyOf(label=_("Gateway"), choices=Gateway.choices)
    tenant = AnyOf(label=_("Tenant"), choices=())
    tenant_q = django_filters.CharFilter(
        method="unchanged", label=_("Find a tenant"), max_length=MAX_VALUE_LENGTH, strip=True
    )
    date_from = FirstDay(label=_("First day"))
    date_to = LastDay(label=_("Last day"))

    def __init__(self, query: QueryDict, queryset: QuerySet[Any]) -> None:
        super().__init__(query, queryset)
        for name in ("date_from", "date_to"):
            self.filters[name].field_name = self.date_field
        self.tenants = TenantMenu(query)
        self.filters["tenant"].extra["choices"] = lambda: [
            (tenant.key, tenant.name) for tenant in self.tenants.tenants
        ]
        self.filters["tenant"].method = "of_tenants"
        self.term = typed(query, "q")
        self._sought = self.find(self.term) if self.term else Read(search.Sought)
        #: What has to be read before it is known which rows are let through.
        self.reads: list[Read[Any]] = [self.tenants.read, self._sought]

    def of_tenants(self, queryset: QuerySet[Any], _name: str, keys: list[str]) -> QuerySet[Any]:
        return queryset.filter(tenant__in=self._tenant_pks(keys))

    def unchanged(self, queryset: QuerySet[Any], _name: str, _term: str) -> QuerySet[Any]:
        return queryset  # what is searched for is in `rows`, a tenant looked for in its menu

    @property
    def sought(self) -> search.Sought:
        return self._sought.value

    @cached_property
    def rows(self) -> lists.Rows[Any]:
        """The rows that the filters let through."""
        return lists.Rows(self.qs, self.sought.named, self._ways, self.date_field)

    @property
    def _ways(self) -> lists.Ways:
        """How the first index that has all that is filtered leads to the rows.

        Of a search: to those of the tenants that it found, if it found any.
        """
        found = ("tenant",) if self.sought.tenants else ()
        if self.term and not found:
            return {}
        filtered = {name for names in self.indexes for name in names if self._cleaned.get(name)}
        chosen = filtered.union(found)
        index = next((names for names in self.indexes if chosen and chosen <= set(names)), found)
        return {
            "tenant_id" if name == "tenant" else name: self._let_through(name) for name in index
        }

    def _let_through(self, name: str) -> Sequence[Any] | None:
        chosen: list[Any] = self._cleaned.get(name) or []
        if name == "tenant":
            return self.sought.tenants or self._tenant_pks(chosen)
        if chosen or name in FOUND:
            return chosen or None
        return [value for value, _label in self.form.fields[name].choices]

    def _tenant_pks(self, keys: list[str]) -> list[int]:
        return [tenant.pk for tenant in self.tenants.tenants if tenant.key in keys]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Per filter, how many rows each choice has in all; shown while nothing else filters."""
        return {}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is wrong with the input: the label of the field and a sentence."""
        return [
            (str(self.form.fields[name].label), Truncator(error).chars(120))
            for name, errors in self.errors.items()
            for error in errors
        ]

    @cached_property
    def is_active(self) -> bool:
        return any(value for name, value in self._cleaned.items() if name != "tenant_q")

    @property
    def _cleaned(self) -> dict[str, Any]:
        """The valid values only."""
        self.form.is_valid()  # fills cleaned_data, with what is valid if not all is
        return self.form.cleaned_data  # type: ignore[no-any-return]

    @cached_property
    def chips(self) -> list[Chip]:
        """Those that filter come first."""
        chips = [self._chip(name) for name in self.chip_order]
        return sorted(chips, key=lambda chip: not chip.value)

    @property
    def active_chips(self) -> list[Chip]:
        return [chip for chip in self.chips if chip.value]

    def _chip(self, name: str) -> Chip:
        if name == "date":
            return self._date_chip()
        return Chip(
            name=name,
            label=str(self.form.fields[name].label),
            value=self._labels(name, self._cleaned.get(name) or []),
            clear=changed(self.data, without=(name, *POSITION)),
            options=self.tenants.options if name == "tenant" else self._options(name),
            tenants=self.tenants if name == "tenant" else None,
        )

    def _options(self, name: str) -> list[Option]:
        chosen = set(self._cleaned.get(name) or [])
        alone = {filtering for filtering, value in self._cleaned.items() if value} <= {name}
        counts = self.counts.get(name, {}) if alone else {}
        hints = self.hints.get(name, {})
        return [
            Option(
                value,
                str(label),
                value in chosen,
                count=formats.number(counts.get(value, 0)) if counts else "",
                hint=str(hints.get(value, "")),
            )
            for value, label in self.form.fields[name].choices
        ]

    def _date_chip(self) -> Chip:
        names = ("date_from", "date_to")
        first, last = (self._cleaned.get(name) for name in names)
        return Chip(
            name="date",
            label=gettext("Date"),
            value=formats.days(first, last),
            clear=changed(self.data, without=(*names, *POSITION)),
            days=[
                Day(name, str(self.form.fields[name].label), day.isoformat() if day else "")
                for name, day in zip(names, (first, last), strict=True)
            ],
            presets=[
                Preset(
                    label,
                    changed(self.data, without=POSITION, date_from=begin, date_to=end),
                    chosen=(begin, end) == (first, last),
                )
                for label, begin, end in _presets(today())
            ],
        )

    def _labels(self, name: str, values: Iterable[str]) -> str:
        labels = dict(self.form.fields[name].choices)
        chosen = [str(labels[value]) for value in values]
        shown = Truncator(", ".join(chosen[:2])).chars(48)
        return f"{shown} +{len(chosen) - 2}" if len(chosen) > 2 else shown


class EventFilter(PageFilter):
    date_field = "received_at"
    chip_order = ("gateway", "date", "event_type", "tenant", "state")
    search_hint = _("Event ID, tenant, invoice…")
    search_help = _("Event ID, tenant, invoice number, or any id of the gateway")
    find = staticmethod(search.events)
    indexes = (
        ("tenant",),
        ("gateway",),
        ("state", "gateway"),
        ("event_type", "state", "gateway"),
        ("tenant", "event_type", "state", "gateway"),
    )

    event_type = AnyOf(label=_("Event type"), choices=())
    state = AnyOf(label=_("Processed"), choices=PaymentEvent.State.choices)
    hints = {
        "state": {
            PaymentEvent.State.WAITING: _("will be applied soon"),
            PaymentEvent.State.PROCESSED: _("was applied"),
            PaymentEvent.State.FAILED: _("is tried again, or waits for a person"),
            PaymentEvent.State.IGNORED: _("changes nothing here"),
            PaymentEvent.State.UNMATCHED: _("was applied, but has no tenant yet"),
            PaymentEvent.State.UNREADABLE: _("is signed, but is no event"),
        }
    }

    class Meta:
        form = FilterForm

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, lists.events())
        types = lists.event_types()
        self.reads.append(types)
        # A type that was not received yet is a fair question, with no rows for an answer.
        asked = given(self.data, "event_type")
        self.filters["event_type"].extra["choices"] = lambda: [
            (name, name) for name in dict.fromkeys([*types.value, *asked])
        ]


OF_MONEY = (
    ("tenant",),
    ("currency", "status", "gateway"),
    ("tenant", "currency", "status", "gateway"),
)


class InvoiceFilter(PageFilter):
    date_field = "created_at"
    chip_order = ("status", "tenant", "date", "currency", "gateway")
    search_hint = _("Invoice number, tenant…")
    search_help = _("Invoice number, tenant, or any id of the gateway")
    find = staticmethod(search.invoices)
    indexes = OF_MONEY

    status = AnyOf(
        label=_("Status"), choices=[(status.value, status.label) for status in Invoice.ISSUED]
    )
    currency = AnyOf(label=_("Currency"), choices=())

    class Meta:
        form = FilterForm

    def __init__(self, query: QueryDict, figures: Read[Totals]) -> None:
        super().__init__(query, lists.invoices())
        self._figures = figures
        self.reads.append(figures)
        self.filters["currency"].extra["choices"] = lambda: [
            (each.currency, each.currency) for each in figures.value.currencies
        ]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        figures = self._figures.value
        by_currency = {each.currency: each.invoices for each in figures.currencies}
        return {"status": figures.by_status, "currency": by_currency}


class ReturnedFilter(PageFilter):
    """What the filters of refunds and disputes have in common."""

    date_field = "created_at"
    #: All rows of the list.
    everything: Callable[[], QuerySet[Any]]
    currency = AnyOf(label=_("Currency"), choices=())

    def __init__(self, query: QueryDict, figures: Read[Totals]) -> None:
        super().__init__(query, type(self).everything())
        self.reads.append(figures)
        # A currency in which nothing is counted may have refunds that failed.
        asked = [code for code in given(self.data, "currency") if _CURRENCY.fullmatch(code)]
        self.filters["currency"].extra["choices"] = lambda: [
            (code, code)
            for code in dict.fromkeys(
                [*(line.currency for line in figures.value.currencies), *asked]
            )
        ]


class RefundFilter(ReturnedFilter):
    chip_order = ("status", "currency", "date", "tenant", "gateway")
    search_hint = _("Refund ID, invoice…")
    search_help = _("Refund ID, invoice number, tenant, or any id of the gateway")
    find = staticmethod(search.refunds)
    indexes = OF_MONEY
    everything = staticmethod(lists.refunds)

    status = AnyOf(label=_("Status"), choices=Refund.Status.choices)

    class Meta:
        form = FilterForm


class Counted(AnyOf):
    """Disputes that the card counts: those that took money."""

    def filter(self, queryset: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return queryset.filter(counted_minor__gt=0) if value else queryset


class DisputeFilter(ReturnedFilter):
    chip_order = ("status", "counted", "currency", "date", "tenant", "gateway")
    search_hint = _("Dispute ID, invoice…")
    search_help = _("Dispute ID, invoice number, tenant, or any id of the gateway")
    find = staticmethod(search.disputes)
    everything = staticmethod(lists.disputes)

    status = AnyOf(label=_("Status"), choices=Dispute.Status.choices)
    counted = Counted(label=_("Counted"), choices=[("1", _("Yes, the money is gone"))])

    class Meta:
        form = FilterForm
