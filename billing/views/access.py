"""Who may see a page."""

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

log = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]

SAFE = ("GET", "HEAD")
WITH_FORM = (*SAFE, "POST")
SEE_EVENTS = "billing.view_paymentevent"
SEE_INVOICES = "billing.view_invoice"
SEE_NOTIFICATIONS = "billing.view_notification"
#: See what is masked in payloads otherwise.
SEE_PAYLOADS = "billing.view_payload"
SEE_TENANTS = "billing.view_tenant"
#: Say whose an event is, and send test events.
DECIDE = "billing.change_paymentevent"


def staff_with(*permissions: str, methods: Sequence[str] = SAFE) -> Callable[[View], View]:
    """Only staff that have all ``permissions`` get in; others learn nothing, not even a count."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **named: Any) -> HttpResponseBase:
            try:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path(), reverse("admin:login"))
                if not (request.user.is_staff and request.user.has_perms(permissions)):
                    return render(request, "403.html", status=403)
                return view(request, **named)
            except OperationalError:
                log.exception("The database is away, or took too long.")
                return HttpResponse(render_to_string("503.html"), status=503)

        # What was on the page must not come back from a cache after logging out.
        return cache_control(no_store=True, private=True)(require_http_methods(methods)(guarded))

    return decorate
