"""What the verbs of a booking share: who may see it, its change if nobody was faster, and the audit entry."""

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.rules import refusals
from scheduler.rules.lifecycle import next_status
from scheduler.slots.placing import next_version
from scheduler.store import booking_rows
from scheduler.store.bookings import Booking
from scheduler.store.engines import is_slot_taken


def visible(session: Session, actor: Actor, booking_id: int) -> Booking:
    """The booking, if the actor may see it; customers are walls to each other. Raises NotFound("booking")."""
    booking = session.get(Booking, booking_id)
    if booking is None or (actor.customer_id is not None and booking.customer_id != actor.customer_id):
        raise refusals.NotFound("booking")
    return booking


def change(
    session: Session, booking: Booking, seen_rev: int, verb: str, now: datetime, **values: Any
) -> None:
    """Lead the booking by this verb to its next status, if it still is as it was seen, and read it again.

    Raises TransitionNotAllowed, StaleRevision; SlotTaken when it would occupy a time that is another's by now.
    """
    status = next_status(booking.status, verb)
    require_rev(booking, seen_rev)
    values |= next_version(booking, now) | {"status": status}
    if not _swapped(session, booking, seen_rev, values):
        raise refusals.StaleRevision(current_rev=booking.rev + 1)
    session.refresh(booking)


def _swapped(session: Session, booking: Booking, seen_rev: int, values: dict[str, Any]) -> Booking | None:
    try:
        with session.begin_nested():  # PostgreSQL ends the whole transaction on an overlap otherwise
            return booking_rows.change_booking(session, booking.id, seen_rev, (booking.status,), values)
    except IntegrityError as error:
        if is_slot_taken(error):
            raise refusals.SlotTaken(alternatives=()) from None
        raise


def require_rev(booking: Booking, seen_rev: int) -> None:
    """Raises StaleRevision unless the booking still has the revision that the person saw."""
    if booking.rev != seen_rev:
        raise refusals.StaleRevision(current_rev=booking.rev)


def require_staff(actor: Actor) -> None:
    """Raises NotAllowed for anybody but the desk's people."""
    if not actor.staff:
        raise refusals.NotAllowed("session")


def write_down(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    action: str,
    booking: Booking,
    **facts: Any,
) -> None:
    """Write what was done to a booking into the audit log; the last step of a verb."""
    facts |= {
        "starts_at": booking.starts_at.isoformat(),
        "technician": booking.technician_id,
        "rev": booking.rev,
    }
    said = {name: value for name, value in facts.items() if value is not None}
    audit.record(session, desk.installation, now, actor, action, f"booking:{booking.id}", **said)
