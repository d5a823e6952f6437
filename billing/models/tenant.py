"""Whose payments these are, and who says so."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import Gateway

# Names are in an index, which takes no more than 2,700 bytes.
MAX_NAME_LENGTH = 500


class Tenant(models.Model):
    """A customer organisation of the platform."""

    key = models.TextField(_("tenant id"), help_text=_("The platform's own id, as in metadata."))
    name = models.TextField(_("name"))
    billing_email = models.EmailField(
        _("billing address"), blank=True, help_text=_("Told when a payment fails.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        indexes = [
            # The list of tenants, by name. "acme" is beside "Acme", however the database sorts.
            models.Index(Lower("name"), "id", name="tenant_page"),
            # Search by any part of the name or key: see billing.queries.tenants.
            GinIndex(
                models.Func(models.F("name"), models.F("key"), function="billing_pieces"),
                name="tenant_pieces",
            ),
        ]
        constraints = [
            # Not unique=True, which adds an index for LIKE.
            models.UniqueConstraint(fields=["key"], name="tenant_key_unique"),
            models.CheckConstraint(
                condition=models.Q(name__length__lte=MAX_NAME_LENGTH),
                name="tenant_name_length",
                violation_error_message=_("The name is too long."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TenantClaim(models.Model):
    """Somebody said that a gateway's object belongs to a tenant.

    A person's word beats an event's; among events the earliest by gateway time wins. Claims that
    lose are kept, because two tenants claiming one customer is something a person must see.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        SUBSCRIPTION = "subscription", _("subscription")
        INVOICE = "invoice", _("invoice")
        PAYMENT = "payment", _("payment")

    gateway = models.TextField(choices=Gateway)
    kind = models.TextField(choices=Kind)
    ref = models.TextField()
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False)
    by_person = models.BooleanField(default=False)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,
    )
    # Orders claims of events: gateway time in milliseconds since 1970, trust (0 is most), event id.
    claimed_at_ms = models.BigIntegerField(default=0)
    trust = models.SmallIntegerField(default=0)
    event_id = models.TextField(default="")

    class Meta:
        indexes = [
            # The claims on an object: the others serve those of events, or of people, only.
            models.Index(fields=["gateway", "kind", "ref"], name="tenantclaim_object"),
            # The latest claims of a tenant.
            models.Index(fields=["tenant", "-id"], name="tenantclaim_page_tenant"),
            # What a person decided who is deleted.
            models.Index(
                fields=["assigned_by"],
                name="tenantclaim_assigned_by",
                condition=models.Q(assigned_by__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "kind", "ref", "tenant"],
                condition=models.Q(by_person=False),
                name="tenantclaim_once",
            ),
            models.UniqueConstraint(
                fields=["gateway", "kind", "ref"],
                condition=models.Q(by_person=True),
                name="tenantclaim_one_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} → {self.tenant_id}"
