"""How payments went over the last months and weeks."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing import trends as told
from billing.models import KeptSum
from billing.queries.reads import read_together
from billing.queries.totals import daily, daily_failures, totals
from billing.views.access import SEE_INVOICES, SEE_NOTIFICATIONS, staff_with
from billing.zone import today

Figure = KeptSum.Figure


@staff_with(SEE_INVOICES)
def trends(request: HttpRequest) -> HttpResponse:
    """Of one currency: the one that is asked for, or the main one."""
    currencies = totals().value.currencies
    asked = request.GET.get("currency", "")
    found = next((each for each in currencies if each.currency == asked), None)
    chosen = found or next(iter(currencies), None)
    months, weeks = told.months(today()), told.weeks(today())
    days = daily(
        [Figure.PAID, Figure.REFUNDED, Figure.PENDING], chosen, months[0].first, months[-1].last
    )
    failed = daily_failures(weeks[0].first, weeks[-1].last)
    read_together(days, failed)
    amounts = told.amounts(days.value, months)
    failures = told.failures(
        failed.value,
        weeks,
        linked=request.user.has_perm(SEE_NOTIFICATIONS),
    )
    return render(
        request,
        "billing/trends.html",
        {
            "currencies": currencies,
            "chosen": chosen,
            "unknown": asked if asked and not found else "",
            "amounts": amounts,
            "months": told.table(amounts),
            "failures": [failures],
            "weeks": told.table([failures]),
        },
    )
