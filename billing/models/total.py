"""The figures on the cards, kept up to date by the database itself."""

from django.db import models


class Total(models.Model):
    """A sum over invoices, refunds or disputes, kept by triggers (see the migration).

    The database keeps these, not the application, so that they are exact after every commit,
    whoever wrote. A figure is the sum of its shards: each connection writes to its own shard, so
    that writers do not wait for one another.
    """

    class Figure(models.TextChoices):
        PAID = "paid"
        PENDING = "pending"
        VOID = "void"
        REFUNDED = "refunded"
        REFUND_PENDING = "refund_pending"
        DISPUTED = "disputed"

    figure = models.TextField(choices=Figure)
    currency = models.CharField(max_length=3)
    exponent = models.SmallIntegerField()
    shard = models.SmallIntegerField()
    count = models.BigIntegerField()
    amount_minor = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["figure", "currency", "exponent", "shard"], name="total_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.figure} {self.currency} {self.amount_minor}"
