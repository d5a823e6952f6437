"""The least that a Django view can do: nothing, and verify and insert one row."""

import os

import psycopg2
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from stripe import Webhook

_database = psycopg2.extensions.parse_dsn(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _database["dbname"],
            "USER": _database["user"],
            "PASSWORD": _database.get("password", ""),
            "HOST": _database["host"],
            "CONN_MAX_AGE": None,
        }
    },
)


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def insert(request: HttpRequest) -> HttpResponse:
    event = Webhook.construct_event(
        request.body, request.headers["Stripe-Signature"], os.environ["STRIPE_WEBHOOK_SECRETS"]
    )
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_event VALUES (%s, %s)", [event.id, request.body])
    return HttpResponse()


urlpatterns = [path("empty", csrf_exempt(empty)), path("insert", csrf_exempt(insert))]
application = get_wsgi_application()
