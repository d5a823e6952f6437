"""Where a gateway's own dashboard shows an object."""

import re
from urllib.parse import quote

# By the form of the id, so that it does not matter which field of ours holds it. An id of any other
# form, as of a PayPal customer or webhook event, has no page of its own that is known.

# Stripe's own command line links to events like this, also below /test/:
# https://github.com/stripe/stripe-cli/blob/master/pkg/proxy/stripe_event.go. Its dashboard opens
# each object below the plural of its name. How ids begin: https://docs.stripe.com/api.
STRIPE = "https://dashboard.stripe.com/{test}{path}/{ref}"
STRIPE_PATHS = {
    r"evt_\w+": "events",
    r"in_\w+": "invoices",
    r"cus_\w+": "customers",
    r"sub_\w+": "subscriptions",
    r"(?:pi|ch|py)_\w+": "payments",
    r"(?:dp|du)_\w+": "disputes",
}
# Invoices: ``invoicer_view_url`` in https://developer.paypal.com/docs/api/invoicing/v2/.
# Transactions: the link to transaction details in PayPal's guide to its chargeback protection tool.
# The others are the addresses at which the dashboard itself opens them. Ids are as in the samples
# of https://developer.paypal.com/api/rest/; www.sandbox.paypal.com is the sandbox's dashboard.
PAYPAL = "https://www.{test}paypal.com/{path}/{ref}"
PAYPAL_PATHS = {
    r"[0-9A-Z]{17}": "unifiedtransactions/details/payment",
    r"I-[0-9A-Z]+": "billing/subscriptions",
    r"INV2(?:-[0-9A-Z]{4})+": "invoice/details",
    r"PP-[A-Z]-[0-9A-Z-]+": "resolutioncenter/view",
}
DASHBOARDS = {
    "stripe": (STRIPE, "test/", STRIPE_PATHS),
    "paypal": (PAYPAL, "sandbox.", PAYPAL_PATHS),
}


def address(gateway: str, ref: str, *, live: bool) -> str:
    """The page of the object ``ref`` in the gateway's dashboard; empty where it has none."""
    template, test, paths = DASHBOARDS[gateway]
    for form, path in paths.items():
        if re.fullmatch(form, ref, re.ASCII):
            return template.format(test="" if live else test, path=path, ref=quote(ref, safe=""))
    return ""
