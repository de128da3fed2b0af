"""What other programs are told: written in the transaction of what happened, one row for each webhook that wants it."""

import json
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.store.models import Booking, Webhook, WebhookDelivery
from scheduler.store.once import insert_once
from scheduler.waking import wake

KIND = "webhook"
"""The engine's name for this work."""
EVENTS = (
    "booking.pending",
    "booking.confirmed",
    "booking.moved",
    "booking.cancelled",
    "booking.refused",
    "booking.released",
    "booking.undecided",
    "booking.completed",
    "booking.missed",
    "booking.reopened",
    "light.changed",
    "test",
)


_ACTIVE = select(Webhook).where(Webhook.ended_at.is_(None)).order_by(Webhook.id)


def booking_event(session: Session, now: datetime, booking: Booking, event: str, cause: str) -> None:
    """Tell every webhook that wants `event` how the booking stands now; `cause` makes the telling unique."""
    wanted = [hook for hook in active(session) if not hook.events or event in hook.events]
    if wanted:
        # Read only where somebody listens: most desks have no webhook, and every booking passes here.
        facts = _facts(booking)
        for hook in wanted:
            emit(session, now, hook, event, f"{event}:{booking.id}:{cause}:{hook.id}", facts)


def active(session: Session) -> list[Webhook]:
    """The webhooks in use, oldest first."""
    return list(session.scalars(_ACTIVE))


def emit(session: Session, now: datetime, hook: Webhook, event: str, key: str, facts: dict[str, Any]) -> None:
    """Write one event for one webhook; a second one with the same key is not written."""
    body = {"type": event, "timestamp": _instant(now), "data": facts}
    values = {
        "webhook_id": hook.id,
        "key": key,
        "message_id": f"msg_{uuid.uuid4().hex}",
        "event": event,
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        "created_at": now,
        "due_at": now,
    }
    written = session.scalars(insert_once(session, WebhookDelivery, "key"), [values]).one_or_none()
    if written is not None:
        wake(session, KIND, written, 0, now)


def _facts(booking: Booking) -> dict[str, Any]:
    """How the booking stands; never a credential, a host, or what the customer wrote."""
    return {
        "booking": {
            "id": booking.id,
            "uid": booking.uid,
            "rev": booking.rev,
            "status": booking.status,
            "start_at": _instant(booking.starts_at),
            "end_at": _instant(booking.ends_at),
            "verdict": booking.verdict,
            "verdict_code": booking.verdict_code,
            "checked_at": _instant(booking.checked_at) if booking.checked_at else None,
            "minutes_used": booking.minutes_used,
        },
        "customer": {
            "id": booking.customer_id,
            "company": booking.customer.company,
            "cif": booking.customer.cif,
        },
        "technician": {"id": booking.technician_id, "name": booking.technician.name},
        "system": {
            "id": booking.system_id,
            "name": booking.system.name,
            "platform": booking.system.platform,
            "method": booking.access_point.method,
        },
    }


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
