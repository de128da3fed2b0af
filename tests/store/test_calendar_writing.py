"""Calendar bytes follow their booking, and every change is counted on the right calendars."""

from datetime import datetime, timedelta

import icalendar
import pytest
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.calendars.event import FailedStep
from scheduler.calendars.invite import booking_ics
from scheduler.calendars.rewriting import numbers_of_events, outdated, rewrite
from scheduler.calendars.writing import CANCELLED_STAYS, write_event
from scheduler.operation.upkeep import renew_calendars
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, CalendarObject, Customer, Technician
from tests.unit.calendars.desk import ANA, BASE, LUIS, NOW, add_booking, add_desk, context

SECOND = timedelta(seconds=1)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For tests in which the database only remembers."""


@pytest.fixture
def desk(database: Database) -> Database:
    with write(database.sessions) as session:
        add_desk(session)
    return database


def calendar_of(database: Database, technician_id: int) -> tuple[int, datetime]:
    with read(database.sessions) as session:
        row = session.get_one(Technician, technician_id)
        return row.calendar_rev, row.calendar_changed_at


def stored(database: Database) -> CalendarObject | None:
    with read(database.sessions) as session:
        return session.get(CalendarObject, 1)


def change(session: Session, booking: Booking, **values: object) -> None:
    """What the booking service does: new values, a later change time, the next revision."""
    for name, value in values.items():
        setattr(booking, name, value)
    booking.changed_at += SECOND
    booking.rev += 1
    session.flush()


def test_a_new_booking_is_serialised_once_for_each_detail(desk: Database) -> None:
    with write(desk.sessions) as session:
        write_event(session, context(session), add_booking(session, id=1), NOW)
    kept = stored(desk)
    assert kept is not None
    event = icalendar.Event.from_ical(kept.vevent)
    assert event["SUMMARY"] == "… sin probar · Asterisk · Clínica Sol"
    assert event["URL"] == f"{BASE}/s/1"
    assert "Marta Gil, +34 600 000 000, marta@clinicasol.example" in str(event["DESCRIPTION"])
    assert b"pbx.clinicasol.example" not in kept.vevent
    assert b"pbx.clinicasol.example:22022" in kept.vevent_with_host.replace(b"\r\n ", b"")
    assert (kept.technician_id, kept.zone, kept.rev, kept.leaves_at) == (ANA, "Europe/Madrid", 1, None)
    assert calendar_of(desk, ANA) == (2, NOW)
    assert calendar_of(desk, LUIS)[0] == 1


def test_changes_within_one_second_still_grow(desk: Database) -> None:
    for number in range(1, 4):
        with write(desk.sessions) as session:
            write_event(session, context(session), add_booking(session, number), NOW)
    assert calendar_of(desk, ANA) == (4, NOW + 2 * SECOND)


@ON_SQLITE
def test_a_clock_set_back_does_not_turn_the_change_time_back(desk: Database) -> None:
    with write(desk.sessions) as session:
        booking = add_booking(session)
        write_event(session, context(session), booking, NOW)
        write_event(session, context(session), booking, NOW - timedelta(hours=1))
    assert calendar_of(desk, ANA) == (3, NOW + SECOND)


def test_a_rolled_back_change_leaves_nothing(desk: Database) -> None:
    with desk.sessions() as session:
        write_event(session, context(session), add_booking(session, id=1), NOW)
        session.rollback()
    assert stored(desk) is None
    assert calendar_of(desk, ANA)[0] == 1


@ON_SQLITE
@pytest.mark.parametrize("status", ["held", "expired", "cancelled"])
def test_what_never_showed_is_not_written(desk: Database, status: str) -> None:
    with write(desk.sessions) as session:
        booking = add_booking(session, id=1, status=status, held_until=NOW + timedelta(minutes=5))
        write_event(session, context(session), booking, NOW)
    assert stored(desk) is None
    assert calendar_of(desk, ANA)[0] == 1


def test_a_cancelled_event_stays_seven_days_and_no_longer_for_later_writes(desk: Database) -> None:
    with write(desk.sessions) as session:
        booking = add_booking(session, id=1)
        write_event(session, context(session), booking, NOW)
        change(session, booking, status="cancelled")
        write_event(session, context(session), booking, NOW)
        write_event(session, context(session), booking, NOW + timedelta(days=2))
    kept = stored(desk)
    assert kept is not None
    assert kept.leaves_at == NOW + CANCELLED_STAYS
    assert b"STATUS:CANCELLED" in kept.vevent


@ON_SQLITE
def test_a_light_rewrites_the_event(desk: Database) -> None:
    with write(desk.sessions) as session:
        booking = add_booking(session, id=1)
        write_event(session, context(session), booking, NOW)
        change(session, booking, verdict="not_ready", verdict_code="tcp_refused", checked_at=NOW)
        write_event(
            session,
            context(session),
            booking,
            NOW,
            explain=lambda _session, _booking, locale: FailedStep(
                f"Puerto-{locale}", "tcp_refused", "Ábralo."
            ),
        )
    kept = stored(desk)
    assert kept is not None
    event = icalendar.Event.from_ical(kept.vevent)
    assert event["SUMMARY"] == "✖ SIN ACCESO · Asterisk · Clínica Sol"
    assert "Falla: Puerto-es (tcp_refused)\nQué hacer: Ábralo." in str(event["DESCRIPTION"])
    assert kept.rev == 2


def test_a_reassigned_event_changes_both_calendars(desk: Database) -> None:
    with write(desk.sessions) as session:
        booking = add_booking(session, id=1)
        write_event(session, context(session), booking, NOW)
        session.get_one(Technician, LUIS).locale = "en"
        change(session, booking, technician_id=LUIS)
        write_event(session, context(session), booking, NOW, left_technician_id=ANA)
    kept = stored(desk)
    assert kept is not None
    assert kept.technician_id == LUIS
    assert "… not tested".encode() in kept.vevent
    assert (calendar_of(desk, ANA)[0], calendar_of(desk, LUIS)[0]) == (3, 2)


@ON_SQLITE
def test_the_calendar_left_behind_is_known_even_unsaid(desk: Database) -> None:
    with write(desk.sessions) as session:
        booking = add_booking(session, id=1)
        write_event(session, context(session), booking, NOW)
        change(session, booking, technician_id=LUIS)
        write_event(session, context(session), booking, NOW)
    assert (calendar_of(desk, ANA)[0], calendar_of(desk, LUIS)[0]) == (3, 2)


def test_all_events_can_be_written_anew(desk: Database) -> None:
    with write(desk.sessions) as session:
        for number in range(1, 4):
            write_event(session, context(session), add_booking(session, number, id=number), NOW)
        session.get_one(CalendarObject, 1).vevent = b"old bytes"
    with write(desk.sessions) as session:
        assert outdated(session, NOW) == []
        session.get_one(CalendarObject, 2).serialiser = 1
        assert outdated(session, NOW) == [2]
        before = calendar_of_all(session)
        assert list(numbers_of_events(session, NOW, 2)) == [(1, 2), (3, 3)]
        assert rewrite(session, context(session), NOW, true()) == 1, "only what differs is written"
    kept = stored(desk)
    assert kept is not None
    assert kept.vevent.startswith(b"BEGIN:VEVENT\r\n")
    with write(desk.sessions) as session:
        after = calendar_of_all(session)
        assert after == before + 1
        assert outdated(session, NOW) == []
        assert rewrite(session, context(session), NOW, true()) == 0
        assert calendar_of_all(session) == after, "twice does nothing"
        session.get_one(Customer, 1).company = "Clínica Luna"
        newer = session.get_one(Booking, 1).changed_at
        assert rewrite(session, context(session), NOW, Booking.customer_id == 1) == 3
        assert session.get_one(Booking, 1).changed_at > newer
        assert rewrite(session, context(session), NOW, Booking.customer_id == 99) == 0
    kept = stored(desk)
    assert kept is not None
    assert "Clínica Luna" in kept.vevent.decode()


def test_an_upgrade_renews_what_an_earlier_version_wrote(desk: Database) -> None:
    with write(desk.sessions) as session:
        for number in range(1, 4):
            write_event(session, context(session), add_booking(session, number, id=number), NOW)
        installation = context(session).installation
        for kept in session.scalars(select(CalendarObject)):
            kept.vevent_busy, kept.vevent_customer, kept.serialiser = None, None, 1
    for _ in range(2):
        renew_calendars(desk.sessions, lambda: NOW, installation)
        with read(desk.sessions) as session:
            rows = session.scalars(select(CalendarObject)).all()
            assert all(kept.vevent_busy and kept.vevent_customer for kept in rows)
            assert outdated(session, NOW) == []
    assert calendar_of(desk, ANA)[0] == 7, "three were written, three renewed, and no more the second time"


def calendar_of_all(session: Session) -> int:
    return sum(session.scalars(select(Technician.calendar_rev)))


@ON_SQLITE
def test_the_customers_ics_of_a_stored_booking(desk: Database) -> None:
    with write(desk.sessions) as session:
        booking = add_booking(session, id=1, wall_zone="Atlantic/Canary")
        body = booking_ics(session, context(session), booking, "en")
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert event["UID"] == booking.uid
    assert str(event["URL"]).startswith(f"{BASE}/a/")
    assert "TZID:Atlantic/Canary" in body.decode()
    for inside in (b"pbx.clinicasol", b"sin probar", b"not tested", b"No salen", b"marta@"):
        assert inside not in body
