"""The feed: the right events, the right bytes, and as few questions to the database as promised."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.calendars import feed as feeds
from scheduler.calendars.conditional import Asked
from scheduler.calendars.event import event_bytes
from scheduler.calendars.feed import Feed, Sources, calendar_component, note_reader, read_feed
from scheduler.calendars.secrets import (
    FeedSettings,
    Owner,
    change_feed,
    create_feed,
    feed_secret,
    revoke_feed,
)
from scheduler.calendars.timezone import timezone_component
from scheduler.calendars.writing import event_facts, write_event
from scheduler.rules.intervals import Interval
from scheduler.rules.secret import Secret
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, FeedSecret, Technician
from tests.unit.calendars.desk import ANA, BASE, LUIS, NOW, add_booking, add_desk, context

KEY = Secret("f0" * 32)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For tests about bytes alone, which no database can change; a PostgreSQL database costs a quarter of a second."""


class Reader:
    """A client of one address."""

    def __init__(self, database: Database, feed_id: int, secret: str) -> None:
        self.database = database
        self.id = feed_id
        self.secret = secret
        self.open: list[Interval] = []

    def read(self, now: datetime = NOW, etag: str | None = None, since: str | None = None) -> Feed:
        with read(self.database.sessions) as session:
            sources = Sources(BASE, b"l" * 32, self._open_slots, lambda *_: [])
            return read_feed(session, self.secret, now, Asked(etag, since), sources)

    def _open_slots(self, session: Session, technician: Technician, now: datetime) -> Sequence[Interval]:
        return self.open


@pytest.fixture
def desk(database: Database) -> Database:
    with write(database.sessions) as session:
        add_desk(session)
    return database


@pytest.fixture
def ana(desk: Database) -> Reader:
    return subscribe(desk)


def subscribe(
    desk: Database, technician_id: int = ANA, scope: str = "interventions", detail: str = "full"
) -> Reader:
    with write(desk.sessions) as session:
        row = create_feed(session, KEY, technician_id, scope, NOW, FeedSettings(detail))
        return Reader(desk, row.id, feed_secret(KEY, row).reveal())


def book(desk: Database, number: int = 1, **changes: Any) -> None:
    with write(desk.sessions) as session:
        write_event(session, context(session), add_booking(session, number, id=number, **changes), NOW)


def uids(feed: Feed) -> list[int]:
    """The numbers of the bookings shown, in order."""
    assert feed.status == 200
    calendar = icalendar.Calendar.from_ical(feed.body)
    return [int(str(found["UID"])[:8]) for found in calendar.walk("VEVENT")]


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The SELECTs sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@ON_SQLITE
def test_the_bytes_are_those_of_icalendar(desk: Database, ana: Reader) -> None:
    for number in range(1, 4):
        book(desk, number)
    with read(desk.sessions) as session:
        calendar = calendar_component("Ana Ruiz", "es", "Europe/Madrid", "interventions")
        calendar.add_component(timezone_component("Europe/Madrid"))
        technician = session.get_one(Technician, ANA)
        for number in range(1, 4):
            booking = session.get_one(Booking, number)
            body = event_bytes(event_facts(session, context(session), booking, technician))
            calendar.add_component(icalendar.Event.from_ical(body))
    assert ana.read().body == calendar.to_ical()


@ON_SQLITE
def test_the_calendars_own_properties(ana: Reader) -> None:
    lines = ana.read().body.decode().split("\r\n")
    assert lines[:10] == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Ventana//Ventana//ES",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:Intervenciones · Ana Ruiz",
        "X-WR-CALNAME:Intervenciones · Ana Ruiz",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
        "X-WR-TIMEZONE:Europe/Madrid",
    ]
    assert lines[-2:] == ["END:VCALENDAR", ""]


@ON_SQLITE
def test_an_empty_calendar_is_still_a_valid_one(ana: Reader) -> None:
    calendar = icalendar.Calendar.from_ical(ana.read().body)
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE"]


@ON_SQLITE
def test_each_zone_in_use_is_described_once(desk: Database, ana: Reader) -> None:
    book(desk, 1)
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).zone = "Atlantic/Canary"
    book(desk, 2)
    book(desk, 3)
    body = ana.read().body
    assert [line for line in body.split(b"\r\n") if line.startswith(b"TZID:")] == [
        b"TZID:Atlantic/Canary",
        b"TZID:Europe/Madrid",
    ]


def test_only_the_technicians_own_events(desk: Database, ana: Reader) -> None:
    book(desk, 1)
    book(desk, 2, technician_id=LUIS)
    assert uids(ana.read()) == [1]
    assert uids(subscribe(desk, LUIS).read()) == [2]


def test_the_window_is_thirty_days_back_and_half_a_year_ahead(desk: Database, ana: Reader) -> None:
    midnight = NOW.replace(hour=0, minute=0)
    starts = (
        midnight - 30 * DAY - HOUR,  # ended as the window opens
        midnight - 30 * DAY,
        midnight + 181 * DAY - HOUR,
        midnight + 181 * DAY,
    )
    for number, start in enumerate(starts, 1):
        book(desk, number, starts_at=start, ends_at=start + HOUR)
    assert uids(ana.read()) == [2, 3]


@ON_SQLITE
def test_host_and_port_only_for_feeds_that_may_say_them(desk: Database, ana: Reader) -> None:
    book(desk)
    open_hearted = subscribe(desk, detail="host")
    assert b"pbx.clinicasol.example" not in ana.read().body
    assert b"pbx.clinicasol.example" in open_hearted.read().body
    assert ana.read().etag != open_hearted.read().etag


def test_cancelled_events_leave_after_seven_days(desk: Database, ana: Reader) -> None:
    book(desk)
    with write(desk.sessions) as session:
        booking = session.get_one(Booking, 1)
        booking.status = "cancelled"
        write_event(session, context(session), booking, NOW)
    assert b"STATUS:CANCELLED" in ana.read(NOW + 6 * DAY).body
    stays, leaves = ana.read(NOW + 7 * DAY), ana.read(NOW + 8 * DAY)
    assert (uids(stays), uids(leaves)) == ([1], [])
    assert stays.etag != leaves.etag


def test_the_tag_stays_until_something_changes(desk: Database, ana: Reader) -> None:
    book(desk)
    first = ana.read()
    assert ana.read(NOW + HOUR).etag == first.etag
    assert ana.read(NOW + HOUR).body == first.body
    tags = {first.etag, ana.read(NOW + DAY).etag}
    with write(desk.sessions) as session:
        booking = session.get_one(Booking, 1)
        booking.verdict = "ready"
        write_event(session, context(session), booking, NOW)
    tags.add(ana.read().etag)
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).name = "Ana Ruiz Gil"
    tags.add(ana.read().etag)
    with write(desk.sessions) as session:
        change_feed(session, Owner(technician_id=ANA), ana.id, NOW, FeedSettings("host"))
    tags.add(ana.read().etag)
    assert len(tags) == 5
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)


def test_an_unchanged_feed_reads_one_row_by_one_query(desk: Database, ana: Reader) -> None:
    book(desk)
    tag = ana.read().etag
    with counted(desk.engine) as sent:
        answer = ana.read(etag=tag)
    assert (answer.status, answer.body, answer.etag) == (304, b"", tag)
    assert len(sent) == 1


def test_a_changed_feed_takes_two_queries_for_any_number_of_events(desk: Database, ana: Reader) -> None:
    for number in range(1, 12):
        book(desk, number)
    with counted(desk.engine) as sent:
        assert len(uids(ana.read(etag='"old"'))) == 11
    assert len(sent) == 2


def test_dates_work_for_clients_without_tags(desk: Database, ana: Reader) -> None:
    book(desk)
    first = ana.read()
    assert first.last_modified == NOW
    assert ana.read(since="Tue, 24 Nov 2026 09:10:00 GMT").status == 304
    book(desk, 2)
    assert ana.read(since="Tue, 24 Nov 2026 09:10:00 GMT").status == 200
    # At midnight the window moves on, although nothing was written.
    assert ana.read(NOW + DAY, since="Tue, 24 Nov 2026 09:10:05 GMT").status == 200


def test_unknown_and_revoked_secrets(desk: Database, ana: Reader) -> None:
    book(desk)
    tag = ana.read().etag
    stranger = Reader(desk, 0, "x" * 24)
    with write(desk.sessions) as session:
        revoke_feed(session, Owner(technician_id=ANA), ana.id, NOW)
    for reader, status in ((ana, 410), (stranger, 404)):
        with counted(desk.engine) as sent:
            answer = reader.read(etag=tag)
        assert (answer.status, answer.body, answer.note_for) == (status, b"", None)
        assert len(sent) == 1


@ON_SQLITE
@pytest.mark.parametrize("secret", ["", "\x00", "\ud800", "ñ", "' OR 1=1 --", "x" * 100_000])
def test_odd_secrets_are_merely_unknown(desk: Database, secret: str) -> None:
    assert Reader(desk, 0, secret).read().status == 404


@ON_SQLITE
def test_who_left_reads_no_more(desk: Database, ana: Reader) -> None:
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).active = False
    assert ana.read().status == 410


@ON_SQLITE
def test_open_slots_come_as_free_time(desk: Database) -> None:
    reader = subscribe(desk, scope="slots")
    book(desk)
    start = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    reader.open = [Interval(start, start + HOUR), Interval(start + HOUR, start + 2 * HOUR)]
    first = reader.read()
    calendar = icalendar.Calendar.from_ical(first.body)
    assert calendar["X-WR-CALNAME"] == "Intervenciones y huecos · Ana Ruiz"
    shown = [(str(found["SUMMARY"]), found["TRANSP"]) for found in calendar.walk("VEVENT")]
    assert shown == [
        ("… sin probar · Asterisk · Clínica Sol", "OPAQUE"),
        ("Hueco libre (60 min)", "TRANSPARENT"),
        ("Hueco libre (60 min)", "TRANSPARENT"),
    ]
    assert first.last_modified is None
    assert reader.read(NOW + timedelta(minutes=20), etag=first.etag).status == 304
    assert reader.read(since="Tue, 24 Nov 2026 23:00:00 GMT").status == 200
    reader.open.pop()
    assert reader.read(etag=first.etag).status == 200


@ON_SQLITE
def test_too_large_a_calendar_loses_its_oldest_events(
    desk: Database, ana: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 9):
        book(desk, number)
    whole = ana.read()
    assert whole.left_out == 0
    monkeypatch.setattr(feeds, "LARGEST_BODY", len(whole.body) - 1)
    assert uids(ana.read()) == [2, 3, 4, 5, 6, 7, 8]
    monkeypatch.setattr(feeds, "LARGEST_BODY", len(whole.body) // 2)
    half = ana.read()
    assert len(half.body) <= len(whole.body) // 2
    assert uids(half)[-1] == 8
    assert half.left_out == 8 - len(uids(half)) > 3


@ON_SQLITE
def test_slots_give_way_to_interventions(desk: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = subscribe(desk, scope="slots")
    book(desk)
    start = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    reader.open = [Interval(start + n * HOUR, start + (n + 1) * HOUR) for n in range(3)]
    monkeypatch.setattr(feeds, "LARGEST_BODY", len(reader.read().body) - 1)
    answer = reader.read()
    assert answer.left_out == 1
    assert [str(found["UID"])[:14] for found in icalendar.Calendar.from_ical(answer.body).walk("VEVENT")] == [
        "00000001-8c1e-",
        "slot-1-2026112",
        "slot-1-2026112",
    ]


def test_the_reader_is_written_down_once_a_minute(desk: Database, ana: Reader) -> None:
    def noted() -> tuple[datetime | None, str | None]:
        with read(desk.sessions) as session:
            row = session.get_one(FeedSecret, ana.id)
            return row.last_read_at, row.last_reader

    assert ana.read().note_for == ana.id
    with write(desk.sessions) as session:
        note_reader(session, ana.id, "Mozilla/5.0 Thunderbird/128.0", NOW)
    assert noted() == (NOW, "Thunderbird")
    soon = NOW + timedelta(seconds=59)
    assert ana.read(soon).note_for is None
    with write(desk.sessions) as session:
        note_reader(session, ana.id, "curl/8", soon)
    assert noted() == (NOW, "Thunderbird")
    assert ana.read(NOW + timedelta(minutes=1)).note_for == ana.id
