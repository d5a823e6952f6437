"""What other pages say of how gateways are connected."""

from typing import Any

from django import template
from django.template import Context

from webhooks.connections import connections, deployment

register = template.Library()


@register.inclusion_tag("webhooks/_connect.html", takes_context=True)
def connect_gateways(context: Context) -> dict[str, Any]:
    """For each gateway what is configured, what is missing, and how to connect it."""
    return {"connections": connections(context["request"]), "deployment": deployment()}
