"""The columns of the tables. Their rows are in templates: a record may be two rows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_tables2 import Column, Table

from billing.addresses import POSITION, changed
from billing.models import Invoice, PaymentEvent
from billing.pagination import NEWEST_FIRST, OLDEST_FIRST, Page

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class DateColumn(Column):  # type: ignore[misc]
    """The column that orders the table. Its header names the time zone."""

    @property
    def header(self) -> str:
        return gettext("Date (%(zone)s)") % {"zone": settings.PAYMENTS_TIME_ZONE}


class PageTable(Table):  # type: ignore[misc]
    """A table of one page. The page is already cut and ordered: the table asks for nothing."""

    class Meta:
        orderable = False
        template_name = "billing/_table.html"

    rows_template: str
    title: "StrPromise"
    #: Columns whose cells are aligned to the right.
    numbers: tuple[str, ...] = ()

    def __init__(self, page: Page[Any], query: QueryDict) -> None:
        super().__init__(page.rows)
        self.newest_first = page.place.newest_first
        order = gettext("newest first") if self.newest_first else gettext("oldest first")
        self.caption = f"{self.title}, {order}"
        other = OLDEST_FIRST if self.newest_first else NEWEST_FIRST
        self.reorder = changed(query, without=POSITION, sort=other)


class EventTable(PageTable):
    open = Column(verbose_name=_("Details"))
    gateway = Column(verbose_name=_("Gateway"))
    event_type = Column(verbose_name=_("Event type"))
    tenant = Column(verbose_name=_("Tenant"))
    event_id = Column(verbose_name=_("Event ID"))
    state = Column(verbose_name=_("Processed"))
    date = DateColumn()

    rows_template = "billing/_event_rows.html"
    title = _("Payment events")

    class Meta(PageTable.Meta):
        attrs = {"class": "tbl"}

    def __init__(self, page: Page[PaymentEvent], query: QueryDict) -> None:
        super().__init__(page, query)
        self.closed = changed(query, without=("open",))
        #: Where an event is open; its number comes last.
        self.to_open = f"{self.closed}{'&' if self.closed != '?' else ''}open="


class InvoiceTable(PageTable):
    number = Column(verbose_name=_("Invoice number"))
    tenant = Column(verbose_name=_("Tenant"))
    amount = Column(verbose_name=_("Amount"))
    tax = Column(verbose_name=_("Tax"))
    status = Column(verbose_name=_("Status"))
    date = DateColumn()

    rows_template = "billing/_invoice_rows.html"
    title = _("Invoices")
    numbers = ("amount", "tax")

    class Meta(PageTable.Meta):
        attrs = {"class": "tbl invs"}


class ReturnedTable(PageTable):
    """Money that went back: each row with the invoice that it was paid for, where one is known."""

    ref = Column()
    invoice = Column(verbose_name=_("Invoice"))
    tenant = Column(verbose_name=_("Tenant"))
    amount = Column(verbose_name=_("Amount"))
    status = Column(verbose_name=_("Status"))
    date = DateColumn()

    rows_template = "billing/_returned_rows.html"
    #: Whether its rows say how much of them is counted.
    counts = False
    numbers = ("amount", "counted")

    def __init__(self, page: Page[Any], query: QueryDict, invoices: Mapping[int, Invoice]) -> None:
        super().__init__(page, query)
        for row in page.rows:
            row.invoice = invoices.get(row.pk)


class RefundTable(ReturnedTable):
    ref = Column(verbose_name=_("Refund ID"))

    title = _("Refunds")

    class Meta(PageTable.Meta):
        attrs = {"class": "tbl returned"}


class DisputeTable(ReturnedTable):
    ref = Column(verbose_name=_("Dispute ID"))
    counted = Column(verbose_name=_("Counted"))

    title = _("Disputes")
    counts = True

    class Meta(PageTable.Meta):
        attrs = {"class": "tbl returned"}
        sequence = ("ref", "invoice", "tenant", "amount", "counted", "status", "date")
