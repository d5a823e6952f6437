"""The page of one invoice."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from billing.changes import described
from billing.queries.invoices import invoice_detail
from billing.timeline import told
from billing.views.access import SEE_INVOICES, staff_with


@staff_with(SEE_INVOICES)
def invoice(request: HttpRequest, gateway: str, ref: str) -> HttpResponse:
    detail = invoice_detail(gateway, ref)
    if detail is None:
        raise Http404
    return render(
        request,
        "billing/invoice.html",
        {
            "detail": detail,
            "invoice": detail.invoice,
            "notifications": told(detail.notifications),
            "history": [(event, described(event)) for event in detail.history],
        },
    )
