"""The only writer of billing rows: merges what events say, many events at a time.

It never overwrites: a merge takes what stands and what is said and gives what stands then, in a
way that does not depend on the order (see `billing.ledger.stamps`). All the writes of a batch stand
or fall with the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils import timezone
from orjson import dumps

from billing.facts import (
    CreditNoteFact,
    CustomerFact,
    DisputeFact,
    FailureFact,
    InvoiceFact,
    ObjectFact,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    SubscriptionFact,
    TenantFact,
)
from billing.ledger import derived, families, history, rows, sql, tenancy
from billing.ledger.rows import Key
from billing.ledger.stamps import Row, Stamp, columns, milliseconds, rank
from billing.models import (
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
    Tenant,
    TenantClaim,
)

__all__ = ["ReadEvent", "apply", "assign_tenant", "assigned_on", "forget", "hold"]

#: In the order in which tables are locked.
TABLES: dict[type[ObjectFact], rows.Model] = {
    CustomerFact: Customer,
    SubscriptionFact: Subscription,
    InvoiceFact: Invoice,
    CreditNoteFact: CreditNote,
    PaymentFact: Payment,
    RefundFact: Refund,
    DisputeFact: Dispute,
}
#: The columns that name a row of another table, or of the same, and that table.
LINKS: dict[str, rows.Model] = {
    "customer_ref": Customer,
    "subscription_ref": Subscription,
    "invoice_ref": Invoice,
    "intent_ref": Payment,
    "payment_ref": Payment,
}
# Those of each fact.
LINKED = {
    fact: [(field.name, LINKS[field.name]) for field in fields(fact) if field.name in LINKS]
    for fact in TABLES
}
# An event that only names one of these makes an empty row, which says whose it is and what links
# to it. An invoice without an amount is no invoice, so it gets none.
NAMED_ROWS = (Customer, Subscription, Payment)


@dataclass(frozen=True)
class ReadEvent:
    """An event of the inbox and what it says."""

    pk: int
    gateway: str
    event_id: str
    occurred_at: datetime | None
    reading: Reading

    @cached_property
    def named(self) -> list[tuple[rows.Model, str]]:
        """The rows that it names: they are locked, though nothing may be said of them."""
        refs = self.reading.refs
        named: list[tuple[rows.Model, str | None]] = [
            (Customer, refs.customer),
            (Subscription, refs.subscription),
            (Invoice, refs.invoice),
            (Payment, refs.payment),
        ]
        for fact in self.reading.facts:
            if isinstance(fact, ObjectFact):
                named.append((TABLES[type(fact)], fact.ref))
                for column, model in LINKED[type(fact)]:
                    named.append((model, getattr(fact, column)))
        return [(model, ref) for model, ref in dict.fromkeys(named) if ref is not None]


@dataclass(frozen=True, slots=True)
class Said:
    """Something said about a row, and by which event."""

    values: dict[str, Any]
    stamp: Stamp
    event_pk: int


def hold(events: Sequence[ReadEvent]) -> set[int]:
    """The ids of those ``events`` whose customers no other worker is at work on.

    None will be, until the caller's transaction ends. `apply` is right without it; it only keeps
    workers apart, so that none waits for another's rows.
    """
    return families.hold(
        {
            event.pk: [(model._meta.db_table, event.gateway, ref) for model, ref in event.named]
            for event in events
        },
        {
            event.pk: [fact.key for fact in event.reading.facts if isinstance(fact, TenantFact)]
            for event in events
        },
    )


def apply(events: Sequence[ReadEvent], *, alone: bool = False) -> None:
    """Merge what ``events`` say and mark them processed, in the caller's transaction.

    ``alone`` says that nobody else applies events meanwhile.
    """
    said: dict[rows.Model, dict[Key, list[Said]]] = {model: {} for model in TABLES.values()}
    claims: set[tenancy.Claim] = set()
    notifications: list[Notification] = []
    touched: dict[str, tenancy.Touched] = defaultdict(tenancy.Touched)
    moved: dict[str, tenancy.Touched] = defaultdict(tenancy.Touched)
    for event in events:
        at_ms = milliseconds(event.occurred_at)
        for model, ref in event.named:
            said[model].setdefault((event.gateway, ref), [])
        for fact in event.reading.facts:
            match fact:
                case ObjectFact():
                    stamp = [rank(fact), at_ms, fact.step, event.event_id]
                    said[TABLES[type(fact)]][event.gateway, fact.ref].append(
                        Said(columns(fact), stamp, event.pk)
                    )
                case TenantFact():
                    claim = tenancy.Claim.of(
                        event.gateway, event.reading.refs, fact, at_ms, event.event_id
                    )
                    claims |= {claim} if claim else set()
                case FailureFact():
                    notifications.append(_notification(event, fact))
    # First, for a tenant may be new to two workers at once: the second waits, and holds no row yet.
    for gateway, kind, ref in tenancy.record(claims):
        moved[gateway].add(f"billing_{kind}", ref)
    changes: dict[int, list[history.Change]] = defaultdict(list)
    for model, by_key in said.items():
        _merge(model, by_key, changes, touched, moved, alone)
        for gateway, ref in by_key:
            touched[gateway].add(model._meta.db_table, ref)
    # The outbox row is unique, so that an attempt is told once however often it is reported.
    Notification.objects.bulk_create(notifications, ignore_conflicts=True)
    for gateway, what in sorted(touched.items()):
        payments, invoices = what.of(tenancy.PAYMENTS), what.of(tenancy.INVOICES)
        derived.supersede_payments(gateway, payments | invoices)
        derived.close_cycles(gateway, what.of(tenancy.SUBSCRIPTIONS))
        derived.credit_invoices(gateway, invoices)
        refunds = derived.settle_payments(gateway, payments, invoices)
        moved[gateway].add(tenancy.REFUNDS, *refunds)
    for gateway, what in sorted(moved.items()):
        tenancy.settle(gateway, what)
    # Last, when all that tells whose they are is settled: an event is written once.
    _mark(events, changes)


def assign_tenant(events: Iterable[PaymentEvent], tenant: Tenant, user: Any) -> int:
    """Record that a person says whose events these are; returns how many it could be kept for.

    The word is kept on the strongest object that an event names, so that it teaches the customer,
    and beats every claim of an event. Everything of that object moves with it.
    """
    assigned = 0
    with transaction.atomic():
        touched: dict[str, tenancy.Touched] = defaultdict(tenancy.Touched)
        for event in events:
            on = assigned_on(event)
            if on is None:
                continue
            kind, ref = on
            TenantClaim.objects.update_or_create(
                gateway=event.gateway,
                kind=kind,
                ref=ref,
                by_person=True,
                defaults={"tenant": tenant, "assigned_by": user},
            )
            touched[event.gateway].add(f"billing_{kind}", ref)
            assigned += 1
        for gateway, what in sorted(touched.items()):
            tenancy.settle(gateway, what)
    return assigned


def assigned_on(event: PaymentEvent) -> tuple[str, str] | None:
    """The kind and ref of what a person's word about ``event`` is kept on, if it names anything."""
    return tenancy.strongest(
        Refs(
            customer=event.customer_ref,
            subscription=event.subscription_ref,
            invoice=event.invoice_ref,
            payment=event.payment_ref,
        )
    )


def _merge(
    model: rows.Model,
    by_key: dict[Key, list[Said]],
    changes: dict[int, list[history.Change]],
    touched: dict[str, tenancy.Touched],
    moved: dict[str, tenancy.Touched],
    alone: bool,
) -> None:
    """Merge all that was said of one table's rows, and note what each event changed.

    What may have another tenant now goes into ``moved``.
    """
    if not by_key:
        return
    standing = rows.lock(model, by_key, alone)
    made: dict[Key, Row] = {}
    for key, sayings in by_key.items():
        row = standing.get(key)
        if row is None:
            if not sayings and model not in NAMED_ROWS:
                continue
            row = made[key] = Row(None, {}, {})
            moved[key[0]].add_new(model._meta.db_table, key[1])
        for saying in sayings:
            changed = row.merge(saying.values, saying.stamp)
            if changed:
                kind = str(model._meta.model_name)
                changes[saying.event_pk] += history.changes(kind, key[1], row, changed)
                for column, before, after in changed:
                    if column in LINKS:
                        table = LINKS[column]._meta.db_table
                        # What it named before has to be worked out anew too.
                        touched[key[0]].add(table, before)
                        moved[key[0]].add(model._meta.db_table, key[1])
                        moved[key[0]].add(table, before, after)
    rows.insert(model, made)
    rows.update(model, {key: row for key, row in standing.items() if row.changed})


def _notification(event: ReadEvent, fact: FailureFact) -> Notification:
    return Notification(
        gateway=event.gateway,
        kind=fact.kind.value,
        invoice_ref=fact.invoice_ref,
        subscription_ref=fact.subscription_ref,
        attempt=fact.attempt,
        occurred_at=event.occurred_at,
        currency=fact.money.currency if fact.money else None,
        exponent=fact.money.exponent if fact.money else None,
        amount_minor=fact.money.minor if fact.money else None,
    )


def _mark(events: Sequence[ReadEvent], changes: dict[int, list[history.Change]]) -> None:
    """Write on the events what they were about, and whose they are.

    What an event changed, and when, is said once: reading it again does not rewrite history.
    """
    refs = [event.reading.refs for event in events]
    sql.execute(
        f"""
        UPDATE billing_paymentevent AS event SET
            customer_ref = new.customer_ref, subscription_ref = new.subscription_ref,
            invoice_ref = new.invoice_ref, payment_ref = new.payment_ref,
            tenant_id = new.tenant_id, state = {tenancy.STATE},
            reason = '', next_attempt_at = NULL,
            processed_at = COALESCE(event.processed_at, %s),
            changes = COALESCE(event.changes, new.changes)
        FROM (
            SELECT *, {tenancy.FROM_PARENTS[tenancy.EVENTS]} AS tenant_id
            FROM unnest(
                %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::jsonb[]
            ) AS x (
                id, gateway, customer_ref, subscription_ref, invoice_ref, payment_ref, changes
            )
            OFFSET 0 -- so that the tenant is looked up once, and not for each use
        ) AS new
        WHERE event.id = new.id
        """,
        timezone.now(),
        [event.pk for event in events],
        [event.gateway for event in events],
        [ref.customer for ref in refs],
        [ref.subscription for ref in refs],
        [ref.invoice for ref in refs],
        [ref.payment for ref in refs],
        [dumps(changes.get(event.pk, [])).decode() for event in events],
    )


def forget() -> None:
    """Remove every row that follows from events, so that they can be applied anew.

    What people said (tenants, assignments) and what was sent (notifications) stays.
    """
    for model in reversed(TABLES.values()):
        model._default_manager.all().delete()
    TenantClaim.objects.filter(by_person=False).delete()
