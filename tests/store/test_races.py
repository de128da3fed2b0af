"""Many at once for the same slot: exactly one wins, and without the guard more would."""

import random
import threading
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.store.booking_rows import Lost, change_booking, insert_booking, move_booking
from scheduler.store.engines import read, write
from scheduler.store.models import LIVE_STATUSES, Booking
from tests.store.rows import HOUR, NOW, START, add_booking, add_people, booking_values, overlaps
from tests.together import together
from tests.unguarded import drop_slot_guard

CLIENTS = 16
ROUNDS = 5


def _bookings(database: Database) -> list[Booking]:
    with read(database.sessions) as session:
        return list(session.scalars(select(Booking).order_by(Booking.id)))


def _prepare(database: Database) -> None:
    with write(database.sessions) as session:
        add_people(session)


def test_one_of_many_wins_the_slot(database: Database) -> None:
    _prepare(database)

    def book(start: datetime, number: int) -> bool:
        shifted = start + (number % 3 - 1) * HOUR / 4  # not only the same slot: any overlap
        with write(database.sessions) as session:
            return insert_booking(session, booking_values(shifted)) is not None

    for turn in range(ROUNDS):
        won = together(CLIENTS, partial(book, START + turn * 2 * HOUR))
        assert Counter(won) == {True: 1, False: CLIENTS - 1}
    assert len(_bookings(database)) == ROUNDS
    assert overlaps(_bookings(database), LIVE_STATUSES) == []


def test_looking_first_double_books(database: Database) -> None:
    """The control: the same race without the guard, decided by a look before the insert."""
    _prepare(database)
    drop_slot_guard(database.engine)
    looked = threading.Barrier(CLIENTS)

    def book(_number: int) -> None:
        with read(database.sessions) as session:
            free = session.scalar(select(Booking.id).where(Booking.starts_at == START)) is None
        looked.wait()
        if free:
            with write(database.sessions) as session:
                session.add(Booking(**booking_values()))

    together(CLIENTS, book)
    assert len(overlaps(_bookings(database), LIVE_STATUSES)) == CLIENTS * (CLIENTS - 1) / 2


def test_crossing_moves_neither_deadlock_nor_overlap(database: Database) -> None:
    """Bookings of two technicians move across each other at random; a deadlock would raise."""
    slots = [START + number * HOUR for number in range(4)]
    with write(database.sessions) as session:
        add_people(session)
        for number in range(6):
            add_booking(session, slots[number // 2], technician_id=1 + number % 2)

    def shuffle(seed: int) -> Counter[str]:
        chance, seen = random.Random(seed), Counter[str]()  # noqa: S311 - a repeatable test
        for _ in range(20):
            with write(database.sessions) as session:
                seen[_move_one(session, chance, slots)] += 1
        return seen

    outcomes: Counter[str] = Counter()
    for seen in together(8, shuffle):
        assert isinstance(seen, Counter)
        outcomes += seen
    assert outcomes["moved"] > 0
    assert outcomes["taken"] > 0
    rows = _bookings(database)
    assert len(rows) == 6
    assert overlaps(rows, LIVE_STATUSES) == []
    assert sum(row.rev - 1 for row in rows) == outcomes["moved"]


def _move_one(session: Session, chance: random.Random, slots: list[datetime]) -> str:
    number, start = chance.randint(1, 6), chance.choice(slots)
    rev = session.scalars(select(Booking.rev).where(Booking.id == number)).one()
    values = {
        "requested_at": NOW,
        "changed_at": NOW + rev * timedelta(seconds=1),
        "earliest_at": NOW + 8 * HOUR,
        "starts_at": start,
        "ends_at": start + HOUR,
        "technician_id": chance.randint(1, 2),
    }
    outcome = move_booking(session, number, rev, values)
    return outcome.value if isinstance(outcome, Lost) else "moved"


def test_moves_without_the_locks_deadlock(postgresql_database: Database) -> None:
    """The control: two bookings that swap places by plain UPDATEs wait for each other."""
    with write(postgresql_database.sessions) as session:
        add_people(session)
        add_booking(session, START)
        add_booking(session, START + HOUR)
    first_done = threading.Barrier(2)
    sql = text("UPDATE booking SET description = 'x' WHERE id = :id")

    def cross(number: int) -> str | None:
        try:
            with write(postgresql_database.sessions) as session:
                session.execute(sql, {"id": number + 1})
                first_done.wait()
                session.execute(sql, {"id": 2 - number})
        except DBAPIError as error:
            return str(getattr(error.orig, "sqlstate", None))
        return None

    assert sorted(map(str, together(2, cross))) == ["40P01", "None"]


def test_one_of_many_changes_wins(database: Database) -> None:
    with write(database.sessions) as session:
        add_people(session)
        add_booking(session)

    def cancel(number: int) -> bool:
        with write(database.sessions) as session:
            values = {"status": "cancelled", "description": f"{number}"}
            return change_booking(session, 1, 1, ("confirmed",), values) is not None

    assert Counter(together(CLIENTS, cancel)) == {True: 1, False: CLIENTS - 1}
    assert _bookings(database)[0].rev == 2


@pytest.mark.parametrize("mover_first", [True, False])
def test_a_move_and_a_booking_for_one_slot(database: Database, mover_first: bool) -> None:
    with write(database.sessions) as session:
        add_people(session)
        add_booking(session, START + 5 * HOUR)

    def compete(number: int) -> bool:
        with write(database.sessions) as session:
            if (number % 2 == 0) is mover_first:
                lead = {"requested_at": NOW, "earliest_at": NOW + 8 * HOUR, "changed_at": NOW + HOUR}
                values = lead | {"starts_at": START, "ends_at": START + HOUR, "technician_id": 1}
                return bool(move_booking(session, 1, 1, values))
            return insert_booking(session, booking_values()) is not None

    assert Counter(together(4, compete))[True] == 1
    assert overlaps(_bookings(database), LIVE_STATUSES) == []
