"""Keeps workers from waiting for one another: what one is at work on, the others leave for later.

Nearly all that an event touches belongs to one customer of a gateway. A worker holds the customers
of its batch until it commits, each by a lock that it gets at once or not at all; the events of a
customer that another worker holds stay in the inbox, and so do those of a tenant that it makes,
who may have several customers. Rows are locked all the same when they are
merged, for a link that nobody knows yet may lead two workers to one row: then the second waits.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db import transaction

from billing.ledger import sql
from billing.models import Customer, Invoice, Payment, Subscription, Tenant

#: Table, gateway, and the gateway's own id.
Name = tuple[str, str, str]

CUSTOMERS = Customer._meta.db_table
# Their rows may know the customer of an event that does not name it.
KNOW_CUSTOMERS = {model._meta.db_table for model in (Subscription, Invoice, Payment)}


def hold(named: Mapping[int, Collection[Name]], claimed: Mapping[int, Collection[str]]) -> set[int]:
    """Of events, those that may be applied in the caller's transaction.

    ``named`` is what each names, ``claimed`` the keys of the tenants that each claims.
    """
    families: dict[Name, set[Name]] = {}
    for names in named.values():
        _join(families, names)
    for link in _standing_links(families):
        _join(families, link)
    unknown = _unknown(set().union(*claimed.values()))
    keys = {
        event: _keys(families, names) | {f"tenant:{key}" for key in unknown & {*claimed[event]}}
        for event, names in named.items()
    }
    wanted = set().union(*keys.values())
    savepoint = transaction.savepoint()
    held = _try_to_lock(wanted)
    if (others := wanted - held) and not any(own <= held for own in keys.values()):
        # Wait for one of them, holding none, rather than read the same events again and again.
        transaction.savepoint_rollback(savepoint)
        sql.fetch("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", min(others))
        held = _try_to_lock(wanted)
    return {event for event, own in keys.items() if own <= held}


def _join(families: dict[Name, set[Name]], names: Collection[Name]) -> None:
    """Make one family of the names and all that belongs to any of them."""
    if not names:
        return
    joined = max((families.setdefault(name, {name}) for name in names), key=len)
    for name in names:
        family = families[name]
        if family is not joined:
            joined |= family
            families.update(dict.fromkeys(family, joined))


def _standing_links(families: dict[Name, set[Name]]) -> list[tuple[Name, Name]]:
    """The customers of what is named by events that do not name them, as far as rows know them."""
    missing: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (table, gateway, ref), family in families.items():
        if table in KNOW_CUSTOMERS and all(name[0] != CUSTOMERS for name in family):
            missing[table].append((gateway, ref))
    return [
        ((table, gateway, ref), (CUSTOMERS, gateway, customer_ref))
        for table, keys in missing.items()
        for gateway, ref, customer_ref in sql.fetch(
            f"""
            SELECT gateway, ref, customer_ref FROM {table}
            WHERE (gateway, ref) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
                AND customer_ref IS NOT NULL
            """,
            *map(list, zip(*keys, strict=True)),
        )
    ]


def _unknown(tenants: Collection[str]) -> set[str]:
    """Those that must be made. A worker would wait for another that makes the same."""
    known = Tenant.objects.filter(key__any_of=tenants).values_list("key", flat=True)
    return {*tenants}.difference(known)


def _keys(families: dict[Name, set[Name]], names: Collection[Name]) -> set[str]:
    """What is locked for an event: the customers of its family, or all of one without any."""
    family = families[next(iter(names))] if names else set()
    return {
        f"family:{':'.join(name)}"
        for name in {name for name in family if name[0] == CUSTOMERS} or family
    }


def _try_to_lock(keys: Collection[str]) -> set[str]:
    return {
        key
        for (key,) in sql.fetch(
            "SELECT key FROM unnest(%s::text[]) AS keys (key)"
            " WHERE pg_try_advisory_xact_lock(hashtextextended(key, 0))",
            sorted(keys),
        )
    }
