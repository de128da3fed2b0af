"""Which deliveries are due, and whose turn is shared: what the engine asks, without what sends them."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.store.models import Webhook, WebhookDelivery


def overdue(session: Session, now: datetime) -> Iterable[tuple[int, int, datetime]]:
    """(id, 0, due_at) of waiting deliveries that should have been tried by now."""
    rows = session.execute(
        select(WebhookDelivery.id, WebhookDelivery.due_at)
        .join(Webhook)
        .where(WebhookDelivery.state == "waiting", WebhookDelivery.due_at <= now, Webhook.ended_at.is_(None))
    )
    return [(row.id, 0, row.due_at) for row in rows]


def far_end(session: Session, delivery_id: int) -> str:
    """The receiver: one delivery at a time for each, so that a slow one holds back nobody else."""
    row = session.get_one(WebhookDelivery, delivery_id)
    return f"webhook:{urlsplit(row.webhook.url).hostname}"
