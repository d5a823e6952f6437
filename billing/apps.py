from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        post_migrate.connect(_follow_zone, sender=self)


def _follow_zone(apps: Apps = installed, **_: Any) -> None:
    from billing.totals import follow_zone

    if "totalzone" in apps.all_models["billing"]:  # else migrated to before there is one
        follow_zone()
