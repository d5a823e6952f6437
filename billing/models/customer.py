"""A gateway's customer: Stripe's ``cus_…``, PayPal's payer id."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import GatewayObject


class Customer(GatewayObject):
    email = models.TextField(_("e-mail"), blank=True, null=True)
    name = models.TextField(_("name"), blank=True, null=True)

    class Meta(GatewayObject.Meta):
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        # The customers of one tenant, newest first.
        indexes = [models.Index(fields=["tenant", "-id"], name="customer_page_tenant")]
