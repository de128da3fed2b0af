"""Reminders: written once when their moment comes, for what still stands, to those who want them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from scheduler.bookings import booking as bookings
from scheduler.mailing import reminders
from scheduler.mailing.outbox import message
from scheduler.mailing.unsubscribing import stop_url
from scheduler.slots.placing import Move
from scheduler.store.models import Booking, Contact, Notice
from tests.services.conftest import NOW, SOL, Bench, at

START = at(27, 10, 30)
H24, H2 = START - timedelta(hours=24), START - timedelta(hours=2)


def book(bench: Bench, start: datetime = START) -> int:
    with bench.writing() as (session, desk):
        wish = bench.request(session, SOL, start)
        return bookings.book(session, desk, NOW, bench.customer(session, SOL), wish).id


def look(bench: Bench, moment: datetime) -> list[str]:
    """The kinds of reminders written so far, after one look at this moment."""
    reminders.write_due(bench.database.sessions, lambda: moment, bench.installation)
    with bench.writing() as (session, _):
        query = select(Notice.kind).where(Notice.kind.startswith("reminder")).order_by(Notice.id)
        return list(session.scalars(query))


def test_each_is_written_once_when_its_moment_comes(bench: Bench) -> None:
    book(bench)
    minute = timedelta(minutes=1)
    assert look(bench, H24 - minute) == []
    assert look(bench, H24) == ["reminder_h24"]
    assert look(bench, H24 + minute) == ["reminder_h24"]
    assert look(bench, H2) == ["reminder_h24", "reminder_h2"]
    assert look(bench, H2 + minute) == ["reminder_h24", "reminder_h2"]
    assert look(bench, START + minute) == ["reminder_h24", "reminder_h2"]


def test_after_an_outage_only_the_nearest_is_written(bench: Bench) -> None:
    book(bench)
    assert look(bench, H2 + timedelta(minutes=30)) == ["reminder_h2"]


def test_who_has_just_booked_needs_no_reminder(bench: Bench) -> None:
    book(bench, at(25, 10, 30))
    assert look(bench, NOW + timedelta(minutes=30)) == []
    assert look(bench, at(25, 8, 30)) == ["reminder_h2"]


def test_a_moved_session_is_reminded_of_anew(bench: Bench) -> None:
    booked = book(bench)
    assert look(bench, H24) == ["reminder_h24"]
    with bench.writing() as (session, desk):
        row = session.get_one(Booking, booked)
        to = Move(starts_at=at(30, 10, 30), zone="Europe/Madrid", seen_rev=row.rev)
        bookings.move(session, desk, H24 + timedelta(hours=1), bench.customer(session, SOL), booked, to)
    assert look(bench, H2) == ["reminder_h24"]
    assert look(bench, at(29, 10, 30)) == ["reminder_h24", "reminder_h24"]


def test_a_cancelled_session_is_not_reminded_of(bench: Bench) -> None:
    booked = book(bench)
    with bench.writing() as (session, desk):
        bookings.cancel(session, desk, NOW, bench.customer(session, SOL), booked, 1)
    assert look(bench, H24) == []


def test_who_does_not_want_them_gets_none(bench: Bench) -> None:
    book(bench)
    with bench.writing() as (session, _):
        session.execute(update(Contact).values(reminders=False))
    assert look(bench, H24) == []


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("ready", "No tiene que hacer nada"), ("not_ready", "no podemos entrar"), ("unknown", "aún no está")],
)
def test_it_says_how_the_access_stands_now(bench: Bench, verdict: str, said: str) -> None:
    booked = book(bench)
    with bench.writing() as (session, _):
        session.execute(update(Booking).where(Booking.id == booked).values(verdict=verdict))
    look(bench, H24)
    with bench.writing() as (session, _):
        assert said in session.scalars(select(Notice).where(Notice.kind == "reminder_h24")).one().text


def test_the_mail_program_can_end_them_with_one_click(bench: Bench) -> None:
    book(bench)
    look(bench, H24)
    with bench.writing() as (session, _):
        notices = {row.kind: row for row in session.scalars(select(Notice))}
        contact = session.scalars(select(Contact).where(Contact.email == f"a@{SOL.lower()}.example")).one()
        address = stop_url(bench.installation, contact.id)
        reminder = message(notices["reminder_h24"], "soporte@levantia.example", "Soporte")
        confirmation = message(notices["confirmed"], "soporte@levantia.example", "Soporte")
    assert reminder["List-Unsubscribe"] == f"<{address}>"
    assert reminder["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = reminder.get_body(("plain",))
    assert body is not None
    assert address in body.get_content()
    assert confirmation["List-Unsubscribe"] is None, "nobody may miss these"
