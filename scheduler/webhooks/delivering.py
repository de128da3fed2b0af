"""Send what webhooks are to be told: through the address guard, signed, without redirects, again for a day.

A delivery is sent at least once, under one id by which the receiver tells repetitions.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, sessionmaker

from scheduler.clock import Clock
from scheduler.fetching import Failed, Fetcher
from scheduler.rules.secret import Secret
from scheduler.store.engines import read, write
from scheduler.store.models import WebhookDelivery
from scheduler.store.vault import Vault
from scheduler.webhooks.signing import signed_headers

log = logging.getLogger(__name__)

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 25200, 32400))
"""Waits after each failed try, together about a day; then the delivery is dead and the dispatcher sees it."""
ENDS_IT = 410
"""The receiver's word for "tell me nothing more" (410 Gone)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one try needs while no transaction is open."""

    url: str
    secret: Secret
    message_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers waiting events; safe to call from several threads."""

    sessions: sessionmaker[Session]
    clock: Clock
    vault: Vault
    fetcher: Fetcher

    def run(self, delivery_id: int, rev: int) -> datetime | None:
        """Try one delivery; returns when to try again, None when it is sent, dead or no longer wanted."""
        with read(self.sessions) as session:
            delivery = self._waiting(session, delivery_id)
        if delivery is None:
            return None
        headers = {
            "Content-Type": "application/json",
            **signed_headers(delivery.secret, delivery.message_id, self.clock(), delivery.body),
        }
        failed = self.fetcher.post(delivery.url, headers, delivery.body)
        with write(self.sessions) as session:
            return self._record(session, delivery_id, failed)

    def _waiting(self, session: Session, delivery_id: int) -> Delivery | None:
        row = session.get(WebhookDelivery, delivery_id)
        if row is None or row.state != "waiting" or row.webhook.ended_at is not None:
            return None
        hook = row.webhook
        secret = self.vault.open(hook.secret, "webhook", hook.id, "secret", hook.secret_gen)
        return Delivery(hook.url, secret, row.message_id, row.body.encode())

    def _record(self, session: Session, delivery_id: int, failed: Failed | None) -> datetime | None:
        row = session.get_one(WebhookDelivery, delivery_id)
        if row.state != "waiting":
            return None  # another run was quicker
        row.attempts += 1
        if failed is None:
            row.state, row.sent_at, row.last_error = "sent", self.clock(), None
            return None
        row.last_error = said = said_of(failed)
        log.warning("webhook delivery %s not taken (try %s): %s", row.id, row.attempts, said)
        if failed.facts.get("status") == ENDS_IT:
            row.webhook.ended_at = self.clock()
        if row.attempts > len(BACK_OFF) or row.webhook.ended_at is not None:
            row.state = "dead"
            return None
        row.due_at = self.clock() + BACK_OFF[row.attempts - 1]
        return row.due_at


def said_of(failed: Failed) -> str:
    """The code and, where there is one, the receiver's status; never the address."""
    status = failed.facts.get("status")
    return f"{failed.code}:{status}" if status else failed.code
