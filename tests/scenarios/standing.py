"""What stands in the books, in the words of scenario files, and how it differs from what should."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from billing import exports
from billing.models import (
    Dispute,
    Invoice,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
    TenantClaim,
)
from billing.queries import lists
from billing.queries.totals import totals
from tests.scenarios.reading import Expected

#: Kinds whose expectations are complete.
COMPLETE = {"invoice", "refund", "dispute", "notice", "conflict", "totals"}

#: By kind and id: what is said, and the details.
Standing = dict[tuple[str, str], tuple[str, dict[str, str]]]


def standing(events: Mapping[str, int]) -> Standing:
    """What stands now; ``events`` are the primary keys of the events by name."""
    links = _links()
    found: Standing = {}
    invoices = list(Invoice.objects.filter(status__in=Invoice.ISSUED).select_related("tenant"))
    refunded = _refunded()
    names = {(invoice.gateway, invoice.ref): invoice.display_number for invoice in invoices}

    def of(gateway: str, payment_ref: str | None, invoice_ref: str | None = None) -> str:
        ref = links.get((gateway, payment_ref or "")) or invoice_ref or ""
        return names.get((gateway, ref), "none")

    for invoice in invoices:
        found["invoice", invoice.display_number] = (
            f"{invoice.status} {invoice.amount} {invoice.currency}",
            {
                "tax": str(invoice.tax or "none"),
                "refunded": refunded[invoice.gateway, invoice.ref],
                "tenant": invoice.tenant.key if invoice.tenant else "none",
                "word": invoice.gateway_status or "none",
                "attention": invoice.attention or "none",
                "attempts": str(invoice.attempt_count or 0),
            },
        )
    for refund in Refund.objects.select_related("tenant"):
        status = "unnamed" if refund.remainder else refund.status
        found["refund", refund.ref] = (
            f"{status} {refund.amount} {refund.currency}",
            {
                "of": of(refund.gateway, refund.payment_ref, refund.invoice_ref),
                "tenant": refund.tenant.key if refund.tenant else "none",
            },
        )
    for dispute in Dispute.objects.select_related("tenant"):
        counted = type(dispute.amount)(dispute.counted_minor, dispute.currency, dispute.exponent)
        found["dispute", dispute.ref] = (
            f"{dispute.status} {dispute.amount} {dispute.currency}",
            {
                "counted": str(counted),
                "of": of(dispute.gateway, dispute.payment_ref),
                "tenant": dispute.tenant.key if dispute.tenant else "none",
            },
        )
    for subscription in Subscription.objects.select_related("tenant"):
        found["subscription", subscription.ref] = (
            subscription.status or "none",
            {
                "plan": subscription.plan or "none",
                "quantity": str(subscription.quantity or "none"),
                "from": _day(subscription.period_start_at),
                "until": _day(subscription.period_end_at),
                "cancels": _day(subscription.cancel_at),
                "customer": subscription.customer_ref or "none",
                "tenant": subscription.tenant.key if subscription.tenant else "none",
            },
        )
    for notice in Notification.objects.all():
        about = notice.invoice_ref or notice.subscription_ref
        found["notice", f"{about} {notice.attempt}"] = (notice.kind, {})
    claimed: dict[str, set[str]] = defaultdict(set)
    for claim in TenantClaim.objects.select_related("tenant"):
        claimed[claim.ref].add(claim.tenant.key)
    for ref, keys in claimed.items():
        if len(keys) > 1:
            found["conflict", ref] = (" ".join(sorted(keys)), {})
    for event in PaymentEvent.objects.filter(pk__in=events.values()).select_related("tenant"):
        name = next(name for name, pk in events.items() if pk == event.pk)
        found["state", name] = (
            event.state,
            {
                "because": event.reason or "none",
                "tenant": event.tenant.key if event.tenant else "none",
            },
        )
    figures = totals().value
    found["count", ""] = ("", {word: str(n) for word, n in figures.by_status.items()})
    for one in figures.currencies:
        words = ("revenue", "refunded", "pending", "disputed")
        found["totals", one.currency] = ("", {word: str(getattr(one, word)) for word in words})
    return found


def differences(stands: Standing, expected: Sequence[Expected]) -> list[str]:
    """One line for each difference between what stands and what a scenario says."""
    lines: list[str] = []
    listed = {(line.kind, _ref(line)) for line in expected}
    listed |= {("state", ref) for kind, ref in stands if kind == "state"}
    for line in [*expected, *_processed(stands, expected)]:
        said, details = stands.get((line.kind, _ref(line)), ("nothing", {}))
        wanted = "" if line.kind == "notice" else line.said
        if line.kind != "notice" and said != wanted:
            lines.append(f"{line.text}\n    but it is: {said}")
        elif said == "nothing":
            lines.append(f"{line.text}\n    but there is none")
        for name, value in line.details.items():
            is_so = details.get(name, "nothing")
            if is_so != value and not (name == "because" and value in is_so):
                lines.append(f"{line.text}\n    but {name} is {is_so}")
    for (kind, ref), (said, details) in stands.items():
        if kind in COMPLETE and (kind, ref) not in listed:
            lines.append(f"not expected: {kind} {ref} {said} {details}")
    return lines


def _ref(line: Expected) -> str:
    return f"{line.ref} {line.said}" if line.kind == "notice" else line.ref


def _processed(stands: Standing, expected: Sequence[Expected]) -> list[Expected]:
    """Every event that no line speaks of must be processed."""
    spoken_of = {line.ref for line in expected if line.kind == "state"}
    return [
        Expected("state", ref, "processed", {}, f"state {ref} processed")
        for kind, ref in stands
        if kind == "state" and ref not in spoken_of
    ]


def _day(at: datetime | None) -> str:
    return at.strftime("%m-%d") if at else "none"


def _refunded() -> dict[tuple[str | None, str | None], str]:
    """What was refunded of each invoice, as their export says it."""
    export = exports.invoices(lists.Rows(lists.invoices()), newest_first=True)
    names = [column.name for column in export.columns]
    rows = [dict(zip(names, row, strict=True)) for chunk in export.chunks for row in chunk]
    return {
        (row["gateway"], row["gateway_invoice_id"]): row["amount_refunded"] or "" for row in rows
    }


def _links() -> dict[tuple[str, str], str]:
    """The invoice of each payment: its own, its intent's, or that of a charge of it."""
    payments = {(row.gateway, row.ref): row for row in Payment.objects.all()}
    links = {key: row.invoice_ref for key, row in payments.items() if row.invoice_ref}
    for (gateway, _), row in payments.items():
        if row.intent_ref and row.invoice_ref:
            links.setdefault((gateway, row.intent_ref), row.invoice_ref)
    for key, row in payments.items():
        if row.intent_ref and (found := links.get((row.gateway, row.intent_ref))):
            links.setdefault(key, found)
    return links
