"""Hold, book, move, cancel: each public verb is one step inside the caller's one transaction.

Every verb takes the open session, the desk, the instant `now` (UTC) and the actor; it either writes everything that
follows (ledger, checks, calendar bytes, mails, audit) or raises a Refusal and the caller's transaction writes nothing.
The order of locks is technician → booking → ledger → checks → outbox → audit; another order deadlocks under load.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from scheduler import entitlements
from scheduler.actor import SYSTEM, Actor
from scheduler.bookings.changing import change, require_rev, visible, write_down
from scheduler.bookings.letting_go import let_go
from scheduler.calendars.writing import write_event
from scheduler.checks import planning as checks
from scheduler.context import DeskContext
from scheduler.customers import ledger
from scheduler.mailing import notices
from scheduler.rules.approval import first_status
from scheduler.rules.lifecycle import next_status
from scheduler.slots.placing import BookingRequest, Move, insert, override_reason, place
from scheduler.store.bookings import HELD, Booking, Entitlement

__all__ = [
    "BookingRequest",
    "Move",
    "book",
    "cancel",
    "hold",
    "move",
    "override_reason",
    "release_for_red",
    "release_holds",
    "visible",
]


_RELEASE = (
    update(Booking)
    .where(HELD, Booking.created_by == bindparam("by"))
    .values(status="expired", held_until=None, changed_at=bindparam("now"), rev=Booking.rev + 1)
    .execution_options(synchronize_session=False)
)
"""Built once, as are the other statements that every booking sends: building one costs more than running it."""


def hold(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, request: BookingRequest
) -> Booking:
    """Keep the slot for the actor while they decide (conditions' hold_minutes); replaces their earlier hold."""
    release_holds(session, now, actor)
    until = now + timedelta(minutes=desk.conditions.hold_minutes)
    return insert(session, desk, now, actor, request, status="held", held_until=until)


def release_holds(session: Session, now: datetime, actor: Actor) -> None:
    """Let go of every slot that this actor holds."""
    session.execute(_RELEASE, {"by": str(actor), "now": now})


def book(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, request: BookingRequest
) -> Booking:
    """Book an intervention. The actor's own hold on the slot gives way to it in the same transaction.

    It is confirmed at once, or waits for the desk's approval where the conditions ask for one.
    Raises the refusals of `refuse_unbookable`, SlotTaken(alternatives), NotEntitled, HoursExhausted, ToolNotAccepted.
    """
    release_holds(session, now, actor)
    status = _first_status(session, desk, actor, request.entitlement_id)
    booking = insert(session, desk, now, actor, request, status=status)
    with ledger.watching(session, desk, now, booking.entitlement):
        entitlements.hold(session, now, booking, request.minutes, actor)
    checks.plan(session, desk, booking, now)
    write_event(session, desk, booking, now, new=True)
    notices.booking_changed(session, desk, now, booking, status)
    if status == "pending":
        notices.approval_asked(session, desk, now, booking)
    write_down(session, desk, now, actor, "booking.book", booking, override=request.override_reason)
    return booking


def _first_status(session: Session, desk: DeskContext, actor: Actor, entitlement_id: int) -> str:
    if not desk.conditions.approval.needed_for:
        return "confirmed"
    right = session.get(Entitlement, entitlement_id)
    return first_status(desk.conditions, right.kind if right else "", actor.kind)


def move(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, to: Move
) -> Booking:
    """Give a confirmed booking another time, technician or both; its UID stays, its checks are planned anew.

    Raises StaleRevision, TransitionNotAllowed, SlotTaken and the refusals of `refuse_unbookable`.
    """
    booking = visible(session, actor, booking_id)
    next_status(booking.status, "move")
    require_rev(booking, to.seen_rev)
    before = booking.technician_id
    place(session, desk, now, actor, booking, to)
    checks.drop(session, booking)
    checks.plan(session, desk, booking, now)
    left = before if before != booking.technician_id else None
    write_event(session, desk, booking, now, left_technician_id=left)
    notices.booking_changed(session, desk, now, booking, "moved", left)
    write_down(session, desk, now, actor, "booking.move", booking, override=to.override_reason)
    return booking


def cancel(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, seen_rev: int
) -> Booking:
    """Cancel: the slot is free at once, held hours return, planned checks end.

    Raises StaleRevision and TransitionNotAllowed (a session under way or over is not cancelled).
    """
    booking = visible(session, actor, booking_id)
    change(session, booking, seen_rev, "cancel", now)
    let_go(session, desk, now, actor, booking, "cancelled", "booking.cancel")
    return booking


def release_for_red(session: Session, desk: DeskContext, now: datetime, booking: Booking) -> None:
    """Free the slot of a booking whose access still fails close to its start, at no cost to the customer."""
    change(session, booking, booking.rev, "cancel", now)
    code = booking.verdict_code
    let_go(session, desk, now, SYSTEM, booking, "released", "booking.release", code=code)


def booked_by(session: Session, actor: Actor, access_point_id: int, starts_at: datetime) -> Booking | None:
    """The actor's own booking of that door at that moment: what a second click on "confirm" runs into."""
    return session.scalar(
        select(Booking).where(
            Booking.customer_id == actor.customer_id,
            Booking.starts_at == starts_at,
            Booking.access_point_id == access_point_id,
            Booking.status.in_(("pending", "confirmed")),
            Booking.created_by == str(actor),
        )
    )
