"""The nouns of the domain, one file each."""

from billing.models.credit_note import CreditNote
from billing.models.customer import Customer
from billing.models.dispute import Dispute
from billing.models.gateway import Gateway
from billing.models.heartbeat import Heartbeat
from billing.models.invoice import Invoice
from billing.models.notification import Notification
from billing.models.payment import Payment
from billing.models.payment_event import PaymentEvent, Transmission
from billing.models.refund import Refund
from billing.models.refusal import Refusal
from billing.models.subscription import Subscription
from billing.models.tenant import Tenant, TenantClaim
from billing.models.total import DailyTotal, KeptSum, TenantTotal, Total, TotalZone

__all__ = [
    "CreditNote",
    "Customer",
    "DailyTotal",
    "Dispute",
    "Gateway",
    "Heartbeat",
    "Invoice",
    "KeptSum",
    "Notification",
    "Payment",
    "PaymentEvent",
    "Refund",
    "Refusal",
    "Subscription",
    "Tenant",
    "TenantClaim",
    "TenantTotal",
    "Total",
    "TotalZone",
    "Transmission",
]
