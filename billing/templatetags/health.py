"""What pages say of the machinery behind them."""

from typing import Any

from django import template
from django.utils import timezone

from billing.queries.health import worker

register = template.Library()


@register.inclusion_tag("billing/_worker.html")
def worker_missed() -> dict[str, Any]:
    """Says so where no worker runs and one is needed: then what the page shows is old."""
    return {"worker": worker(timezone.now())}
