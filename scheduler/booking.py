"""Hold, book, move, cancel, start, complete: each public verb is one step inside the caller's one transaction.

Every verb takes the open session, the desk, the instant `now` (UTC) and the actor; it either writes everything that
follows (ledger, checks, calendar bytes, mails, audit) or raises a Refusal and the caller's transaction writes nothing.
The order of locks is technician → booking → ledger → checks → outbox → audit; another order deadlocks under load.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler import audit, entitlements, notices
from scheduler.actor import SYSTEM, Actor
from scheduler.calendars.writing import write_event
from scheduler.checks import planning as checks
from scheduler.context import DeskContext
from scheduler.customers import ledger
from scheduler.placing import BookingRequest, Move, insert, next_version, override_reason, place
from scheduler.rules import refusals
from scheduler.rules.lifecycle import next_status
from scheduler.rules.text import clean_text
from scheduler.store import booking_rows
from scheduler.store.bookings import HELD, Booking

__all__ = [
    "BookingRequest",
    "Move",
    "book",
    "cancel",
    "complete",
    "hold",
    "move",
    "override_reason",
    "release_for_red",
    "release_holds",
    "start",
    "visible",
]

NOTE_LENGTH = 4000


def hold(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, request: BookingRequest
) -> Booking:
    """Keep the slot for the actor while they decide (conditions' hold_minutes); replaces their earlier hold."""
    release_holds(session, now, actor)
    until = now + timedelta(minutes=desk.conditions.hold_minutes)
    return insert(session, desk, now, actor, request, status="held", held_until=until)


def release_holds(session: Session, now: datetime, actor: Actor) -> None:
    """Let go of every slot that this actor holds."""
    session.execute(
        update(Booking)
        .where(HELD, Booking.created_by == str(actor))
        .values(status="expired", held_until=None, changed_at=now, rev=Booking.rev + 1)
        .execution_options(synchronize_session=False)
    )


def book(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, request: BookingRequest
) -> Booking:
    """Confirm an intervention. The actor's own hold on the slot gives way to it in the same transaction.

    Raises the refusals of `refuse_unbookable`, SlotTaken(alternatives), NotEntitled, HoursExhausted, ToolNotAccepted.
    """
    release_holds(session, now, actor)
    booking = insert(session, desk, now, actor, request, status="confirmed")
    with ledger.watching(session, desk, now, booking.entitlement):
        entitlements.hold(session, now, booking, request.minutes, actor)
    checks.plan(session, desk, booking, now)
    write_event(session, desk, booking, now, new=True)
    notices.booking_changed(session, desk, now, booking, "confirmed")
    _audit(session, desk, now, actor, "booking.book", booking, override=request.override_reason)
    return booking


def move(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, to: Move
) -> Booking:
    """Give a confirmed booking another time, technician or both; its UID stays, its checks are planned anew.

    Raises StaleRevision, TransitionNotAllowed, SlotTaken and the refusals of `refuse_unbookable`.
    """
    booking = visible(session, actor, booking_id)
    next_status(booking.status, "move")
    _require_rev(booking, to.seen_rev)
    before = booking.technician_id
    place(session, desk, now, actor, booking, to)
    checks.drop(session, booking)
    checks.plan(session, desk, booking, now)
    left = before if before != booking.technician_id else None
    write_event(session, desk, booking, now, left_technician_id=left)
    notices.booking_changed(session, desk, now, booking, "moved", left)
    _audit(session, desk, now, actor, "booking.move", booking, override=to.override_reason)
    return booking


def cancel(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, seen_rev: int
) -> Booking:
    """Cancel: the slot is free at once, held hours return, planned checks end.

    Raises StaleRevision and TransitionNotAllowed (a session under way or over is not cancelled).
    """
    booking = visible(session, actor, booking_id)
    _change(session, booking, seen_rev, "cancel", now)
    entitlements.release(session, now, booking, actor)
    checks.drop(session, booking)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, "cancelled")
    _audit(session, desk, now, actor, "booking.cancel", booking)
    return booking


def release_for_red(session: Session, desk: DeskContext, now: datetime, booking: Booking) -> None:
    """Free the slot of a booking whose access still fails close to its start, at no cost to the customer."""
    _change(session, booking, booking.rev, "cancel", now)
    entitlements.release(session, now, booking, SYSTEM)
    checks.drop(session, booking)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, "released")
    _audit(session, desk, now, SYSTEM, "booking.release", booking, code=booking.verdict_code)


def start(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, seen_rev: int
) -> Booking:
    """The technician sits down: the session clock starts."""
    booking = visible(session, actor, booking_id)
    _require_staff(actor)
    _change(session, booking, seen_rev, "start", now, session_started_at=now)
    checks.drop(session, booking)
    write_event(session, desk, booking, now)
    _audit(session, desk, now, actor, "booking.start", booking)
    return booking


def complete(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    booking_id: int,
    seen_rev: int,
    minutes_used: int,
    note: str,
) -> Booking:
    """Close the session: hours used in quarter hours leave the ledger, the customer gets a copy by mail.

    Raises InvalidInput("minutes_used") off the quarter hour or outside 0…24 h, HoursExhausted, StaleRevision.
    """
    booking = visible(session, actor, booking_id)
    _require_staff(actor)
    if minutes_used % 15 or not 0 <= minutes_used <= 24 * 60:
        raise refusals.InvalidInput("minutes_used", "quarter_hours")
    note = clean_text("note", note, NOTE_LENGTH, multiline=True)
    _change(session, booking, seen_rev, "complete", now, minutes_used=minutes_used, session_note=note)
    with ledger.watching(session, desk, now, booking.entitlement):
        entitlements.settle(session, now, booking, minutes_used, actor)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, "completed")
    _audit(session, desk, now, actor, "booking.complete", booking, minutes_used=minutes_used)
    return booking


def visible(session: Session, actor: Actor, booking_id: int) -> Booking:
    """The booking, if the actor may see it; customers are walls to each other. Raises NotFound("booking")."""
    booking = session.get(Booking, booking_id)
    if booking is None or (actor.customer_id is not None and booking.customer_id != actor.customer_id):
        raise refusals.NotFound("booking")
    return booking


def booked_by(session: Session, actor: Actor, access_point_id: int, starts_at: datetime) -> Booking | None:
    """The actor's own confirmed booking of that door at that moment: what a second click on "confirm" runs into."""
    return session.scalar(
        select(Booking).where(
            Booking.customer_id == actor.customer_id,
            Booking.starts_at == starts_at,
            Booking.access_point_id == access_point_id,
            Booking.status == "confirmed",
            Booking.created_by == str(actor),
        )
    )


def _change(
    session: Session, booking: Booking, seen_rev: int, verb: str, now: datetime, **values: Any
) -> None:
    status = next_status(booking.status, verb)
    _require_rev(booking, seen_rev)
    values |= next_version(booking, now) | {"status": status}
    if not booking_rows.change_booking(session, booking.id, seen_rev, (booking.status,), values):
        raise refusals.StaleRevision(current_rev=booking.rev + 1)
    session.refresh(booking)


def _require_rev(booking: Booking, seen_rev: int) -> None:
    if booking.rev != seen_rev:
        raise refusals.StaleRevision(current_rev=booking.rev)


def _require_staff(actor: Actor) -> None:
    if not actor.staff:
        raise refusals.NotAllowed("session")


def _audit(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    action: str,
    booking: Booking,
    **facts: Any,
) -> None:
    facts |= {
        "starts_at": booking.starts_at.isoformat(),
        "technician": booking.technician_id,
        "rev": booking.rev,
    }
    said = {name: value for name, value in facts.items() if value is not None}
    audit.record(session, desk.installation.keys.audit, now, actor, action, f"booking:{booking.id}", **said)
