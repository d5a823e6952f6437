"""Where a person says whose an event is."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import ledger
from billing.addresses import MAX_VALUE_LENGTH
from billing.models import PaymentEvent, TenantClaim
from billing.queries import tenants
from billing.views.access import DECIDE, SEE_EVENTS, SEE_TENANTS, WITH_FORM, staff_with


class AssignForm(forms.Form):
    tenant = forms.ModelChoiceField(
        tenants.tenants(),
        error_messages={
            "required": _("Choose a tenant."),
            "invalid_choice": _("This tenant does not exist any more. Choose another one."),
        },
    )


@staff_with(SEE_EVENTS, SEE_TENANTS, DECIDE, methods=WITH_FORM)
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    event = tenants.event(pk)
    if event is None:
        raise Http404
    on = ledger.assigned_on(event)
    form = AssignForm(request.POST if request.method == "POST" else None)
    if on and form.is_valid():
        tenant = form.cleaned_data["tenant"]
        ledger.assign_tenant([event], tenant, request.user)
        text = gettext("%(ref)s, and all that belongs to it, is now of %(tenant)s.")
        messages.success(request, text % {"ref": on[1], "tenant": tenant.name})
        return redirect(_back(event, queue=tenants.any_unmatched()))
    term = request.GET.get("q", "").replace("\0", "")[:MAX_VALUE_LENGTH].strip()
    found, more = tenants.choices(term)
    return render(
        request,
        "billing/assign.html",
        {
            "event": event,
            "kind": TenantClaim.Kind(on[0]).label if on else "",
            "ref": on[1] if on else "",
            "form": form,
            "term": term,
            "choices": found,
            "more": more,
            "back": _back(event, queue=False),
        },
    )


def _back(event: PaymentEvent, *, queue: bool) -> str:
    """Where to go on: the queue of events without a tenant, or this event."""
    query = {"state": "unmatched"} if queue else {"q": event.event_id, "open": str(event.pk)}
    return f"{reverse('billing:events')}?{urlencode(query)}"
