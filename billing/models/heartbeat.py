"""Signs of life of the worker."""

from django.db import models


class Heartbeat(models.Model):
    """One row per worker, written each time it looks for work."""

    worker = models.TextField()
    beat_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker"], name="heartbeat_once")]

    def __str__(self) -> str:
        return self.worker
