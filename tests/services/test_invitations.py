"""Invitations by mail (RFC 5546, RFC 6047): read as the reader's mail program reads them."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import icalendar
import pytest
from sqlalchemy import select

from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.calendars.content import HEAD, TAIL
from scheduler.calendars.itip import Party, itip
from scheduler.calendars.secrets import create_customer_feed, create_feed
from scheduler.mailing import outbox
from scheduler.rules.secret import Secret
from scheduler.settings import Settings
from scheduler.store.models import CalendarObject, Contact, Notice, Technician
from tests.services.conftest import NOW, SOL, Bench, at
from tests.services.mail_server import MailServer

KEY = Secret("f0" * 32)
PABLO, MARTA, JORDI = f"a@{SOL.lower()}.example", "marta@levantia.example", "jordi@levantia.example"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def act(bench: Bench, what: str, booking_id: int = 0, **changed: Any) -> int:
    """Book, move or cancel as a dispatcher; the booking's id."""
    elena = Actor("dispatcher", 3, "Elena")
    with bench.writing() as (session, desk):
        if what == "book":
            wish = bench.request(session, SOL, changed.pop("start", at(25, 10, 30)), **changed)
            return bookings.book(session, desk, bench.now, elena, wish).id
        row = bookings.visible(session, elena, booking_id)
        if what == "cancel":
            return bookings.cancel(session, desk, bench.now, elena, booking_id, row.rev).id
        to = bookings.Move(row.rev, changed.pop("start", at(26, 10, 30)), "Europe/Madrid", **changed)
        return bookings.move(session, desk, bench.now, elena, booking_id, to).id


def mails(bench: Bench, server: MailServer) -> dict[str, EmailMessage]:
    """What each reader's server received since the last call, by address."""
    settings = Settings(
        folder=Path("unused"), smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none"
    )
    sender = outbox.Outbox(bench.database.sessions, lambda: bench.now, settings)
    with bench.writing() as (session, _):
        waiting = session.scalars(
            select(Notice.id).where(Notice.state == "waiting").order_by(Notice.id)
        ).all()
    before = len(server.mails)
    for id_ in waiting:
        assert sender.run(id_, 0) is None
    return dict(zip(server.recipients[before:], server.mails[before:], strict=True))


def invitation(
    mail: EmailMessage, organizer: str = "soporte@levantia.example", **asked: str
) -> tuple[str, Any] | None:
    """Method and event as a mail program finds them, with all that must agree checked; None without one."""
    found = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    if not found:
        assert not [part for part in mail.walk() if part.get_content_type() == "application/ics"]
        return None
    (part,) = found
    (file,) = [other for other in mail.walk() if other.get_content_type() == "application/ics"]
    assert part.get_payload(decode=True) == file.get_payload(decode=True)
    assert file.get_filename() == "intervencion.ics"
    assert part.get_content_charset() == "utf-8"
    assert part.get_content_disposition() is None
    body = part.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    calendar: Any = icalendar.Calendar.from_ical(body)
    assert part.get_param("method") == calendar["METHOD"]
    (event,) = calendar.walk("VEVENT")
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == [event["DTSTART"].params["TZID"]]
    assert str(event["ORGANIZER"]) == f"mailto:{organizer}"
    assert event["ORGANIZER"].params["CN"] == "Soporte Levantia"
    assert str(event["ATTENDEE"]) == f"mailto:{mail['To'].addresses[0].addr_spec}"
    expected = {"RSVP": "FALSE", "PARTSTAT": "ACCEPTED", "ROLE": "REQ-PARTICIPANT"} | asked
    assert {name: event["ATTENDEE"].params[name] for name in expected} == expected
    assert event.errors == calendar.errors == []
    return str(calendar["METHOD"]), event


def test_booking_moving_and_cancelling_reach_both_as_one_event(bench: Bench, server: MailServer) -> None:
    id_ = act(bench, "book")
    seen = []
    for what in ("", "move", "cancel"):
        bench.now += timedelta(seconds=30)
        if what:
            act(bench, what, id_)
        received = mails(bench, server)
        assert received.keys() == {PABLO, MARTA}
        found = [invitation(received[who]) for who in (PABLO, MARTA)]
        assert all(found)
        (method, theirs), (same, ours) = (each for each in found if each)
        assert method == same
        assert theirs["UID"] == ours["UID"]
        assert (theirs.start, theirs["SEQUENCE"]) == (ours.start, ours["SEQUENCE"])
        seen.append((method, theirs.start, theirs["SEQUENCE"], str(theirs["STATUS"]), str(theirs["UID"])))
    assert [each[0] for each in seen] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [each[1] for each in seen] == [at(25, 10, 30), at(26, 10, 30), at(26, 10, 30)]
    assert [each[2] for each in seen] == [0, 1, 2]
    assert [each[3] for each in seen] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    with bench.writing() as (session, _):
        feeds = icalendar.Event.from_ical(session.get_one(CalendarObject, id_).vevent)
    assert {each[4] for each in seen} == {str(feeds["UID"])}
    assert "ATTENDEE" not in feeds
    assert "ORGANIZER" not in feeds


def test_where_answers_are_read_invitations_ask_for_one_and_cancellations_do_not(
    bench: Bench, server: MailServer
) -> None:
    inbox = "respuestas@levantia.example"
    bench.installation = dataclasses.replace(bench.installation, replies=True, organizer=inbox)
    id_ = act(bench, "book")
    told: list[tuple[str, int]] = []
    for what in ("", "move", "cancel"):
        bench.now += timedelta(seconds=30)
        if what:
            act(bench, what, id_)
        received = mails(bench, server)
        assert received.keys() == {PABLO, MARTA}
        asked = {} if what == "cancel" else {"RSVP": "TRUE", "PARTSTAT": "NEEDS-ACTION"}
        for who in (PABLO, MARTA):
            found = invitation(received[who], inbox, **asked)
            assert found is not None
            told.append((found[0], found[1]["SEQUENCE"]))
    assert told == [("REQUEST", 0)] * 2 + [("REQUEST", 1)] * 2 + [("CANCEL", 2)] * 2


def test_a_customer_reads_nothing_of_the_desks_inside(bench: Bench, server: MailServer) -> None:
    act(bench, "book")
    received = mails(bench, server)
    body = received[PABLO].as_string()
    assert MARTA not in body
    found = invitation(received[PABLO])
    assert found is not None
    assert "sin probar" not in found[1].to_ical().decode()
    assert "/a/" in str(found[1]["URL"])
    staff = invitation(received[MARTA])
    assert staff is not None
    assert "/s/" in str(staff[1]["URL"])
    assert b"pbx.example.com" not in staff[1].to_ical().replace(b"\r\n ", b"")


def subscribe(bench: Bench, who: str, read_ago: timedelta) -> None:
    with bench.writing() as (session, _):
        if who == PABLO:
            contact = session.scalars(select(Contact).where(Contact.email == who)).one()
            row = create_customer_feed(session, KEY, contact.id, NOW)
        else:
            person = session.scalars(select(Technician).where(Technician.email == who)).one()
            row = create_feed(session, KEY, person.id, "interventions", NOW)
        row.last_read_at = bench.now - read_ago


def test_whose_calendar_shows_it_gets_no_second_copy(bench: Bench, server: MailServer) -> None:
    for who in (PABLO, MARTA):
        subscribe(bench, who, timedelta(hours=2))
    id_ = act(bench, "book")
    received = mails(bench, server)
    assert received.keys() == {PABLO}, "a technician hears of distant sessions from their calendar"
    assert invitation(received[PABLO]) is None
    assert "invitación" not in received[PABLO].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    act(bench, "cancel", id_)
    assert invitation(mails(bench, server)[PABLO]) is None, "nobody was invited, so nothing is taken back"


def test_a_calendar_that_nobody_asks_for_is_not_relied_upon(bench: Bench, server: MailServer) -> None:
    for who in (PABLO, MARTA):
        subscribe(bench, who, timedelta(days=4))
    act(bench, "book")
    assert all(invitation(mail) for mail in mails(bench, server).values())


def test_who_was_invited_is_told_of_changes_whatever_they_subscribe_to_later(
    bench: Bench, server: MailServer
) -> None:
    id_ = act(bench, "book")
    mails(bench, server)
    for who in (PABLO, MARTA):
        subscribe(bench, who, timedelta(0))
    for what, method in (("move", "REQUEST"), ("cancel", "CANCEL")):
        act(bench, what, id_)
        found = {who: invitation(mail) for who, mail in mails(bench, server).items()}
        assert {who: each and each[0] for who, each in found.items()} == {PABLO: method, MARTA: method}


def test_another_technician_is_invited_and_the_first_one_is_let_go(bench: Bench, server: MailServer) -> None:
    id_ = act(bench, "book")
    mails(bench, server)
    with bench.writing() as (session, _):
        jordi = session.scalars(select(Technician.id).where(Technician.email == JORDI)).one()
    act(bench, "move", id_, technician_id=jordi)
    received = mails(bench, server)
    methods = {who: (found := invitation(mail)) and found[0] for who, mail in received.items()}
    assert methods == {PABLO: "REQUEST", JORDI: "REQUEST", MARTA: "CANCEL"}
    assert "Jordi Soler" in received[MARTA].get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name", ['Ana "Jefa"; Ruiz, S.L.', "Ana\r\nATTENDEE:mailto:x@example.com", "🙂" * 300, "a:b^c", ""]
)
def test_names_stay_inside_their_parameter(name: str) -> None:
    body = itip(
        "REQUEST",
        HEAD + TAIL,
        "Europe/Madrid",
        Party(name, "o@example.com"),
        Party(name, "r@example.com"),
        True,
    )
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    body.decode()
    calendar: Any = icalendar.Calendar.from_ical(body)
    (found,) = calendar.walk("VEVENT")
    assert str(found["ATTENDEE"]) == "mailto:r@example.com"
    assert str(found["ORGANIZER"]) == "mailto:o@example.com"
    assert found["ATTENDEE"].params["RSVP"] == "TRUE"
    assert found["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"
