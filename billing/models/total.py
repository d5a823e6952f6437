"""The figures on the cards and charts, kept up to date by the database itself."""

from django.db import models


class KeptSum(models.Model):
    """A sum over rows about money, kept by triggers (see migrations 0002 and 0007).

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
        #: Of a day only: attempts to pay that failed. Where nothing said how much was to be paid,
        #: the currency is XXX, which is ISO 4217 for none.
        PAYMENT_FAILED = "payment_failed"

    figure = models.TextField(choices=Figure)
    currency = models.CharField(max_length=3)
    exponent = models.SmallIntegerField()
    shard = models.SmallIntegerField()
    count = models.BigIntegerField()
    amount_minor = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.figure} {self.currency} {self.amount_minor}"


class Total(KeptSum):
    """A sum over all rows."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["figure", "currency", "exponent", "shard"], name="total_once"
            ),
        ]


class DailyTotal(KeptSum):
    """A sum over the rows of one day, as the days are in the zone of `TotalZone`."""

    day = models.DateField()

    class Meta:
        constraints = [
            # In the order in which charts ask: a figure in a currency, from a day to a day.
            models.UniqueConstraint(
                fields=["figure", "currency", "day", "exponent", "shard"], name="dailytotal_once"
            ),
        ]


class TenantTotal(KeptSum):
    """A sum over the rows of one tenant; rows that have no tenant yet are in none."""

    tenant = models.ForeignKey("billing.Tenant", on_delete=models.CASCADE, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "figure", "currency", "exponent", "shard"],
                name="tenanttotal_once",
            ),
        ]


class TotalZone(models.Model):
    """The time zone whose days the daily totals are of, in the one row of this table.

    `billing.totals.follow_zone` makes it the operators' zone.
    """

    name = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="totalzone_one_row"),
        ]

    def __str__(self) -> str:
        return self.name
