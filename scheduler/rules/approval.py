"""Which bookings wait for the desk's approval, and until when it may decide."""

from datetime import datetime, timedelta
from typing import Literal

from scheduler.rules.conditions import Conditions


def first_status(conditions: Conditions, kind: str, asked_by: str) -> Literal["pending", "confirmed"]:
    """The status in which a booking under this kind of entitlement begins.

    `asked_by` is the kind of actor: what people of the desk book is approved by that.
    """
    waits = asked_by == "customer" and kind in conditions.approval.needed_for
    return "pending" if waits else "confirmed"


def decide_by(conditions: Conditions, starts_at: datetime, requested_at: datetime) -> datetime:
    """When the desk must have decided (UTC): some minutes before the start.

    Until the start itself for what was asked for, or moved, inside those minutes: it would be over at once.
    """
    by = starts_at - timedelta(minutes=conditions.approval.minutes_before)
    return by if requested_at < by else starts_at
