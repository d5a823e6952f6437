"""The rows of each list as a table of plain values, chunk by chunk, to be written to a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.models import Dispute, Invoice, PaymentEvent, Refund
from billing.money import Money
from billing.pagination import walk
from billing.queries.details import invoices_of, refunded_minor
from billing.queries.lists import Rows

Cell = str | Money | datetime | None
Row = list[Cell]

EVENT_COLUMNS = (
    *("gateway", "event_type", "tenant", "event_id", "state", "received_at", "occurred_at"),
    *("invoice_number", "invoice_amount", "invoice_status", "currency", "error"),
)
INVOICE_COLUMNS = (
    *("invoice_number", "tenant", "gateway", "gateway_invoice_id", "currency", "amount", "tax"),
    *("amount_refunded", "status", "gateway_status", "created_at"),
)
REFUND_COLUMNS = (
    *("refund_id", "invoice_number", "gateway_invoice_id", "tenant", "gateway", "payment"),
    *("currency", "amount", "status", "created_at"),
)
DISPUTE_COLUMNS = (
    *("dispute_id", "invoice_number", "gateway_invoice_id", "tenant", "gateway", "payment"),
    *("currency", "amount", "counted", "status", "gateway_status", "created_at"),
)


@dataclass(frozen=True, slots=True)
class Export:
    """``chunks`` gives some thousand rows at a time, read when it is their turn."""

    name: str
    columns: tuple[str, ...]
    chunks: Iterator[list[Row]]


def events(source: Rows[PaymentEvent], *, newest_first: bool, with_invoices: bool) -> Export:
    """``with_invoices``: the reader may see invoices; otherwise their columns are empty."""

    def rows(events: list[PaymentEvent]) -> Iterator[Row]:
        linked = invoices_of(events) if with_invoices else {}
        for event in events:
            invoice = linked.get(event.pk)
            yield [
                event.gateway,
                event.event_type,
                event.tenant.name if event.tenant else None,
                event.event_id,
                event.state,
                event.received_at,
                event.occurred_at,
                *(_invoice_cells(invoice) if invoice else [None] * 4),
                event.reason,
            ]

    chunks = walk(source, "received_at", newest_first=newest_first)
    return Export("payment-events", EVENT_COLUMNS, _each(chunks, rows))


def _invoice_cells(invoice: Invoice) -> Row:
    return [invoice.display_number, invoice.amount, invoice.status, invoice.currency]


def invoices(source: Rows[Invoice], *, newest_first: bool) -> Export:
    def rows(invoices: list[Invoice]) -> Iterator[Row]:
        refunded = refunded_minor(invoices)
        for invoice in invoices:
            yield [
                invoice.display_number,
                invoice.tenant.name if invoice.tenant else None,
                invoice.gateway,
                invoice.ref,
                invoice.currency,
                invoice.amount,
                invoice.tax,
                Money(refunded.get(invoice.pk, 0), invoice.currency, invoice.exponent),
                invoice.status,
                invoice.gateway_status,
                invoice.created_at,
            ]

    chunks = walk(source, "created_at", newest_first=newest_first)
    return Export("invoices", INVOICE_COLUMNS, _each(chunks, rows))


def refunds(source: Rows[Refund], *, newest_first: bool) -> Export:
    def rows(refunds: list[Refund]) -> Iterator[Row]:
        linked = invoices_of(refunds)
        for refund in refunds:
            yield [
                *_returned_cells(refund, linked.get(refund.pk)),
                refund.status,
                refund.created_at,
            ]

    chunks = walk(source, "created_at", newest_first=newest_first)
    return Export("refunds", REFUND_COLUMNS, _each(chunks, rows))


def disputes(source: Rows[Dispute], *, newest_first: bool) -> Export:
    def rows(disputes: list[Dispute]) -> Iterator[Row]:
        linked = invoices_of(disputes)
        for dispute in disputes:
            yield [
                *_returned_cells(dispute, linked.get(dispute.pk)),
                dispute.counted,
                dispute.status,
                dispute.gateway_status,
                dispute.created_at,
            ]

    chunks = walk(source, "created_at", newest_first=newest_first)
    return Export("disputes", DISPUTE_COLUMNS, _each(chunks, rows))


def _returned_cells(row: Refund | Dispute, invoice: Invoice | None) -> Row:
    return [
        row.ref,
        invoice.display_number if invoice else None,
        invoice.ref if invoice else None,
        row.tenant.name if row.tenant else None,
        row.gateway,
        row.payment_ref,
        row.currency,
        row.amount,
    ]


def _each(
    chunks: Iterator[list[Any]], rows: Callable[[list[Any]], Iterator[Row]]
) -> Iterator[list[Row]]:
    return (list(rows(chunk)) for chunk in chunks)
