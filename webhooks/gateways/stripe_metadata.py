"""The tenant id that the platform, or a buyer's browser, put into Stripe's objects."""

from billing.facts import Fact, TenantFact, Trust
from webhooks.gateways.values import Payload, ref


def tenants(*metadata: Payload) -> list[Fact]:
    """What the platform put into metadata; the first place that has it."""
    for values in metadata:
        if key := ref(values, "tenant_id"):
            return [TenantFact(key=key, trust=Trust.METADATA)]
    return []


def browser_tenant(session: Payload) -> list[Fact]:
    """What a payment link may carry in its address, where a buyer can change it."""
    key = ref(session, "client_reference_id")
    return [TenantFact(key=key, trust=Trust.BROWSER)] if key else []
