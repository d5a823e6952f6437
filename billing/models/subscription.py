"""A subscription, as the gateway last described it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import GatewayObject


class Subscription(GatewayObject):
    """One subscription. A row with no status is one that events named but none described."""

    class Status(models.TextChoices):
        INCOMPLETE = "incomplete", _("Incomplete")
        TRIALING = "trialing", _("Trialing")
        ACTIVE = "active", _("Active")
        PAST_DUE = "past_due", _("Past due")
        UNPAID = "unpaid", _("Unpaid")
        PAUSED = "paused", _("Paused")
        SUSPENDED = "suspended", _("Suspended")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    customer_ref = models.TextField(_("customer"), blank=True, null=True)
    status = models.TextField(_("status"), blank=True, null=True, choices=Status)
    gateway_status = models.TextField(_("gateway status"), blank=True, null=True)
    plan = models.TextField(_("plan"), blank=True, null=True)
    quantity = models.BigIntegerField(_("quantity"), blank=True, null=True)
    period_start_at = models.DateTimeField(_("period start"), blank=True, null=True)
    period_end_at = models.DateTimeField(_("period end"), blank=True, null=True)
    cancel_at = models.DateTimeField(_("cancels on"), blank=True, null=True)
    ended_at = models.DateTimeField(_("ended"), blank=True, null=True)

    class Meta(GatewayObject.Meta):
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        indexes = [
            # Subscriptions of one customer: tenant matching.
            models.Index(fields=["gateway", "customer_ref"], name="subscription_customer"),
            # Subscriptions of one tenant, newest first, and how many of them are active.
            models.Index(fields=["tenant", "-id"], name="subscription_page_tenant"),
            models.Index(
                fields=["tenant"],
                name="subscription_active_tenant",
                condition=models.Q(status="active"),
            ),
        ]
        constraints = [
            *GatewayObject.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(
                    status__in=[
                        "incomplete",
                        "trialing",
                        "active",
                        "past_due",
                        "unpaid",
                        "paused",
                        "suspended",
                        "cancelled",
                        "expired",
                    ]
                ),
                name="subscription_status_known",
            ),
        ]
