"""Answers for programs: the totals, and whether all is well."""

import logging
from datetime import UTC

from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from billing.models import Gateway
from billing.queries.health import COUNTED, health
from billing.queries.totals import totals
from billing.views.access import SEE_INVOICES, staff_with

log = logging.getLogger(__name__)


@staff_with(SEE_INVOICES)
def totals_json(request: HttpRequest) -> JsonResponse:
    figures = totals().value
    return JsonResponse(
        {
            "currencies": {
                line.currency: {
                    "revenue": str(line.revenue),
                    "refunded": str(line.refunded),
                    "pending": str(line.pending),
                    "disputed": str(line.disputed),
                }
                for line in figures.currencies
            },
            "invoice_count": figures.invoice_count,
            "by_status": figures.by_status,
        }
    )


@cache_control(no_store=True)
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    now = timezone.now()
    try:
        found = health(now)
    except DatabaseError:
        log.exception("The database is away.")
        nothing = dict.fromkeys(["worker_heartbeat_seconds", *COUNTED])
        last_event = dict.fromkeys(Gateway.values)
        answer = {"status": "error", "database": "unreachable", **nothing, "last_event": last_event}
        return JsonResponse(answer, status=503)
    beat_at = found.worker_heartbeat_at
    return JsonResponse(
        {
            "status": "error" if found.stuck else "ok",
            "database": "ok",
            "worker_heartbeat_seconds": beat_at and round((now - beat_at).total_seconds(), 1),
            **found.counts,
            "last_event": {
                gateway: at and at.astimezone(UTC).isoformat(timespec="seconds")
                for gateway, at in found.last_event_at.items()
            },
        },
        status=503 if found.stuck else 200,
    )
