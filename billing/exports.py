"""The rows of a table as CSV, streamed: a million rows take no more memory than a thousand."""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from billing.models import Dispute, Invoice, PaymentEvent, Refund
from billing.money import Money
from billing.pagination import walk
from billing.queries.details import invoices_of, refunded_minor
from billing.queries.lists import Rows
from billing.zone import operator_zone

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

# A spreadsheet takes a cell that begins so for a formula, and would run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def events_csv(
    source: Rows[PaymentEvent], *, newest_first: bool, with_invoices: bool
) -> StreamingHttpResponse:
    """``with_invoices``: the reader may see invoices; otherwise their columns are empty."""

    def rows(events: list[PaymentEvent]) -> Iterator[list[str]]:
        linked = invoices_of(events) if with_invoices else {}
        for event in events:
            invoice = linked.get(event.pk)
            yield [
                _text(event.gateway),
                _text(event.event_type),
                _text(event.tenant.name if event.tenant else None),
                _text(event.event_id),
                _text(event.state),
                _time(event.received_at),
                _time(event.occurred_at),
                *(_invoice_cells(invoice) if invoice else [""] * 4),
                _text(event.reason),
            ]

    chunks = walk(source, "received_at", newest_first=newest_first)
    return _stream("payment-events", EVENT_COLUMNS, chunks, rows)


def _invoice_cells(invoice: Invoice) -> list[str]:
    return [
        _text(invoice.display_number),
        _amount(invoice.amount),
        _text(invoice.status),
        _text(invoice.currency),
    ]


def invoices_csv(source: Rows[Invoice], *, newest_first: bool) -> StreamingHttpResponse:
    def rows(invoices: list[Invoice]) -> Iterator[list[str]]:
        refunded = refunded_minor(invoices)
        for invoice in invoices:
            back = Money(refunded.get(invoice.pk, 0), invoice.currency, invoice.exponent)
            yield [
                _text(invoice.display_number),
                _text(invoice.tenant.name if invoice.tenant else None),
                _text(invoice.gateway),
                _text(invoice.ref),
                _text(invoice.currency),
                _amount(invoice.amount),
                _amount(invoice.tax),
                _amount(back),
                _text(invoice.status),
                _text(invoice.gateway_status),
                _time(invoice.created_at),
            ]

    chunks = walk(source, "created_at", newest_first=newest_first)
    return _stream("invoices", INVOICE_COLUMNS, chunks, rows)


def refunds_csv(source: Rows[Refund], *, newest_first: bool) -> StreamingHttpResponse:
    def rows(refunds: list[Refund]) -> Iterator[list[str]]:
        linked = invoices_of(refunds)
        for refund in refunds:
            yield [
                *_returned_cells(refund, linked.get(refund.pk)),
                _text(refund.status),
                _time(refund.created_at),
            ]

    chunks = walk(source, "created_at", newest_first=newest_first)
    return _stream("refunds", REFUND_COLUMNS, chunks, rows)


def disputes_csv(source: Rows[Dispute], *, newest_first: bool) -> StreamingHttpResponse:
    def rows(disputes: list[Dispute]) -> Iterator[list[str]]:
        linked = invoices_of(disputes)
        for dispute in disputes:
            yield [
                *_returned_cells(dispute, linked.get(dispute.pk)),
                _amount(dispute.counted),
                _text(dispute.status),
                _text(dispute.gateway_status),
                _time(dispute.created_at),
            ]

    chunks = walk(source, "created_at", newest_first=newest_first)
    return _stream("disputes", DISPUTE_COLUMNS, chunks, rows)


def _returned_cells(row: Refund | Dispute, invoice: Invoice | None) -> list[str]:
    return [
        _text(row.ref),
        _text(invoice.display_number if invoice else None),
        _text(invoice.ref if invoice else None),
        _text(row.tenant.name if row.tenant else None),
        _text(row.gateway),
        _text(row.payment_ref),
        _text(row.currency),
        _amount(row.amount),
    ]


def _stream(
    name: str,
    columns: Iterable[str],
    chunks: Iterator[list[Any]],
    rows: Callable[[list[Any]], Iterator[list[str]]],
) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield writer.writerow(columns)
        for chunk in chunks:
            yield "".join(map(writer.writerow, rows(chunk)))

    today = timezone.now().astimezone(operator_zone()).date()
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{today}.csv"'},
    )


class _Echo:
    """A file for `csv.writer` that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _text(value: str | None) -> str:
    if not value:
        return ""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _amount(money: Money | None) -> str:
    return "" if money is None else str(money)


def _time(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(operator_zone()).isoformat(timespec="seconds")
