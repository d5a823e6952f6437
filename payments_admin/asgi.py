"""What the web server serves: posts of gateways in its event loop, pages in threads."""

from payments_admin.threads import in_threads
from payments_admin.wsgi import application as django

# Django's applications may be imported only now.
from webhooks.views import webhooks_first

# Each has a database connection of its own.
PAGE_THREADS = 16

application = webhooks_first(in_threads(django, PAGE_THREADS), "/webhooks/")
