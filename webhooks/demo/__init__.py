"""Demo mode: gateways played on this machine, so that the page is alive before any is configured.

The posts are signed with keys of their own and go through the real endpoints, over HTTP.
"""

from webhooks.demo.gateways import PAYPAL_WEBHOOK_ID, DemoRefused, Gateways

__all__ = ["PAYPAL_WEBHOOK_ID", "DemoRefused", "Gateways"]
