"""A technician's own calendar from its address to the slots: polled from a real server, on both databases."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from fixtures.calendar_server import CalendarServer, calendar, meeting, serving
from probes.addresses import AddressAllowance
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.busy import calendars, turns
from scheduler.busy.conflicts import conflicts_of
from scheduler.busy.polling import EVERY, SELDOM, Poller
from scheduler.fetching import Fetcher, Limits
from scheduler.rules import refusals
from scheduler.rules.intervals import Interval
from scheduler.slots.availability import open_slots
from scheduler.store.engines import read
from scheduler.store.models import AuditEntry, BusyCalendar, BusyTime, Notice, Technician
from scheduler.store.vault import Vault, reseal_all, sealed_key_ids
from tests.services.conftest import PONS, SOL, Bench, at

THURSDAY = at(26, 10)
DENTIST = meeting("dentist", "20261126T090000Z", "20261126T100000Z")
"""Thursday 26 November, 10:00 to 11:00 in Madrid."""


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    with serving() as running:
        yield running


class Own:
    """Marta's calendar at a server, and what reads it."""

    def __init__(self, bench: Bench, server: CalendarServer) -> None:
        self.bench, self.server = bench, server
        allow = AddressAllowance.parse((), [("127.0.0.1", server.port)])
        fetcher = Fetcher(allow, Limits(seconds=2))
        self.poller = Poller(
            bench.database.sessions, lambda: bench.now, bench.installation, bench.vault, fetcher
        )
        with bench.writing() as (session, _):
            self.marta = bench.technician(session)

    def add(self, path: str = "/marta.ics") -> int:
        with self.bench.writing() as (session, desk):
            url = self.server.url(path)
            row = calendars.add_calendar(
                session, desk, self.bench.vault, self.bench.now, self.marta, self.marta.id, url
            )
            return row.id

    def poll(self, calendar_id: int) -> BusyCalendar:
        with read(self.bench.database.sessions) as session:
            rev = session.get_one(BusyCalendar, calendar_id).rev
        self.poller.run(calendar_id, rev)
        return self.row(calendar_id)

    def row(self, calendar_id: int) -> BusyCalendar:
        with read(self.bench.database.sessions) as session:
            return session.get_one(BusyCalendar, calendar_id)

    def starts(self) -> list[str]:
        """The open starts of Thursday, as Madrid's clock shows them."""
        with self.bench.writing() as (session, desk):
            person = session.get_one(Technician, self.marta.id)
            day = Interval(at(26, 0), at(27, 0))
            found = open_slots(session, desk, self.bench.now, person, timedelta(hours=1), day, at(26, 0))
            return [f"{slot.start + timedelta(hours=1):%H:%M}" for slot in found]


@pytest.fixture
def own(bench: Bench, server: CalendarServer) -> Own:
    return Own(bench, server)


def test_a_busy_hour_is_not_offered_after_one_poll_and_not_booked(own: Own) -> None:
    bench = own.bench
    own.server.publish("/marta.ics", calendar(DENTIST))
    assert "10:00" in own.starts()
    calendar_id = own.add()
    assert (turns.KIND, calendar_id, 1, bench.now) in bench.wakes
    row = own.poll(calendar_id)
    assert (row.problem, row.good_at, row.due_at) == (
        None,
        bench.now.replace(microsecond=0),
        bench.now + EVERY,
    )
    assert own.starts()[:2] == ["09:00", "11:00"]
    with pytest.raises(refusals.TechnicianBusy) as busy, bench.writing() as (session, desk):
        wish = bench.request(session, SOL, THURSDAY, technician_id=own.marta.id)
        bookings.book(session, desk, bench.now, bench.customer(session, SOL), wish)
    assert at(26, 11) in busy.value.alternatives
    # Outside hours is another answer.
    with pytest.raises(refusals.OutsideHours), bench.writing() as (session, desk):
        wish = bench.request(session, SOL, at(26, 20), technician_id=own.marta.id)
        bookings.book(session, desk, bench.now, bench.customer(session, SOL), wish)


def test_a_dispatcher_books_over_it_with_a_reason_and_is_not_told_of_it(own: Own) -> None:
    bench = own.bench
    own.server.publish("/marta.ics", calendar(DENTIST))
    calendar_id = own.add()
    own.poll(calendar_id)
    with bench.writing() as (session, desk):
        reason = "Marta ha cambiado su cita."
        wish = bench.request(session, SOL, THURSDAY, technician_id=own.marta.id, override_reason=reason)
        bookings.book(session, desk, bench.now, Actor("dispatcher", 3, "Elena"), wish)
    own.poll(calendar_id)
    assert conflict_mails(bench) == []


def conflict_mails(bench: Bench) -> list[Notice]:
    with read(bench.database.sessions) as session:
        return list(session.scalars(select(Notice).where(Notice.kind == "busy_conflict")))


def test_a_conflict_is_told_to_the_dispatcher_once(own: Own) -> None:
    bench = own.bench
    own.server.publish("/marta.ics", calendar())
    calendar_id = own.add()
    own.poll(calendar_id)
    with bench.writing() as (session, desk):
        wish = bench.request(session, SOL, THURSDAY, technician_id=own.marta.id)
        booked = bookings.book(session, desk, bench.now, bench.customer(session, SOL), wish).id
    own.server.publish("/marta.ics", calendar(DENTIST))
    own.poll(calendar_id)
    own.poll(calendar_id)
    mails = conflict_mails(bench)
    assert [(mail.to_address, mail.booking_id) for mail in mails] == [("elena@levantia.example", booked)]
    assert f"https://soporte.example/s/{booked}" in mails[0].text
    assert "Dentista" not in mails[0].text
    with bench.writing() as (session, desk):
        assert [row.id for row in conflicts_of(session, own.marta.id, bench.now)] == [booked]
        bookings.move(
            session,
            desk,
            bench.now,
            bench.customer(session, SOL),
            booked,
            bookings.Move(1, at(27, 10), "Europe/Madrid"),
        )
        assert not conflicts_of(session, own.marta.id, bench.now)


def test_other_technicians_are_offered_instead(own: Own) -> None:
    bench = own.bench
    own.server.publish("/marta.ics", calendar(DENTIST))
    own.poll(own.add())
    with bench.writing() as (session, desk):
        wish = bench.request(session, PONS, THURSDAY)
        row = bookings.book(session, desk, bench.now, bench.customer(session, PONS), wish)
        assert row.technician.name == "Jordi Soler"


def test_an_unchanged_calendar_is_asked_conditionally_until_the_horizon_passes_what_is_known(
    own: Own,
) -> None:
    bench = own.bench
    own.server.publish("/marta.ics", calendar(DENTIST), ETag='"1"')
    calendar_id = own.add()
    first = own.poll(calendar_id)
    bench.now += timedelta(hours=1)
    second = own.poll(calendar_id)
    assert second.good_at == first.good_at + timedelta(hours=1)  # type: ignore[operator]
    bench.now += timedelta(days=8)
    own.poll(calendar_id)
    asked = ["if-none-match" in headers for _, headers in own.server.asked]
    assert asked == [False, True, False]


def test_the_last_good_copy_stays_with_its_age(own: Own) -> None:
    bench = own.bench
    own.server.publish("/marta.ics", calendar(DENTIST))
    calendar_id = own.add()
    good_at = own.poll(calendar_id).good_at
    own.server.publish("/marta.ics", b"<html>Maintenance</html>")
    assert own.poll(calendar_id).problem == "html"
    own.server.answer("/marta.ics", 503)
    for tries in range(2, 6):
        bench.now += timedelta(hours=1)
        row = own.poll(calendar_id)
        assert (row.problem, row.failures, row.good_at) == ("status", tries, good_at)
        assert row.due_at == bench.now + (EVERY if tries < 4 else SELDOM)
    assert "10:00" not in own.starts()
    own.server.publish("/marta.ics", calendar())
    mended = own.poll(calendar_id)
    assert (mended.problem, mended.failures) == (None, 0)
    assert "10:00" in own.starts()


def test_only_times_are_kept_and_the_address_is_sealed(own: Own) -> None:
    bench = own.bench
    own.server.publish("/marta.ics", calendar(DENTIST, meeting("b", "20261126T093000Z", "20261126T103000Z")))
    calendar_id = own.add("/marta.ics?key=canary")
    own.poll(calendar_id)
    with bench.writing() as (session, _):
        (time,) = session.scalars(select(BusyTime))
        assert (time.starts_at, time.ends_at) == (at(26, 10), at(26, 11, 30))
        row = session.get_one(BusyCalendar, calendar_id)
        assert row.host == "127.0.0.1"
        assert b"canary" not in row.address
        assert "canary" not in str([entry.facts for entry in session.scalars(select(AuditEntry))])
        new = Vault([b"n" * 32, b"k" * 32])
        reseal_all(session, bench.vault, new)
        assert sealed_key_ids(session) == {new.current_id}


def test_a_calendar_removed_or_asked_anew_while_it_is_read_records_nothing(own: Own) -> None:
    bench = own.bench
    calendar_id = own.add()

    def meanwhile(handler: object) -> None:
        with bench.writing() as (session, _):
            calendars.read_again(session, bench.now, own.marta, own.marta.id, calendar_id)

    own.server.behave("/marta.ics", meanwhile)
    assert own.poller.run(calendar_id, 1) is None
    row = own.row(calendar_id)
    assert (row.rev, row.tried_at) == (2, None)
    assert own.poller.run(calendar_id, 1) is None
    with bench.writing() as (session, desk):
        calendars.remove_calendar(session, desk, bench.now, own.marta, own.marta.id, calendar_id)
    assert own.poller.run(calendar_id, 2) is None
    with bench.writing() as (session, _):
        assert list(turns.overdue(session, bench.now)) == []


def test_whose_turn_has_come(own: Own) -> None:
    calendar_id = own.add()
    with own.bench.writing() as (session, _):
        assert list(turns.overdue(session, own.bench.now)) == [(calendar_id, 1, own.bench.now)]
        assert list(turns.overdue(session, own.bench.now - timedelta(minutes=1))) == []
        assert turns.far_end(session, calendar_id) == "busy:127.0.0.1"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "required"),
        ("calendar.example/a.ics", "not_a_calendar_url"),
        ("ftp://calendar.example/a.ics", "not_a_calendar_url"),
        ("https://user:pass@calendar.example/a.ics", "with_login"),
        ("https://calendar.example:99999/a.ics", "not_a_calendar_url"),
        ("https://0x7f.1/a.ics", "not_a_host"),
        ("https://calendar.example/a\nb", "control_characters"),
        ("https://calendar.example/" + "a" * 3000, "too_long"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_and_nothing_written(
    own: Own, url: str, problem: str
) -> None:
    bench = own.bench
    with pytest.raises(refusals.InvalidInput) as refused, bench.writing() as (session, desk):
        calendars.add_calendar(session, desk, bench.vault, bench.now, own.marta, own.marta.id, url)
    assert (refused.value.field, refused.value.problem) == ("calendar_url", problem)
    with read(bench.database.sessions) as session:
        assert not list(session.scalars(select(BusyCalendar)))


def test_nobody_adds_to_anothers_and_nobody_has_six(own: Own) -> None:
    bench = own.bench
    jordi = Actor("technician", own.marta.id + 1, "Jordi")
    with pytest.raises(refusals.NotAllowed), bench.writing() as (session, desk):
        calendars.add_calendar(
            session, desk, bench.vault, bench.now, jordi, own.marta.id, own.server.url("/a")
        )
    ids = [own.add(f"/{number}") for number in range(calendars.MOST)]
    with pytest.raises(refusals.InvalidInput, match="too_many_calendars"):
        own.add("/one-more")
    with pytest.raises(refusals.NotFound), bench.writing() as (session, desk):
        calendars.remove_calendar(session, desk, bench.now, jordi, jordi.id, ids[0])


def test_webcal_is_https() -> None:
    from scheduler.busy.address import clean_address

    assert (
        clean_address(" webcal://Calendar.Example/ñ.ics?a=b%20c#x ")
        == "https://calendar.example/%C3%B1.ics?a=b%20c"
    )
    assert clean_address("http://[2001:DB8::1]:8080") == "http://[2001:db8::1]:8080/"
