"""What devices are told since they last asked: every change once, what left, and nothing that stayed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.calendars import collections
from scheduler.calendars.app_passwords import Subscriber
from scheduler.calendars.rewriting import rewrite
from scheduler.calendars.sync import TokenInvalid, changed_since, gone_since, read_token
from scheduler.calendars.writing import write_event
from scheduler.operation.upkeep import forget
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, CalendarTombstone, Customer, Technician
from tests.unit.calendars.desk import ANA, LUIS, NOW, add_booking, add_desk, context

DAY = timedelta(days=1)


@dataclass
class Device:
    """A program that keeps one calendar in step."""

    database: Database
    technician_id: int = ANA
    name: str = "interventions"
    token: str = ""
    at: datetime = NOW

    def sync(self) -> tuple[set[int], set[int]]:
        """Bookings to read and to forget since the last time."""
        with read(self.database.sessions) as session:
            now = collections.state_of(session, self._subscriber(session), self.name, self.at)
            if self.token:
                then = read_token(self.token, now)
                changed = collections.events(session, now, changed_since(then, now))
                gone = gone_since(session, then, now)
            else:
                changed, gone = collections.events(session, now), set()
            self.token = now.token
            return {event.booking_id for event in changed}, gone

    def _subscriber(self, session: Session) -> Subscriber:
        row = session.get_one(Technician, self.technician_id)
        role = "dispatcher" if self.name == "team" else "technician"
        return Subscriber(0, row.id, row.name, row.email, role, row.zone, row.locale, row.calendar_rev, False)


@pytest.fixture
def desk(database: Database) -> Database:
    with write(database.sessions) as session:
        add_desk(session)
    return database


def book(desk: Database, number: int, **values: object) -> None:
    with write(desk.sessions) as session:
        write_event(session, context(session), add_booking(session, number, id=number, **values), NOW)


def change(desk: Database, number: int, at: datetime = NOW, **values: object) -> None:
    with write(desk.sessions) as session:
        booking = session.get_one(Booking, number)
        before = booking.technician_id
        for name, value in values.items():
            setattr(booking, name, value)
        booking.rev += 1
        booking.changed_at += timedelta(seconds=1)
        session.flush()
        left = before if before != booking.technician_id else None
        write_event(session, context(session), booking, at, left_technician_id=left)


def test_each_change_is_told_once_and_nothing_else(desk: Database) -> None:
    for number in range(1, 6):
        book(desk, number)
    device = Device(desk)
    assert device.sync() == ({1, 2, 3, 4, 5}, set())
    assert device.sync() == (set(), set())
    change(desk, 2, starts_at=NOW + 3 * DAY, ends_at=NOW + 3 * DAY + timedelta(hours=1))
    assert device.sync() == ({2}, set())
    change(desk, 3, verdict="ready")
    change(desk, 4, status="cancelled")
    assert device.sync() == ({3, 4}, set())
    change(desk, 3, verdict="not_ready")
    change(desk, 3, verdict="ready")
    assert device.sync() == ({3}, set())
    assert device.sync() == (set(), set())


def test_what_another_takes_over_leaves_one_calendar_for_the_other(desk: Database) -> None:
    book(desk, 1)
    book(desk, 2)
    ana, luis, team = Device(desk), Device(desk, LUIS), Device(desk, LUIS, "team")
    assert [ana.sync(), luis.sync(), team.sync()] == [({1, 2}, set()), (set(), set()), ({1, 2}, set())]
    change(desk, 1, technician_id=LUIS)
    assert [ana.sync(), luis.sync(), team.sync()] == [(set(), {1}), ({1}, set()), ({1}, set())]
    change(desk, 1, technician_id=ANA)
    assert [ana.sync(), luis.sync(), team.sync()] == [({1}, set()), (set(), {1}), ({1}, set())]
    assert Device(desk).sync() == ({1, 2}, set())


def test_there_and_back_between_two_visits_is_a_change(desk: Database) -> None:
    book(desk, 1)
    ana = Device(desk)
    ana.sync()
    change(desk, 1, technician_id=LUIS)
    change(desk, 1, technician_id=ANA)
    assert ana.sync() == ({1}, set())


def test_a_cancelled_event_leaves_after_its_week(desk: Database) -> None:
    book(desk, 1)
    device = Device(desk)
    device.sync()
    change(desk, 1, status="cancelled")
    assert device.sync() == ({1}, set())
    device.at = NOW + 7 * DAY
    assert device.sync() == (set(), set())
    device.at = NOW + 8 * DAY
    assert device.sync() == (set(), {1})
    assert device.sync() == (set(), set())


def test_the_window_moves_on_with_the_days(desk: Database) -> None:
    book(desk, 1, starts_at=NOW - 25 * DAY, ends_at=NOW - 25 * DAY + timedelta(hours=1))
    book(desk, 2, starts_at=NOW + 185 * DAY, ends_at=NOW + 185 * DAY + timedelta(hours=1))
    book(desk, 3)
    device = Device(desk)
    assert device.sync() == ({1, 3}, set())
    device.at = NOW + 10 * DAY
    assert device.sync() == ({2}, {1})
    change(desk, 2, starts_at=NOW + 300 * DAY, ends_at=NOW + 300 * DAY + timedelta(hours=1))
    assert device.sync() == (set(), {2})


def test_tokens_that_tell_nothing_are_refused(desk: Database) -> None:
    book(desk, 1)
    own, luis, team = Device(desk), Device(desk, LUIS), Device(desk, ANA, "team")
    for device in (own, luis, team):
        device.sync()
    good = own.token
    future = good.replace(f":{ANA}.2", f":{ANA}.3")
    assert future != good
    for token in (luis.token, team.token, future, good + "x", "urn:x-ventana:sync:1", "", "²", "x" * 100_000):
        with pytest.raises(TokenInvalid):
            replace(own, token=token or " ").sync()
    for day in ("20261125", "20260101", "20269999", "99999999"):
        with pytest.raises(TokenInvalid):
            replace(own, token=good.replace("20261124", day)).sync()
    replace(own, token=good).sync()


def test_who_left_the_team_takes_the_token_along(desk: Database) -> None:
    team = Device(desk, ANA, "team")
    team.sync()
    with write(desk.sessions) as session:
        session.get_one(Technician, LUIS).active = False
    with pytest.raises(TokenInvalid):
        team.sync()


def test_who_joins_the_team_brings_everything(desk: Database) -> None:
    book(desk, 1, technician_id=LUIS)
    with write(desk.sessions) as session:
        session.get_one(Technician, LUIS).active = False
    team = Device(desk, ANA, "team")
    assert team.sync() == (set(), set())
    with write(desk.sessions) as session:
        session.get_one(Technician, LUIS).active = True
    assert team.sync() == ({1}, set())


def test_a_rewrite_tells_everything_anew(desk: Database) -> None:
    book(desk, 1)
    book(desk, 2)
    device = Device(desk)
    device.sync()
    with write(desk.sessions) as session:
        session.get_one(Customer, 1).company = "Clínica Luna"
        rewrite(session, context(session), NOW, true())
    assert device.sync() == ({1, 2}, set())


def test_a_change_that_is_rolled_back_is_not_told(desk: Database) -> None:
    book(desk, 1)
    device = Device(desk)
    device.sync()
    with desk.sessions() as session:
        booking = session.get_one(Booking, 1)
        booking.technician_id = LUIS
        session.flush()
        write_event(session, context(session), booking, NOW, left_technician_id=ANA)
        session.rollback()
    assert device.sync() == (set(), set())


def test_tombstones_outlive_the_tokens_that_ask_for_them(desk: Database) -> None:
    book(desk, 1)
    device = Device(desk)
    device.sync()
    change(desk, 1, technician_id=LUIS)

    def kept_after(time: timedelta) -> int:
        forget(desk.sessions, lambda: NOW + time)
        with read(desk.sessions) as session:
            return session.scalars(select(func.count()).select_from(CalendarTombstone)).one()

    assert kept_after(61 * DAY) == 1
    device.at = NOW + 60 * DAY
    assert device.sync() == (set(), {1})
    device.token = device.token.replace("20270123", "20261124")
    device.at = NOW + 61 * DAY
    with pytest.raises(TokenInvalid):
        device.sync()
    assert kept_after(63 * DAY) == 0
