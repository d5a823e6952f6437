"""Whose payments these are.

Events claim that a gateway's object belongs to a tenant; a claim is kept on the strongest object
that the event names: customer, subscription, invoice, payment. From there the tenant flows down to
all that names the object, whichever arrived first. What a subscription knows flows up to its
customer first, so that each one found teaches the others.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from billing.facts import Refs, TenantFact
from billing.ledger import sql
from billing.models import (
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
)

# Of the claims on an object: a person's, else the earliest by gateway time; of one moment, the one
# that can be trusted most. See the settled question "tenant of an event" in docs/adr. Each name by
# which claims on it are kept leads into the index by itself, for OFFSET 0 is not planned across: a
# condition with OR, IN or a join may read all claims of a kind, or of a gateway.
BEST_CLAIM = """
    SELECT claim.tenant_id FROM ({names}) AS named (kind, ref), LATERAL (
        SELECT * FROM billing_tenantclaim
        WHERE gateway = x.gateway AND kind = named.kind AND ref = named.ref OFFSET 0
    ) AS claim
    ORDER BY by_person DESC, claimed_at_ms, trust, event_id COLLATE "C" LIMIT 1
"""
# A payment without an invoice is one by the same ref, so that a claim on either is on both. An
# invoice has the claims of its payments too, a customer those of its subscriptions.
OF_PAYMENT = "VALUES ('payment', x.ref), ('invoice', x.ref)"
NAMES = {
    "customer": """
        VALUES ('customer', x.ref) UNION ALL
        SELECT 'subscription', s.ref FROM billing_subscription s
        WHERE s.gateway = x.gateway AND s.customer_ref = x.ref
    """,
    "subscription": "VALUES ('subscription', x.ref)",
    "invoice": f"""
        {OF_PAYMENT} UNION ALL
        SELECT kind, p.ref FROM billing_payment p, (VALUES ('payment'), ('invoice')) AS kinds (kind)
        WHERE p.gateway = x.gateway AND p.invoice_ref = x.ref
    """,
    "payment": OF_PAYMENT,
}


@dataclass(frozen=True)
class Level:
    """One table that has tenants, and from which tables it takes them: the first that knows."""

    table: str
    parents: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    #: Followed until nothing changes: rows of the table are parents of others in it.
    repeated: bool = False


CUSTOMERS, SUBSCRIPTIONS, INVOICES, CREDIT_NOTES, PAYMENTS, REFUNDS, DISPUTES, EVENTS = (
    model._meta.db_table
    for model in (
        Customer,
        Subscription,
        Invoice,
        CreditNote,
        Payment,
        Refund,
        Dispute,
        PaymentEvent,
    )
)
# Downwards: each level after all that it takes tenants from.
LEVELS = (
    Level(CUSTOMERS, kind="customer"),
    Level(SUBSCRIPTIONS, (("customer_ref", CUSTOMERS),), "subscription"),
    Level(INVOICES, (("customer_ref", CUSTOMERS), ("subscription_ref", SUBSCRIPTIONS)), "invoice"),
    Level(CREDIT_NOTES, (("customer_ref", CUSTOMERS), ("invoice_ref", INVOICES))),
    Level(
        PAYMENTS,
        (
            ("customer_ref", CUSTOMERS),
            ("subscription_ref", SUBSCRIPTIONS),
            ("invoice_ref", INVOICES),
            ("intent_ref", PAYMENTS),
        ),
        "payment",
        repeated=True,
    ),
    Level(REFUNDS, (("payment_ref", PAYMENTS), ("invoice_ref", INVOICES))),
    Level(DISPUTES, (("payment_ref", PAYMENTS),)),
    Level(
        EVENTS,
        (
            ("customer_ref", CUSTOMERS),
            ("subscription_ref", SUBSCRIPTIONS),
            ("invoice_ref", INVOICES),
            ("payment_ref", PAYMENTS),
        ),
    ),
)


def _parents_tenants(level: Level) -> list[str]:
    """SQL for the tenants of the rows that a row ``x`` names, the one that counts most first."""
    return [
        f"(SELECT p.tenant_id FROM {parent} p WHERE p.gateway = x.gateway AND p.ref = x.{column})"
        for column, parent in level.parents
    ]


#: By table, SQL for the tenant of a row ``x`` as far as the rows that it names know it. Once they
#: are settled that is an event's.
FROM_PARENTS = {
    level.table: f"COALESCE({', '.join([*_parents_tenants(level), 'NULL::bigint'])})"
    for level in LEVELS
}
#: What an event is that was applied, by its new tenant.
STATE = "CASE WHEN new.tenant_id IS NULL THEN 'unmatched' ELSE 'processed' END"


@dataclass
class Touched:
    """What a batch named or wrote: refs by table."""

    refs: dict[str, set[str]] = field(default_factory=dict)
    #: Those of rows that it made, which others may have named before.
    new: dict[str, set[str]] = field(default_factory=dict)

    def of(self, table: str) -> set[str]:
        return self.refs.get(table, set())

    def add(self, table: str, *refs: str | None) -> None:
        self.refs.setdefault(table, set()).update(ref for ref in refs if ref)

    def add_new(self, table: str, ref: str) -> None:
        self.add(table, ref)
        self.new.setdefault(table, set()).add(ref)


def strongest(refs: Refs) -> tuple[str, str] | None:
    """The object that a claim is kept on: its kind and ref."""
    for kind in ("customer", "subscription", "invoice", "payment"):
        if (ref := getattr(refs, kind)) is not None:
            return kind, ref
    return None


@dataclass(frozen=True, order=True)
class Claim:
    """An event's claim, ordered so that equal keys are locked in one order."""

    gateway: str
    kind: str
    ref: str
    tenant_key: str
    claimed_at_ms: int
    trust: int
    event_id: str

    @classmethod
    def of(
        cls, gateway: str, refs: Refs, fact: TenantFact, at_ms: int, event_id: str
    ) -> "Claim | None":
        on = strongest(refs)
        if on is None:
            return None
        return cls(gateway, *on, fact.key, at_ms, int(fact.trust), event_id)


def record(claims: Collection[Claim]) -> list[tuple[str, str, str]]:
    """Keep claims, the earliest of each tenant on each object; a tenant not known yet is made.

    Returns the objects of which not all claims stood already: gateway, kind and ref.
    """
    if not claims:
        return []
    keys = sorted({claim.tenant_key for claim in claims})
    # One statement cannot write a row twice: keep the earliest of each here too.
    earliest: dict[tuple[str, str, str, str], Claim] = {}
    for claim in sorted(claims):
        earliest.setdefault((claim.gateway, claim.kind, claim.ref, claim.tenant_key), claim)
    rows = list(earliest.values())
    sql.execute(
        "INSERT INTO billing_tenant (key, name, billing_email, created_at)"
        " SELECT key, key, '', now() FROM unnest(%s::text[]) AS keys (key)"
        " WHERE NOT EXISTS (SELECT FROM billing_tenant known WHERE known.key = keys.key)"
        " ORDER BY key ON CONFLICT (key) DO NOTHING",
        keys,
    )
    return sql.fetch(
        """
        INSERT INTO billing_tenantclaim AS standing
            (gateway, kind, ref, tenant_id, by_person, claimed_at_ms, trust, event_id)
        SELECT gateway, kind, ref, tenant.id, false, claimed_at_ms, trust, event_id
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[],
                    %s::smallint[], %s::text[])
            AS new (gateway, kind, ref, tenant_key, claimed_at_ms, trust, event_id)
        JOIN billing_tenant tenant ON tenant.key = new.tenant_key
        ORDER BY gateway, kind, ref, tenant.id
        ON CONFLICT (gateway, kind, ref, tenant_id) WHERE NOT by_person DO UPDATE
        SET claimed_at_ms = excluded.claimed_at_ms, trust = excluded.trust,
            event_id = excluded.event_id
        WHERE (excluded.claimed_at_ms, excluded.trust, excluded.event_id COLLATE "C")
            < (standing.claimed_at_ms, standing.trust, standing.event_id COLLATE "C")
        RETURNING gateway, kind, ref
        """,
        [row.gateway for row in rows],
        [row.kind for row in rows],
        [row.ref for row in rows],
        [row.tenant_key for row in rows],
        [row.claimed_at_ms for row in rows],
        [row.trust for row in rows],
        [row.event_id for row in rows],
    )


def settle(gateway: str, touched: Touched) -> None:
    """Give everything that was touched, and all that depends on it, the tenant that it now has.

    Nothing else can have another: a tenant follows from claims, from what names what, and from
    which rows there are.
    """
    touched.add(CUSTOMERS, *_customers_of(gateway, touched.of(SUBSCRIPTIONS)))
    touched.add(INVOICES, *_invoices_of(gateway, touched.of(PAYMENTS) | touched.of(INVOICES)))
    changed: dict[str, Sequence[str]] = {}
    for level in LEVELS:
        ids = _lock(level, gateway, touched, changed)
        changed[level.table] = [*_assign(level, ids), *touched.new.get(level.table, ())]
        while level.repeated and (ids := _lock_dependents(level, gateway, changed)):
            more = _assign(level, ids)
            if not more:
                break
            changed[level.table] = [*changed[level.table], *more]


def _customers_of(gateway: str, subscription_refs: Collection[str]) -> list[str | None]:
    if not subscription_refs:
        return []
    return list(
        Subscription.objects.filter(gateway=gateway, ref__any_of=subscription_refs)
        .exclude(customer_ref=None)
        .values_list("customer_ref", flat=True)
    )


def _invoices_of(gateway: str, payment_refs: Collection[str]) -> list[str | None]:
    return list(
        Payment.objects.filter(gateway=gateway, ref__any_of=payment_refs)
        .exclude(invoice_ref=None)
        .values_list("invoice_ref", flat=True)
    )


def _lock(
    level: Level, gateway: str, touched: Touched, changed: dict[str, Sequence[str]]
) -> list[int]:
    """The rows of a level that were touched or that take their tenant from a row that changed."""
    conditions: list[str] = []
    parameters: list[Any] = []
    if refs := touched.of(level.table):
        conditions.append("ref = ANY(%s)")
        parameters.append(sorted(refs))
    for column, parent in level.parents:
        if changed.get(parent):
            conditions.append(f"{column} = ANY(%s)")
            parameters.append(list(changed[parent]))
    return _select_ids(level, gateway, conditions, parameters) if conditions else []


def _lock_dependents(level: Level, gateway: str, changed: dict[str, Sequence[str]]) -> list[int]:
    """The rows of a level that take their tenant from rows of the same level that changed."""
    columns = [column for column, parent in level.parents if parent == level.table]
    if not changed[level.table]:
        return []
    return _select_ids(
        level,
        gateway,
        [f"{column} = ANY(%s)" for column in columns],
        [list(changed[level.table])] * len(columns),
    )


def _select_ids(
    level: Level, gateway: str, conditions: list[str], parameters: list[Any]
) -> list[int]:
    found = sql.fetch(
        f"""
        SELECT id FROM {level.table} WHERE gateway = %s AND ({" OR ".join(conditions)})
        ORDER BY id FOR UPDATE
        """,
        gateway,
        *parameters,
    )
    return [pk for (pk,) in found]


def _assign(level: Level, ids: Sequence[int]) -> list[str]:
    """Give rows, which must be locked, the tenant that they now have; returns refs that changed."""
    if not ids:
        return []
    sources = _parents_tenants(level)
    if level.kind:
        sources.append(f"({BEST_CLAIM.format(names=NAMES[level.kind])})")
    set_state, state_differs, returned = "", "", "ref"
    if level.table == EVENTS:
        set_state = f", state = {STATE}"
        state_differs = f"OR old.state <> {STATE}) AND (old.state IN ('processed', 'unmatched')"
        returned = "event_id"
    found = sql.fetch(
        f"""
        UPDATE {level.table} AS old SET tenant_id = new.tenant_id{set_state}
        FROM (
            SELECT x.id, COALESCE({", ".join(sources)}, NULL) AS tenant_id
            FROM {level.table} x WHERE x.id = ANY(%s)
            OFFSET 0 -- so that it is worked out once, and not for each use
        ) AS new
        WHERE old.id = new.id
            AND (old.tenant_id IS DISTINCT FROM new.tenant_id {state_differs})
        RETURNING old.{returned}
        """,
        list(ids),
    )
    return [ref for (ref,) in found]
