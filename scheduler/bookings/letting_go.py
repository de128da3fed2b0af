"""What follows when a booking gives up its slot, whoever decided so: in one place, or a way out forgets a part."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from scheduler import entitlements
from scheduler.actor import Actor
from scheduler.bookings.changing import write_down
from scheduler.calendars.writing import write_event
from scheduler.checks import planning as checks
from scheduler.context import DeskContext
from scheduler.mailing import notices
from scheduler.store.bookings import Booking


def let_go(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    booking: Booking,
    what: str,
    action: str,
    *,
    reason: str = "",
    **facts: Any,
) -> None:
    """Return the hours, end the planned checks, and tell calendars, people and the audit log.

    Call it in the transaction that changed the booking's status. `what` names the mail, `action` the audit entry,
    to which `facts` are added; people read the `reason`.
    """
    entitlements.release(session, now, booking, actor)
    checks.drop(session, booking)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, what, reason=reason)
    write_down(session, desk, now, actor, action, booking, reason=reason or None, **facts)
