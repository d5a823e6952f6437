"""How the gateways' objects name one another."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q

from billing.models import Payment

#: A gateway and the gateway's own id of an object.
Key = tuple[str, str]


def among(column: str, keys: Iterable[Key]) -> Q:
    """``column`` and gateway are among ``keys``."""
    by_gateway: dict[str, set[str]] = defaultdict(set)
    for gateway, ref in keys:
        by_gateway[gateway].add(ref)
    return reduce(
        or_, (Q(gateway=gateway, **{f"{column}__in": refs}) for gateway, refs in by_gateway.items())
    )


def invoices_by_payment(payments: set[Key]) -> dict[Key, Key]:
    """The invoice of each payment, for those that have one.

    A charge may know its invoice only through its payment intent, and an intent only through its
    charge. Two queries, for any number of payments.
    """
    links: dict[Key, Key] = {}
    intents: dict[Key, Key] = {}
    near = Payment.objects.filter(among("ref", payments) | among("intent_ref", payments))
    for gateway, ref, intent_ref, invoice_ref in near.values_list(
        "gateway", "ref", "intent_ref", "invoice_ref"
    ):
        if intent_ref:
            intents[gateway, ref] = (gateway, intent_ref)
        if invoice_ref:
            links[gateway, ref] = (gateway, invoice_ref)
            if intent_ref:
                links.setdefault((gateway, intent_ref), (gateway, invoice_ref))
    unknown = {intent for intent in intents.values() if intent not in links}
    if unknown:
        far = Payment.objects.filter(
            among("ref", unknown) | among("intent_ref", unknown), invoice_ref__isnull=False
        )
        for gateway, ref, intent_ref, invoice_ref in far.values_list(
            "gateway", "ref", "intent_ref", "invoice_ref"
        ):
            for payment in filter(None, (ref, intent_ref)):
                links.setdefault((gateway, payment), (gateway, invoice_ref or ""))
    for charge, intent in intents.items():
        if intent in links:
            links.setdefault(charge, links[intent])
    return {key: links[key] for key in payments if key in links}


def payments_of(invoices: Iterable[Key]) -> dict[Key, Key]:
    """The payments that name one of the invoices, and the charges of those that are intents.

    Each with its invoice. Two queries, for any number of invoices.
    """
    named = Payment.objects.filter(among("invoice_ref", invoices))
    paid_by = {
        (gateway, ref): (gateway, invoice_ref or "")
        for gateway, ref, invoice_ref in named.values_list("gateway", "ref", "invoice_ref")
    }
    if paid_by:
        charges = Payment.objects.filter(among("intent_ref", paid_by))
        for gateway, ref, intent_ref in charges.values_list("gateway", "ref", "intent_ref"):
            paid_by.setdefault((gateway, ref), paid_by[gateway, intent_ref or ""])
    return paid_by
