"""Sessions to come that stand where nobody attends any more: worked out from what is enforced, so never out of date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.rules.intervals import Interval
from scheduler.slots.attendance import technician_open
from scheduler.store.models import Booking, Technician

Reason = Literal["holiday", "desk_closed", "away", "calendar"]
WAITING = ("pending", "confirmed")


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A session to be moved, and why; `holiday` is the name of the closed day."""

    booking: Booking
    reason: Reason
    holiday: str = ""


def misplaced(
    session: Session, desk: DeskContext, now: datetime, technician_id: int | None = None
) -> list[Misplaced]:
    """Sessions to come outside the desk's hours, on a holiday, in an absence or at a busy time, by start.

    Not those that a dispatcher placed there with a written reason.
    """
    asked = [row for row in _coming(session, now, technician_id) if row.override_reason is None]
    return _judged(session, desk, asked)


def would_move(session: Session, desk: DeskContext, proposed: DeskContext, now: datetime) -> list[Misplaced]:
    """Sessions that fit into the desk's hours as they are and would not as proposed, by start."""
    coming = _coming(session, now, None)
    already = {each.booking.id for each in _outside_desk(desk, coming)}
    return [each for each in _outside_desk(proposed, coming) if each.booking.id not in already]


def _coming(session: Session, now: datetime, technician_id: int | None) -> Sequence[Booking]:
    query = select(Booking).where(Booking.starts_at > now, Booking.status.in_(WAITING))
    if technician_id is not None:
        query = query.where(Booking.technician_id == technician_id)
    return session.scalars(query.order_by(Booking.starts_at, Booking.id)).all()


def _outside_desk(desk: DeskContext, bookings: Sequence[Booking]) -> list[Misplaced]:
    if not bookings:
        return []
    opens = desk.open_intervals(_around(bookings))
    return [_why_closed(desk, row) for row in bookings if not _fits(row, opens)]


def _why_closed(desk: DeskContext, row: Booking) -> Misplaced:
    first, last = desk.today(row.starts_at), desk.today(row.ends_at - timedelta(seconds=1))
    closed = desk.holidays_between(first, last)
    name = closed.get(first) or closed.get(last)
    return Misplaced(row, "holiday", name) if name else Misplaced(row, "desk_closed")


def _judged(session: Session, desk: DeskContext, bookings: Sequence[Booking]) -> list[Misplaced]:
    found = {each.booking.id: each for each in _outside_desk(desk, bookings)}
    for technician_id in sorted({row.technician_id for row in bookings}):
        mine = [row for row in bookings if row.technician_id == technician_id and row.id not in found]
        found |= {each.booking.id: each for each in _away(session, desk, technician_id, mine)}
    return [found[row.id] for row in bookings if row.id in found]


def _away(
    session: Session, desk: DeskContext, technician_id: int, bookings: Sequence[Booking]
) -> Iterable[Misplaced]:
    if not bookings:
        return
    technician, window = session.get_one(Technician, technician_id), _around(bookings)
    attends = technician_open(session, desk, technician, window, calendars=False)
    free = technician_open(session, desk, technician, window)
    for row in bookings:
        if not _fits(row, attends):
            yield Misplaced(row, "away")
        elif not _fits(row, free):
            yield Misplaced(row, "calendar")


def _around(bookings: Sequence[Booking]) -> Interval:
    return Interval(min(row.starts_at for row in bookings), max(row.ends_at for row in bookings))


def _fits(row: Booking, opens: Sequence[Interval]) -> bool:
    return any(span.start <= row.starts_at and row.ends_at <= span.end for span in opens)
