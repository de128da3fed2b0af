"""Bookings that wait for the desk: approved or refused by a dispatcher, or left to the conditions in the end."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from scheduler.actor import SYSTEM, Actor
from scheduler.bookings.changing import change, visible, write_down
from scheduler.bookings.letting_go import let_go
from scheduler.calendars.writing import write_event
from scheduler.checks import planning as checks
from scheduler.clock import Clock
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.customers.keeping import require_dispatcher
from scheduler.mailing import notices
from scheduler.rules.approval import decide_by
from scheduler.rules.refusals import NotFound, Refusal
from scheduler.rules.text import clean_text
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, BookingDecision

LOG = logging.getLogger(__name__)
REASON_LENGTH = 500
PENDING = Booking.status == "pending"


def approve(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking_id: int, seen_rev: int
) -> Booking:
    """Confirm a booking that waits. Its access is tested again, as after every change.

    Raises NotAllowed for anybody but a dispatcher, NotFound, TransitionNotAllowed, StaleRevision.
    """
    require_dispatcher(actor)
    return _approve(session, desk, now, actor, visible(session, actor, booking_id), seen_rev)


def refuse(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    booking_id: int,
    seen_rev: int,
    reason: str,
) -> Booking:
    """Say no: the slot is free, held hours return, and the customer reads the reason.

    Raises NotAllowed for anybody but a dispatcher, NotFound, InvalidInput("reason"), TransitionNotAllowed,
    StaleRevision.
    """
    require_dispatcher(actor)
    booking = visible(session, actor, booking_id)
    said = clean_text("reason", reason, REASON_LENGTH, required=True)
    change(session, booking, seen_rev, "refuse", now)
    _let_go(session, desk, now, actor, booking, "refused", said)
    return booking


def decide_overdue(factory: sessionmaker[Session], clock: Clock, installation: Installation) -> None:
    """Do what the conditions say with every booking that nobody decided on in time. Safe in several processes."""
    now = clock()
    with read(factory) as session:
        if count_pending(session) == 0:
            return
        desk = load_desk(session, installation)
        found = [(row.id, row.rev) for row in _close(session, desk, now) if deadline(desk, row) <= now]
    for booking_id, rev in found:
        try:
            with write(factory) as session:
                _decide(session, desk, now, booking_id, rev)
        except Refusal as refusal:
            LOG.info("booking %d was decided on meanwhile: %s", booking_id, refusal)


def deadline(desk: DeskContext, booking: Booking) -> datetime:
    """Until when the desk may decide on it."""
    return decide_by(desk.conditions, booking.starts_at, booking.requested_at)


def pending(session: Session) -> Sequence[Booking]:
    """What waits for a decision, by start."""
    return session.scalars(select(Booking).where(PENDING).order_by(Booking.starts_at, Booking.id)).all()


def count_pending(session: Session) -> int:
    """How many wait for a decision."""
    return session.scalar(select(func.count()).select_from(Booking).where(PENDING)) or 0


def decided(session: Session, limit: int = 20) -> Sequence[BookingDecision]:
    """The last decisions, the newest first."""
    newest = select(BookingDecision).order_by(
        BookingDecision.decided_at.desc(), BookingDecision.booking_id.desc()
    )
    return session.scalars(newest.limit(limit)).all()


def decision_of(session: Session, booking_id: int) -> BookingDecision | None:
    """What was decided on a booking, if it ever waited and was decided on."""
    return session.get(BookingDecision, booking_id)


def _approve(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking: Booking, seen_rev: int
) -> Booking:
    change(session, booking, seen_rev, "approve", now)
    checks.drop(session, booking)
    checks.plan(session, desk, booking, now)
    write_event(session, desk, booking, now)
    notices.booking_changed(session, desk, now, booking, "confirmed")
    _keep(session, now, actor, booking, "approved")
    write_down(session, desk, now, actor, "booking.approve", booking)
    return booking


def _close(session: Session, desk: DeskContext, now: datetime) -> Sequence[Booking]:
    soon = now + timedelta(minutes=desk.conditions.approval.minutes_before)
    return session.scalars(select(Booking).where(PENDING, Booking.starts_at <= soon)).all()


def _decide(session: Session, desk: DeskContext, now: datetime, booking_id: int, rev: int) -> None:
    booking = session.get(Booking, booking_id)
    if booking is None:
        raise NotFound("booking")
    if desk.conditions.approval.unanswered == "confirm" and now < booking.starts_at:
        _approve(session, desk, now, SYSTEM, booking, rev)
        return
    change(session, booking, rev, "expire", now)
    _let_go(session, desk, now, SYSTEM, booking, "undecided", "")


def _let_go(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    booking: Booking,
    outcome: str,
    reason: str,
) -> None:
    _keep(session, now, actor, booking, outcome, reason)
    let_go(session, desk, now, actor, booking, outcome, f"booking.{outcome}", reason=reason)


def _keep(
    session: Session, now: datetime, actor: Actor, booking: Booking, outcome: str, reason: str = ""
) -> None:
    session.add(
        BookingDecision(
            booking_id=booking.id, outcome=outcome, reason=reason, decided_at=now, decided_by=str(actor)
        )
    )
    session.flush()
