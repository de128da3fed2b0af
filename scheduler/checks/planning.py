"""Which checks a booking needs, checks on demand, and what the engine should wake for."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.rules.refusals import TooManyTries
from scheduler.rules.verdict import planned_stages
from scheduler.store.models import AccessPoint, Booking, Check
from scheduler.waking import wake

KIND = "check"
"""The engine's name for this work."""
WOKEN_AHEAD = timedelta(minutes=5)
"""What is due later is left to the engine, which looks at the rows every few seconds and plans those coming up:
four wake-ups for each booking, most of which a move makes void, would cost as much as all else it writes."""
ON_DEMAND_PER_HOUR = 20
"""Tries of one door on demand: a customer repairing needs many, an attacker guessing passwords gets few."""


_WRITTEN = insert(Check).returning(Check.id, Check.due_at)


def plan(session: Session, desk: DeskContext, booking: Booking, now: datetime) -> None:
    """Write the checks that this revision of the booking needs; ask the engine to wake for those due soon."""
    planned = [
        {
            "booking_id": booking.id,
            "access_point_id": booking.access_point_id,
            "rev": booking.rev,
            "stage": stage,
            "due_at": due_at,
        }
        for stage, due_at in planned_stages(booking.starts_at, now, desk.conditions.check_stages)
    ]
    if not planned:
        return
    for check_id, due_at in session.execute(_WRITTEN, planned).all():
        if due_at - now <= WOKEN_AHEAD:
            wake(session, KIND, check_id, booking.rev, due_at)


def drop(session: Session, booking: Booking) -> None:
    """End the checks still planned for earlier revisions of this booking; the engine's wakes then do nothing."""
    session.execute(
        update(Check)
        .where(Check.booking_id == booking.id, Check.state.in_(("planned", "running")))
        .values(state="dropped")
    )


def ask(
    session: Session, now: datetime, actor: Actor, point: AccessPoint, booking: Booking | None = None
) -> Check:
    """A check on demand, due at once. One already waiting for this door is returned instead of a second.

    Raises TooManyTries(retry_at) past ON_DEMAND_PER_HOUR for one door.
    """
    waiting = session.scalar(
        select(Check).where(
            Check.access_point_id == point.id,
            Check.stage == "on_demand",
            Check.state.in_(("planned", "running")),
            Check.booking_id == (booking.id if booking else None),
        )
    )
    if waiting is not None:
        return waiting
    _limit(session, now, point)
    check = Check(
        booking_id=booking.id if booking else None,
        access_point_id=point.id,
        rev=booking.rev if booking else 1,
        stage="on_demand",
        due_at=now,
        requested_by=str(actor),
    )
    session.add(check)
    session.flush()
    wake(session, KIND, check.id, check.rev, check.due_at)
    return check


def _limit(session: Session, now: datetime, point: AccessPoint) -> None:
    hour = timedelta(hours=1)
    recent = session.scalars(
        select(Check.due_at)
        .where(Check.access_point_id == point.id, Check.stage == "on_demand", Check.due_at > now - hour)
        .order_by(Check.due_at)
    ).all()
    if len(recent) >= ON_DEMAND_PER_HOUR:
        raise TooManyTries(retry_at=recent[-ON_DEMAND_PER_HOUR] + hour)


def latest(session: Session, access_point_id: int) -> Check | None:
    """The newest check of a door, whatever its state but dropped."""
    return session.scalar(
        select(Check)
        .where(Check.access_point_id == access_point_id, Check.state != "dropped", Check.stage == "on_demand")
        .order_by(Check.id.desc())
        .limit(1)
    )


def timeline(session: Session, booking: Booking) -> Sequence[Check]:
    """All checks of a booking's present revision and those done before it, by due time."""
    return session.scalars(
        select(Check)
        .where(Check.booking_id == booking.id, Check.state != "dropped")
        .order_by(Check.due_at, Check.id)
    ).all()


def overdue(session: Session, now: datetime) -> Iterable[tuple[int, int, datetime]]:
    """(id, rev, due_at) of checks that should be done or be under way by now; the reconciler looks after them."""
    rows = session.execute(
        select(Check.id, Check.rev, Check.due_at).where(
            Check.state.in_(("planned", "running")), Check.due_at <= now
        )
    )
    return [(row.id, row.rev, row.due_at) for row in rows]


_FAR_END = (
    select(AccessPoint.host, AccessPoint.port)
    .join(Check, Check.access_point_id == AccessPoint.id)
    .where(Check.id == bindparam("id"))
)


def far_end(session: Session, check_id: int) -> str:
    """The host and port a check talks to: two checks at once would trip the far end's limits on log-ins."""
    host, port = session.execute(_FAR_END, {"id": check_id}).one()
    return f"{host.casefold()}:{port}"
