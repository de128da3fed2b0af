"""A session from its start to its end: started, completed, missed, and a closing taken back within minutes.

Each verb is one step inside the caller's one transaction, as those of `scheduler.bookings.booking`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler import entitlements
from scheduler.actor import Actor
from scheduler.bookings.booking import book
from scheduler.bookings.changing import change, require_staff, visible, write_down
from scheduler.calendars.writing import write_event
from scheduler.checks import planning as checks
from scheduler.context import DeskContext
from scheduler.customers import ledger
from scheduler.mailing import notices
from scheduler.rules.closing import no_show_minutes, refuse_early_no_show, refuse_late_undo, reopened_minutes
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.rules.text import clean_text
from scheduler.slots.placing import BookingRequest
from scheduler.store.models import Booking, CloseOut

NOTE_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Closing:
    """How a session ended: minutes used, in quarters of an hour, the note for the customer, and what is booked next."""

    minutes_used: int
    note: str = ""
    follow_up: BookingRequest | None = None


def start(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, seen_rev: int
) -> Booking:
    """The technician sits down: the session clock starts."""
    booking = visible(session, actor, booking_id)
    require_staff(actor)
    change(session, booking, seen_rev, "start", now, session_started_at=now)
    checks.drop(session, booking)
    write_event(session, desk, booking, now)
    write_down(session, desk, now, actor, "booking.start", booking)
    return booking


def complete(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    booking_id: int,
    seen_rev: int,
    closing: Closing,
) -> Booking:
    """Close the session: hours used leave the ledger, what goes on is booked, the customer gets a copy by mail.

    Raises InvalidInput("minutes_used") off the quarter hour or outside 0…24 h, HoursExhausted, StaleRevision, and
    what `book` raises for the follow-up; then nothing of it is written.
    """
    booking = visible(session, actor, booking_id)
    require_staff(actor)
    used, note = (
        _quarters(closing.minutes_used),
        clean_text("note", closing.note, NOTE_LENGTH, multiline=True),
    )
    change(session, booking, seen_rev, "complete", now, minutes_used=used, session_note=note)
    round_ = current_round(session, booking)
    with ledger.watching(session, desk, now, booking.entitlement):
        entitlements.settle(session, now, booking, used, actor, round_)
    # After the hours: what this session did not use may be what the next one needs.
    next_one = book(session, desk, now, actor, closing.follow_up) if closing.follow_up else None
    _keep(session, now, actor, booking, next_one.id if next_one else None)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, "completed")
    write_down(session, desk, now, actor, "booking.complete", booking, minutes_used=used)
    return booking


def miss(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    booking_id: int,
    seen_rev: int,
    note: str = "",
) -> Booking:
    """Nobody, or nothing that works, was there: the session ends, and costs what the conditions say.

    Raises TooEarly(from_at) before the minutes of grace are over, TransitionNotAllowed, StaleRevision.
    """
    booking = visible(session, actor, booking_id)
    require_staff(actor)
    refuse_early_no_show(desk.conditions, booking.starts_at, now)
    note, round_ = clean_text("note", note, NOTE_LENGTH, multiline=True), current_round(session, booking)
    held = entitlements.held_minutes(session, booking, round_)
    cost = no_show_minutes(desk.conditions, booking.entitlement.kind, held)
    change(session, booking, seen_rev, "no_show", now, minutes_used=cost, session_note=note)
    checks.drop(session, booking)
    with ledger.watching(session, desk, now, booking.entitlement):
        entitlements.settle(session, now, booking, cost, actor, round_)
    _keep(session, now, actor, booking, None)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, "missed")
    write_down(session, desk, now, actor, "booking.no_show", booking, minutes_used=cost)
    return booking


def undo(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, seen_rev: int
) -> Booking:
    """Take a closing back: the session is under way again, its hours are as before, a second mail corrects the first.

    The ledger keeps what was written and gets the opposite beside it. A follow-up stays booked: it has its own page.
    Raises UndoExpired(until) after ten minutes, SlotTaken when its time has been given away, TransitionNotAllowed,
    StaleRevision, NotFound.
    """
    booking = visible(session, actor, booking_id)
    require_staff(actor)
    last = last_closing(session, booking)
    if last is None:
        raise NotFound("closing")
    refuse_late_undo(last.closed_at, now)
    change(session, booking, seen_rev, "reopen", now, minutes_used=None, session_note=None)
    last.undone_at, last.undone_by = now, str(actor)
    _take_back(session, now, booking, last, actor)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, "reopened")
    write_down(session, desk, now, actor, "booking.reopen", booking, minutes_back=last.minutes_used)
    return booking


def last_closing(session: Session, booking: Booking) -> CloseOut | None:
    """The closing that is in force, or None."""
    query = select(CloseOut).where(CloseOut.booking_id == booking.id, CloseOut.undone_at.is_(None))
    return session.scalar(query)


def undone_closing(session: Session, booking: Booking) -> CloseOut | None:
    """The closing that was taken back last: its hours and note are proposed again."""
    query = select(CloseOut).where(CloseOut.booking_id == booking.id, CloseOut.undone_at.is_not(None))
    return session.scalar(query.order_by(CloseOut.round.desc()).limit(1))


def current_round(session: Session, booking: Booking) -> int:
    """Which closing of the booking the next one is: 1, and one more for each that was taken back."""
    taken_back = select(func.count()).where(
        CloseOut.booking_id == booking.id, CloseOut.undone_at.is_not(None)
    )
    return 1 + (session.scalar(taken_back) or 0)


def _take_back(session: Session, now: datetime, booking: Booking, last: CloseOut, actor: Actor) -> None:
    """What was used comes back, and the session's minutes are set aside again, as far as they are there."""
    right = booking.entitlement
    if not right.metered:
        return
    booked = int((booking.ends_at - booking.starts_at) / timedelta(minutes=1))
    entitlements.reverse(session, now, booking, last.minutes_used, actor, last.round)
    # Read after the reversal, which holds the row: nobody spends it between here and the commit.
    minutes = reopened_minutes(booked, right.balance_minutes)
    if minutes:
        entitlements.hold(session, now, booking, minutes, actor, last.round + 1)


def _keep(session: Session, now: datetime, actor: Actor, booking: Booking, follow_up_id: int | None) -> None:
    session.add(
        CloseOut(
            booking_id=booking.id,
            round=current_round(session, booking),
            status=booking.status,
            minutes_used=booking.minutes_used or 0,
            note=booking.session_note or "",
            follow_up_id=follow_up_id,
            closed_at=now,
            closed_by=str(actor),
        )
    )
    session.flush()


def _quarters(minutes: int) -> int:
    if minutes % 15 or not 0 <= minutes <= 24 * 60:
        raise InvalidInput("minutes_used", "quarter_hours")
    return minutes
