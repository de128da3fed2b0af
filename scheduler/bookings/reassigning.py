"""The same session at the same time, given to another technician."""

from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.bookings.booking import move
from scheduler.bookings.changing import visible
from scheduler.context import DeskContext
from scheduler.rules.refusals import InvalidInput, NotAllowed
from scheduler.slots.availability import candidates
from scheduler.slots.placing import Move
from scheduler.store.models import Booking, Technician


def able(session: Session, booking: Booking) -> list[Technician]:
    """Who could take the session instead: active, and skilled in its PBX."""
    people = candidates(session, booking.customer, booking.system.platform, None)
    return [each for each in people if each.id != booking.technician_id]


def reassign(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    booking_id: int,
    seen_rev: int,
    technician_id: int | None,
    override: str | None = None,
) -> Booking:
    """Move the booking to this technician and nowhere else: both calendars change, the customer is told.

    The notice was kept when the time was asked for, so it is not asked for again. Raises NotAllowed for anybody but a
    dispatcher, InvalidInput("technician", "required" | "unchanged" | "not_skilled"), and what `move` raises:
    SlotTaken, TechnicianBusy and OutsideHours name that technician's nearest times.
    """
    if actor.kind != "dispatcher":
        raise NotAllowed("reassign")
    booking = visible(session, actor, booking_id)
    if technician_id is None:
        raise InvalidInput("technician", "required")
    if technician_id == booking.technician_id:
        raise InvalidInput("technician", "unchanged")
    if technician_id not in {each.id for each in able(session, booking)}:
        raise InvalidInput("technician", "not_skilled")
    to = Move(seen_rev, booking.starts_at, booking.wall_zone, technician_id, override)
    return move(session, desk, now, actor, booking_id, to)
