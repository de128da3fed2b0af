"""Winning, moving and changing a booking row, one at a time."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from fixtures.databases import Database
from scheduler.store.booking_rows import (
    Lost,
    change_booking,
    expire_holds,
    insert_booking,
    move_booking,
)
from scheduler.store.engines import is_duplicate, read, write
from scheduler.store.models import Booking
from tests.store.rows import HOUR, NOW, START, add_booking, add_people, booking_values


@pytest.fixture
def desk(database: Database) -> Database:
    """A desk with one booking, number 1, of technician 1 at START."""
    with write(database.sessions) as session:
        add_people(session)
        add_booking(session)
    return database


def _moved(start: Any = START + 3 * HOUR, **changed: Any) -> dict[str, Any]:
    lead = {"requested_at": NOW, "earliest_at": NOW + 8 * HOUR, "changed_at": NOW + HOUR}
    return lead | {"starts_at": start, "ends_at": start + HOUR} | changed


def _booking(desk: Database, number: int = 1) -> Booking:
    with read(desk.sessions) as session:
        return session.get_one(Booking, number)


def test_an_insert_returns_the_row_with_its_defaults(desk: Database) -> None:
    with write(desk.sessions) as session:
        booking = insert_booking(session, booking_values(START + HOUR))
        assert booking is not None
        assert (booking.rev, booking.sequence, booking.verdict) == (1, 0, "unknown")
        assert booking.customer.company == "Viento Sur"
    assert _booking(desk, booking.id).starts_at == START + HOUR


def test_a_taken_slot_gives_none_and_the_transaction_goes_on(desk: Database) -> None:
    with write(desk.sessions) as session:
        assert insert_booking(session, booking_values()) is None
        other = insert_booking(session, booking_values(technician_id=2))
        assert other is not None
    assert _booking(desk, other.id).technician_id == 2


def test_only_the_slot_is_forgiven(desk: Database) -> None:
    uid = _booking(desk).uid
    with pytest.raises(IntegrityError) as refused, write(desk.sessions) as session:
        insert_booking(session, booking_values(START + HOUR, uid=uid))
    assert is_duplicate(refused.value, "uq_booking_uid")
    with pytest.raises(IntegrityError, match="ck_booking_lead_time"), write(desk.sessions) as session:
        insert_booking(session, booking_values(NOW + HOUR))


def test_a_move_changes_time_and_technician_at_once(desk: Database) -> None:
    with write(desk.sessions) as session:
        seen = session.get_one(Booking, 1)
        moved = move_booking(session, 1, 1, _moved(technician_id=2, sequence=1))
        assert moved is seen
        assert (seen.starts_at, seen.technician_id, seen.rev) == (START + 3 * HOUR, 2, 2)
    assert _booking(desk).sequence == 1


def test_a_move_onto_another_loses_and_the_transaction_goes_on(desk: Database) -> None:
    with write(desk.sessions) as session:
        add_booking(session, START + 3 * HOUR)
    with write(desk.sessions) as session:
        lost = move_booking(session, 1, 1, _moved())
        assert lost is Lost.TAKEN
        assert not lost
        assert move_booking(session, 1, 1, _moved(technician_id=2))
    assert _booking(desk).technician_id == 2


def test_a_move_of_a_row_that_changed_or_is_not_there_loses(desk: Database) -> None:
    with write(desk.sessions) as session:
        assert move_booking(session, 1, 1, _moved())
    with write(desk.sessions) as session:
        assert move_booking(session, 1, 1, _moved(START + 5 * HOUR)) is Lost.STALE
        assert move_booking(session, 99, 1, _moved()) is Lost.STALE
    assert _booking(desk).starts_at == START + 3 * HOUR


def test_a_move_into_the_lead_time_is_refused_however_old_the_booking(desk: Database) -> None:
    later = START - HOUR
    values = _moved(START + HOUR, requested_at=later, earliest_at=later + 8 * HOUR, changed_at=later)
    with pytest.raises(IntegrityError, match="lead_time"), write(desk.sessions) as session:
        move_booking(session, 1, 1, values)
    assert _booking(desk).starts_at == START


def test_a_move_without_its_lead_time_is_a_mistake_of_the_caller(desk: Database) -> None:
    with (
        pytest.raises(ValueError, match="changed_at, earliest_at, requested_at"),
        write(desk.sessions) as session,
    ):
        move_booking(session, 1, 1, {"starts_at": START})


def test_a_change_swaps_only_what_was_seen(desk: Database) -> None:
    with write(desk.sessions) as session:
        changed = change_booking(session, 1, 1, ("confirmed", "pending"), {"status": "in_session"})
        assert changed is not None
        assert changed.rev == 2
    with write(desk.sessions) as session:
        assert change_booking(session, 1, 1, ("in_session",), {"status": "done"}) is None
        assert change_booking(session, 1, 2, ("confirmed",), {"status": "cancelled"}) is None
        assert change_booking(session, 99, 1, ("confirmed",), {"status": "cancelled"}) is None
    assert (_booking(desk).status, _booking(desk).rev) == ("in_session", 2)


def test_a_change_can_leave_the_revision(desk: Database) -> None:
    with write(desk.sessions) as session:
        assert change_booking(session, 1, 1, ("confirmed",), {"verdict": "ready", "rev": 1})
    assert (_booking(desk).verdict, _booking(desk).rev) == ("ready", 1)


def test_holds_that_ended_make_room_and_others_stay(desk: Database) -> None:
    with write(desk.sessions) as session:
        for hours, until in ((1, -HOUR), (2, timedelta()), (3, timedelta(seconds=1))):
            add_booking(session, START + hours * HOUR, status="held", held_until=NOW + until)
        add_booking(session, START, technician_id=2, status="held", held_until=NOW - HOUR)
    with write(desk.sessions) as session:
        expired = expire_holds(session, 1, NOW)
        assert [booking.starts_at for booking in expired] == [START + HOUR, START + 2 * HOUR]
        assert insert_booking(session, booking_values(START + HOUR)) is not None
        assert expire_holds(session, 1, NOW) == []
    with read(desk.sessions) as session:
        held = session.scalars(select(Booking.starts_at).where(Booking.status == "held").order_by(Booking.id))
        assert held.all() == [START + 3 * HOUR, START]
        for booking in session.scalars(select(Booking).where(Booking.status == "expired")):
            assert booking.rev == 2
            assert booking.changed_at == NOW + timedelta(seconds=1)
