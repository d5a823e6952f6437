"""Every page of the product, at every filter, pair of filters, order, size and depth.

``python -m bench.addresses`` prints addresses by name, as JSON, with values that the database of
DATABASE_URL has. The filters are the product's own, so that a new one is measured as it comes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations, product
from typing import Any
from urllib.parse import urlencode

import django

django.setup()

from django.db.models import Count, Exists, Max, Min, Model, OuterRef, QuerySet  # noqa: E402
from django.http import QueryDict  # noqa: E402
from django.urls import reverse  # noqa: E402

from billing import filters  # noqa: E402
from billing.models import (  # noqa: E402
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
    Tenant,
    TenantClaim,
)
from billing.pagination import OLDEST_FIRST, PAGE_SIZES, Cursor  # noqa: E402
from billing.queries.totals import totals  # noqa: E402

#: Values of a filter: the one that most rows have, one that fewest have, and one that none has.
COMMON, RARE, NONE = "common", "rare", "none"
PAIRS = [(COMMON, COMMON), (COMMON, NONE), (NONE, COMMON), (RARE, COMMON), (COMMON, RARE)]
#: No row has it, whatever it is asked of: ISO 4217 keeps it for tests.
UNKNOWN = "XTS"
#: A name with this at its end is of a first page, whose next pages are to be opened too.
FOLLOW = "→"

Query = dict[str, str]
Named = tuple[str, str]


def address(view: str, *args: object, **query: object) -> str:
    return reverse(view, args=args) + (f"?{urlencode(query)}" if query else "")


def middle(rows: QuerySet[Any]) -> Any:
    """A row in the middle, by primary key, if there is one."""
    ends = rows.order_by().aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return None
    return rows.filter(pk__gte=(ends["first"] + ends["last"]) // 2).order_by("pk").first()


@dataclass
class List:
    """One of the lists. ``form``: its filters, for a query."""

    name: str
    form: Callable[[QueryDict], filters.PageFilter]

    def __post_init__(self) -> None:
        self.all = self.form(QueryDict())
        self.date_field = self.all.date_field
        self.rows: QuerySet[Any] = self.all.qs.order_by()
        columns = {field.name for field in self.rows.model._meta.concrete_fields} - {"tenant"}
        #: The filters that offer the values of a column.
        self.menus = [name for name in self.all.filters if name in columns]

    @cached_property
    def tenants(self) -> tuple[str, str]:
        """The keys of the tenant with most rows, and of one with fewest."""
        rows = self.rows.filter(tenant__isnull=False).values_list("tenant__key")
        counted = list(rows.annotate(rows=Count("pk")).order_by("rows", "tenant__key"))
        return counted[-1][0], counted[0][0]

    @cached_property
    def together(self) -> Counter[frozenset[Named]]:
        """How many rows have each value of the menus, and each two; of tenants, those two only."""
        counted: Counter[frozenset[Named]] = Counter()
        for *values, count in self.rows.values_list(*self.menus).annotate(rows=Count("pk")):
            pairs = list(zip(self.menus, values, strict=True))
            for some in chain(combinations(pairs, 1), combinations(pairs, 2)):
                counted[frozenset(some)] += count
        for key in self.tenants:
            rows = self.rows.filter(tenant__key=key).values_list(*self.menus)
            for *values, count in rows.annotate(rows=Count("pk")):
                tenant = ("tenant", key)
                counted[frozenset([tenant])] += count
                for pair in zip(self.menus, values, strict=True):
                    counted[frozenset([tenant, pair])] += count
        return counted

    @cached_property
    def values(self) -> dict[str, dict[str, Query]]:
        """Per filter, parameters of each kind that there are."""
        found = {name: self._of_menu(name) for name in self.menus}
        big, small = self.tenants
        found["tenant"] = {COMMON: {"tenant": big}, RARE: {"tenant": small}}
        idle = Tenant.objects.exclude(Exists(self.rows.filter(tenant=OuterRef("pk")))).first()
        if idle:
            found["tenant"][NONE] = {"tenant": idle.key}
        one = middle(self.rows)
        found["q"] = {
            COMMON: {"q": Tenant.objects.get(key=big).name},
            RARE: {"q": one.event_id if isinstance(one, PaymentEvent) else one.ref},
            NONE: {"q": UNKNOWN},
        }
        first, between = (
            str(getattr(row, self.date_field).date()) for row in self.first_and_middle
        )
        found["date"] = {
            COMMON: {"date_from": first},
            RARE: {"date_from": between, "date_to": between},
            NONE: {"date_to": str(filters.FIRST_DAY)},
        }
        for name in set(self.all.filters) - set(found) - {"date_from", "date_to", "tenant_q"}:
            # One that is set or not, like that of the disputes that took money.
            found[name] = {COMMON: {name: self.all.filters[name].extra["choices"][0][0]}}
        return found

    def _of_menu(self, name: str) -> dict[str, Query]:
        offered = [value for value, _label in self.all.form.fields[name].choices]
        counted = {value: self.together[frozenset([(name, value)])] for value in offered}
        seen = sorted((count, value) for value, count in counted.items() if count)
        unseen = [value for value, count in counted.items() if not count]
        if not unseen and not self.form(QueryDict(f"{name}={UNKNOWN}")).problems:
            unseen = [UNKNOWN]
        kinds = [
            (COMMON, seen[-1][1]),
            (RARE, seen[0][1]),
            *((NONE, value) for value in unseen[:1]),
        ]
        return {kind: {name: value} for kind, value in kinds}

    def apart(self, first: str, second: str) -> Query | None:
        """Of two filters the values that most rows have, but none has both.

        That is the worst case: who reads along an index for one of them finds nothing to its end.
        """
        alone: dict[str, list[tuple[int, str]]] = {first: [], second: []}
        for key, count in self.together.items():
            for name, value in key if len(key) == 1 else ():
                if name in alone:
                    alone[name].append((count, value))
        found = [
            (min(count, other_count), {first: value, second: other})
            for count, value in alone[first]
            for other_count, other in alone[second]
            if not self.together[frozenset([(first, value), (second, other)])]
        ]
        return max(found, key=lambda each: each[0])[1] if found else None

    @cached_property
    def first_and_middle(self) -> tuple[Any, Any]:
        """The oldest row, and the one in the middle of the time from it to the newest."""
        field = self.date_field
        ends = self.rows.aggregate(first=Min(field), last=Max(field))
        between = ends["first"] + (ends["last"] - ends["first"]) / 2
        in_order = self.rows.order_by(field, "pk")
        return in_order.first(), in_order.filter(**{f"{field}__gte": between}).first()

    def cursor(self, row: Model) -> str:
        return str(Cursor(getattr(row, self.date_field), row.pk))

    def addresses(self) -> Iterator[Named]:
        def named(how: str, what: str, query: Query) -> Named:
            name = " ".join(filter(None, (self.name, what, how)))
            return name, address(f"billing:{self.name}", **query)

        cursor = self.cursor(self.first_and_middle[1])
        ends = {"": {}, "oldest first": {"sort": OLDEST_FIRST}}
        places = ends | {"middle": {"after": cursor}, "before the middle": {"before": cursor}}
        for size, (how, place) in product(PAGE_SIZES, places.items()):
            yield named(how, f"{size} rows", {"per_page": str(size)} | place)
        yield named(FOLLOW, "", {})
        for name, kinds in self.values.items():
            for (kind, value), (how, place) in product(kinds.items(), places.items()):
                yield named(how, f"{name}={kind}", value | place)
            for size in PAGE_SIZES[1:]:
                yield named(
                    f"{size} rows", f"{name}={COMMON}", kinds[COMMON] | {"per_page": str(size)}
                )
            yield named(FOLLOW, f"{name}={COMMON}", kinds[COMMON])
        for one, other in combinations(self.values, 2):
            of_one, of_other = self.values[one], self.values[other]
            pairs = {
                f"{one}={kind} {other}={its}": of_one[kind] | of_other[its]
                for kind, its in PAIRS
                if kind in of_one and its in of_other
            }
            apart = self.apart(one, other)
            if apart:
                pairs[f"{one}={COMMON} {other}={COMMON} never together"] = apart
            for (what, query), (how, place) in product(pairs.items(), list(places.items())[:3]):
                yield named(how, what, query | place)

    def searches(self, terms: dict[str, str]) -> Iterator[Named]:
        for kind, term in terms.items():
            yield f"{self.name} search {kind}", address(f"billing:{self.name}", q=term)


def terms(big: Tenant) -> dict[str, str]:
    """A term of each kind that can be searched for; ids are of rows in the middle of each table."""
    ids: dict[type[Model], list[str]] = {
        PaymentEvent: ["event_id", *(f"{kind}_ref" for kind in TenantClaim.Kind.values)],
        Invoice: ["number", "ref", "customer_ref", "subscription_ref"],
        Payment: ["ref", "intent_ref"],
        Refund: ["ref", "payment_ref"],
        Dispute: ["ref"],
        CreditNote: ["ref", "number"],
        Tenant: ["key", "name"],
    }
    found = {"nothing": UNKNOWN}
    for model, names in ids.items():
        for name in names:
            row = middle(model._default_manager.exclude(**{f"{name}__isnull": True}))
            if row:
                found[f"{model._meta.model_name}.{name}"] = getattr(row, name)
    customer = middle(Customer.objects.filter(tenant=big))
    if customer:
        found["customer of the biggest tenant"] = customer.ref
    return found | {"biggest tenant": big.name, "part of many names": big.name[:2]}


def others(big: Tenant, small: Tenant, events: List, invoices: List) -> Iterator[Named]:
    """The pages that are no lists of events or money, and the parts that pages fetch."""
    event = middle(PaymentEvent.objects.filter(invoice_ref__isnull=False))
    yield "opened event", address("billing:events", q=event.event_id, open=event.pk)
    newest = events.rows.order_by("-received_at", "-pk")[0]
    yield "opened newest event", address("billing:events", open=newest.pk)
    yield "assign", address("billing:assign", event.pk)
    yield "assign search", address("billing:assign", event.pk, q=big.name[:2])
    refunded = Payment.objects.filter(ref=middle(Refund.objects.all()).payment_ref)[0]
    for what, ref in {"": middle(invoices.rows).ref, " refunded": refunded.invoice_ref}.items():
        invoice = Invoice.objects.filter(ref=ref)[0]
        yield f"invoice{what}", address("billing:invoice", invoice.gateway, invoice.ref)
    for each in (events, invoices):
        newest = each.rows.order_by(f"-{each.date_field}", "-pk")[0]
        for when, row in {"newest": newest, "middle": each.first_and_middle[1]}.items():
            since = each.cursor(row)
            yield (
                f"fresh {each.name} since {when}",
                address(f"billing:fresh_{each.name}", since=since),
            )
    for what, term in {
        "": "",
        " named": big.name,
        " part of": big.name[:2],
        " unknown": UNKNOWN,
    }.items():
        yield f"tenant menu{what}", address("billing:tenant_choices", tenant_q=term)
        yield f"tenants{what}", address("billing:tenants", q=term)
    for size in PAGE_SIZES:
        yield f"tenants {size} rows", address("billing:tenants", per_page=size)
        deep = middle(Tenant.objects.all()).pk
        yield f"tenants {size} rows middle", address("billing:tenants", per_page=size, after=deep)
    for which, tenant in {"biggest": big, "smallest": small}.items():
        yield f"tenant {which}", address("billing:tenant", tenant.pk)
        for what, model in {"subscriptions": Subscription, "customers": Customer}.items():
            yield f"tenant {which} {what}", address(f"billing:tenant_{what}", tenant.pk)
            row = middle(model._default_manager.filter(tenant=tenant))
            if row:
                deep = address(f"billing:tenant_{what}", tenant.pk, after=row.pk)
                yield f"tenant {which} {what} middle", deep
    currencies = [line.currency for line in totals().value.currencies]
    yield "trends", address("billing:trends")
    yield "trends, least currency", address("billing:trends", currency=currencies[-1])
    for view in ("tracked_events", "setup", "billing:totals_json", "healthz"):
        yield view.split(":")[-1], address(view)


def addresses() -> dict[str, str]:
    events = List("events", filters.EventFilter)
    invoices = List("invoices", lambda query: filters.InvoiceFilter(query, totals()))
    refunds = List("refunds", lambda query: filters.RefundFilter(query, totals()))
    disputes = List("disputes", lambda query: filters.DisputeFilter(query, totals()))
    lists = [events, invoices, refunds, disputes]
    big, small = (Tenant.objects.get(key=key) for key in invoices.tenants)
    wanted = terms(big)
    return dict(
        chain(
            *(each.addresses() for each in lists),
            *(each.searches(wanted) for each in lists),
            others(big, small, events, invoices),
        )
    )


if __name__ == "__main__":
    print(json.dumps(addresses()))
