"""The inbox: every authentic webhook that was ever received."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import MAX_REF_LENGTH, Gateway


class PaymentEvent(models.Model):
    """One event of a gateway, kept exactly as it was signed.

    The row is also the queue: the worker claims rows whose ``next_attempt_at`` has come.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        PROCESSED = "processed", _("Processed")
        FAILED = "failed", _("Failed")
        IGNORED = "ignored", _("Ignored")
        UNMATCHED = "unmatched", _("Unmatched")
        UNREADABLE = "unreadable", _("Unreadable")

    gateway = models.TextField(_("gateway"), choices=Gateway)
    # An unreadable event has no id of its own: "sha256:" and the hash of its body stand in.
    event_id = models.TextField(_("event ID"))
    event_type = models.TextField(_("event type"), blank=True, default="")
    api_version = models.TextField(_("API version"), blank=True, default="")
    livemode = models.BooleanField(_("live mode"), null=True)
    # The gateway's own time of the event; null where it gave none that can be read.
    occurred_at = models.DateTimeField(_("occurred"), null=True)

    received_at = models.DateTimeField(_("received"), default=timezone.now)
    last_received_at = models.DateTimeField(_("last received"), default=timezone.now)
    deliveries = models.IntegerField(_("deliveries"), default=1)
    # Deliveries of this id whose body differed from the one kept.
    conflicting_deliveries = models.IntegerField(_("conflicting deliveries"), default=0)
    # Which secret or webhook id verified it, by a fingerprint that gives nothing away.
    verified_with = models.TextField(_("verified with"), blank=True, default="")
    body = models.BinaryField(_("body"))
    body_sha256 = models.BinaryField(max_length=32)

    state = models.TextField(_("processed"), choices=State, default=State.WAITING)
    # Why it was ignored, failed or could not be read.
    reason = models.TextField(_("reason"), blank=True, default="")
    attempts = models.IntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, default=timezone.now)
    # When the gateway itself said so too, for events that must be read back.
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)
    processed_at = models.DateTimeField(_("processed at"), null=True)

    tenant = models.ForeignKey(
        "billing.Tenant",
        verbose_name=_("tenant"),
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
    )
    # The gateway's own ids of what the event is about, filled in when it is applied.
    customer_ref = models.TextField(_("customer"), null=True)
    subscription_ref = models.TextField(_("subscription"), null=True)
    invoice_ref = models.TextField(_("invoice"), null=True)
    payment_ref = models.TextField(_("payment"), null=True)
    # What applying it changed: [object, its ref, field, before, after] each.
    changes = models.JSONField(null=True)

    class Meta:
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")
        permissions = [("view_payload", _("Can view whole payloads, with personal data"))]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "event_id"], name="event_once"),
            models.CheckConstraint(
                condition=models.Q(event_id__length__lte=MAX_REF_LENGTH), name="event_id_length"
            ),
            models.CheckConstraint(
                condition=models.Q(event_type__length__lte=MAX_REF_LENGTH), name="event_type_length"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "waiting",
                        "processed",
                        "failed",
                        "ignored",
                        "unmatched",
                        "unreadable",
                    ]
                ),
                name="event_state_known",
            ),
        ]
        indexes = [
            # The events page, newest first: unfiltered, of a gateway (Setup, too), by any filters.
            models.Index(fields=["-received_at", "-id"], name="event_page"),
            models.Index(fields=["gateway", "-received_at", "-id"], name="event_page_gateway"),
            models.Index(
                fields=["state", "gateway", "-received_at", "-id"], name="event_page_state"
            ),
            models.Index(
                fields=["event_type", "state", "gateway", "-received_at", "-id"],
                name="event_page_type",
            ),
            # The same of a tenant. An event that is received has none yet, and so writes neither.
            models.Index(
                fields=["tenant", "-received_at", "-id"],
                name="event_page_tenant",
                condition=models.Q(tenant__isnull=False),
            ),
            models.Index(
                fields=["tenant", "event_type", "state", "gateway", "-received_at", "-id"],
                name="event_page_tenant_type",
                condition=models.Q(tenant__isnull=False),
            ),
            # The worker's queue.
            models.Index(
                fields=["next_attempt_at", "id"],
                name="event_queue",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
            # The events that touched an object: tenant matching and histories. Without those that
            # name none, so that recording an event, which names nothing yet, writes none of these.
            *(
                models.Index(
                    fields=["gateway", f"{kind}_ref"],
                    name=f"event_{kind}",
                    condition=models.Q(**{f"{kind}_ref__isnull": False}),
                )
                for kind in ("customer", "subscription", "invoice", "payment")
            ),
        ]

    def __str__(self) -> str:
        return self.event_id


class Transmission(models.Model):
    """Binds a PayPal transmission id to the body that came with it.

    PayPal's signature covers a CRC32 of the body, which is no hash: with the headers of one genuine
    delivery another body can be made that verifies. The same id with another body is refused.
    """

    gateway = models.TextField(choices=Gateway)
    transmission_id = models.TextField()
    body_sha256 = models.BinaryField(max_length=32)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "transmission_id"], name="transmission_once"
            ),
        ]

    def __str__(self) -> str:
        return self.transmission_id
