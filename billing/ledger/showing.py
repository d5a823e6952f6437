"""Who was shown what is hidden from others."""

import logging
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction

from billing.models import PaymentEvent

logger = logging.getLogger(__name__)

#: In the event's history in Django's admin.
SHOWN = "The whole payload was shown."


@transaction.atomic
def payload_for(user: Any, pk: int) -> PaymentEvent | None:
    """The event with its body, for ``user`` to see; nobody is shown it without a record of it."""
    event = PaymentEvent.objects.select_related("tenant").filter(pk=pk).first()
    if event is not None:
        LogEntry.objects.log_actions(user.pk, [event], CHANGE, SHOWN, single_object=True)
        logger.info(
            "The whole payload of %s event %s was shown to %s (user %s).",
            *(event.gateway, event.event_id, user.get_username(), user.pk),
        )
    return event
