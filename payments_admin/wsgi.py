"""Django's application, for servers of WSGI; `payments_admin.asgi` is what `make run` serves."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "payments_admin.settings")
try:
    # A page must not keep the database busy for long; commands such as rebuild may.
    settings.DATABASES["default"]["OPTIONS"]["options"] += " -c statement_timeout=30000"
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    print(f"Configuration: {error}", file=sys.stderr)  # noqa: T201 - nothing else is set up yet
    # uvicorn's STARTUP_FAILURE: it does not try again.
    sys.exit(3)
