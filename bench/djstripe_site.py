"""dj-stripe as its documentation sets it up, without handlers: an event is verified and stored.

Runs in an environment of its own (see `bench.ingest`), so nothing of ours is imported here.
"""

import os
import sys
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

_url = urlsplit(os.environ["DATABASE_URL"])


def enqueue(obj: object, api_key: str = "") -> None:
    """Where an event would be handed to a queue."""


settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
    STRIPE_TEST_SECRET_KEY="sk_test_bench",
    STRIPE_LIVE_MODE=False,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    DJSTRIPE_WEBHOOK_EVENT_CALLBACK=enqueue,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGGING_CONFIG=None,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path.lstrip("/"),
            "USER": _url.username,
            "HOST": parse_qs(_url.query)["host"][0],
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()
urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]

if __name__ == "__main__":
    from django.core.management import call_command
    from djstripe.models import WebhookEndpoint  # type: ignore[import-not-found]

    call_command("migrate", verbosity=0)
    WebhookEndpoint.objects.create(
        id="we_bench",
        djstripe_uuid=os.environ["DJ_STRIPE_UUID"],
        secret=os.environ["STRIPE_WEBHOOK_SECRETS"],
        url="http://127.0.0.1/",
        status="enabled",
        enabled_events=["*"],
        livemode=False,
    )
    sys.exit()

application = get_wsgi_application()
