"""The WSGI application that granian serves."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from payments_admin.connections import close_with_thread

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "payments_admin.settings")
try:
    # A page must not keep the database busy for long; commands such as rebuild may.
    settings.DATABASES["default"]["OPTIONS"]["options"] += " -c statement_timeout=30000"
    pages = get_wsgi_application()
    # Django's applications can be imported only now.
    from webhooks.views import webhooks_first

    close_with_thread()
    application = webhooks_first(pages, "/webhooks/")
except ImproperlyConfigured as error:
    sys.exit(f"Configuration: {error}")
