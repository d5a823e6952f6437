"""How many posts were refused, hour by hour, and why. Nothing of the posts is kept."""

from django.db import models

from billing.models.gateway import Gateway


class Refusal(models.Model):
    gateway = models.TextField(choices=Gateway)
    hour = models.DateTimeField()
    reason = models.TextField()
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "hour", "reason"], name="refusal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.hour:%Y-%m-%d %H}:00 {self.reason}: {self.count}"
