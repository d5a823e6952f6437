"""Signs of life of the worker."""

from django.db import models


class Heartbeat(models.Model):
    """One row per worker, written each time it looks for work."""

    worker = models.TextField(unique=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker
