"""How a booking row is won, moved and changed; each verb expects to lose and says so without an exception.

Every verb runs inside the caller's writing transaction and leaves it usable whatever the outcome.
Lock order everywhere: technicians, bookings, ledger, checks, outbox.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from scheduler.store.bookings import HELD, Booking
from scheduler.store.engines import is_slot_taken
from scheduler.store.guards import SLOT_CONSTRAINT

_TECHNICIAN_LOCKS = 0x5445  # first half of the advisory lock's key; the second is the technician's id

_ENDED = (
    select(Booking.id, Booking.rev, Booking.changed_at)
    .where(Booking.technician_id == bindparam("technician"), HELD, Booking.held_until <= bindparam("now"))
    .order_by(Booking.id)
    .with_for_update(skip_locked=True)
)
_FRESH = {"synchronize_session": False, "populate_existing": True}


class Lost(Enum):
    """Why a row was not moved; false, so that `if move_booking(…)` reads as "moved"."""

    TAKEN = "taken"
    """Another booking has that technician then."""
    STALE = "stale"
    """The row was changed since it was read, or is gone."""

    def __bool__(self) -> bool:
        return False


def insert_booking(session: Session, values: Mapping[str, Any]) -> Booking | None:
    """Insert the booking; None when its technician is taken then, and the transaction goes on.

    Call it as the transaction's first write: whoever locks other rows first deadlocks with whoever
    waits for the slot. Raises IntegrityError for everything else (the CHECK on the lead time, …).
    """
    try:
        return session.scalars(_insert(session.get_bind().dialect.name), [values]).one_or_none()
    except IntegrityError as error:
        if is_slot_taken(error):  # SQLite's trigger undid the statement only; the transaction lives
            return None
        raise


@cache
def _insert(dialect: str) -> ReturningInsert[Booking]:
    if dialect == "postgresql":
        # A plain INSERT deadlocks under contention; ON CONFLICT waits for the rival and then yields.
        return (
            postgresql.insert(Booking).on_conflict_do_nothing(constraint=SLOT_CONSTRAINT).returning(Booking)
        )
    return sqlite.insert(Booking).returning(Booking)


def move_booking(
    session: Session, booking_id: int, seen_rev: int, values: Mapping[str, Any]
) -> Booking | Lost:
    """Give the booking other instants, another technician or both, if its rev is still `seen_rev`.

    `values` must record the lead time anew (`requested_at`, `earliest_at`) and the moment of the change
    (`changed_at`), or the database would judge the new start by the old request; raises ValueError without
    them. `rev` grows by one unless `values` says otherwise.
    """
    if missing := {"requested_at", "earliest_at", "changed_at"} - set(values):
        raise ValueError(f"a move records its lead time: {', '.join(sorted(missing))}")
    _lock_technicians(session, booking_id, values.get("technician_id"))
    try:
        with session.begin_nested():  # PostgreSQL ends the whole transaction on an overlap otherwise
            moved = _swap(session, booking_id, seen_rev, None, values)
    except IntegrityError as error:
        if is_slot_taken(error):
            return Lost.TAKEN
        raise
    return moved or Lost.STALE


def change_booking(
    session: Session,
    booking_id: int,
    seen_rev: int,
    from_statuses: Collection[str],
    values: Mapping[str, Any],
) -> Booking | None:
    """Compare and swap: write `values` if rev and status are still as seen, else None and nothing.

    `rev` grows by one unless `values` holds a rev of its own (the seen one for what leaves planned
    checks valid, such as a verdict).
    """
    return _swap(session, booking_id, seen_rev, from_statuses, values)


def expire_holds(session: Session, technician_id: int, now: datetime) -> list[Booking]:
    """Let go of the technician's holds that ended by `now` (UTC); returns them, for their hours to return.

    A hold that another transaction is expiring is left to it.
    """
    expired = []
    for booking_id, rev, changed_at in session.execute(
        _ENDED, {"technician": technician_id, "now": now}
    ).all():
        later = max(now, changed_at + timedelta(seconds=1))  # calendars ignore what does not get younger
        values = {"status": "expired", "changed_at": later}
        if booking := change_booking(session, booking_id, rev, ("held",), values):
            expired.append(booking)
    return expired


def _swap(
    session: Session,
    booking_id: int,
    seen_rev: int,
    from_statuses: Collection[str] | None,
    values: Mapping[str, Any],
) -> Booking | None:
    statement = update(Booking).where(Booking.id == booking_id, Booking.rev == seen_rev)
    if from_statuses is not None:
        statement = statement.where(Booking.status.in_(from_statuses))
    written = statement.values({"rev": seen_rev + 1} | dict(values)).returning(Booking)
    return session.scalars(written, execution_options=_FRESH).one_or_none()


def _lock_technicians(session: Session, booking_id: int, new_technician: int | None) -> None:
    """Moves that cross each other would deadlock; SQLite has one writer and needs no lock."""
    if session.get_bind().dialect.name != "postgresql":
        return
    old = session.scalar(select(Booking.technician_id).where(Booking.id == booking_id))
    for technician in sorted({one for one in (old, new_technician) if one is not None}):
        session.execute(select(func.pg_advisory_xact_lock(_TECHNICIAN_LOCKS, technician)))
