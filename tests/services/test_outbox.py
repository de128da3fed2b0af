"""Mails are sent through a real SMTP conversation, tried again with patience, and given up in the end."""

import logging
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import delete, select

from fixtures.sshd import free_port
from scheduler.bookings import booking as bookings
from scheduler.mailing import notices, outbox
from scheduler.settings import Settings
from scheduler.store.models import Notice
from tests.services.conftest import NOW, PONS, SOL, Bench, at
from tests.services.mail_server import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    """Takes every mail."""
    with MailServer() as running:
        yield running


def outbox_of(bench: Bench, port: int, **changed: Any) -> outbox.Outbox:
    settings: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
    } | changed
    return outbox.Outbox(
        bench.database.sessions, lambda: bench.now, Settings(folder=Path("unused"), **settings)
    )


def booked(bench: Bench) -> int:
    """The mail of a new booking; its id."""
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        bookings.book(session, desk, NOW, actor, bench.request(session, SOL, at(25, 10, 30)))
        mails = select(Notice.id).where(Notice.kind == "confirmed")
        # The technician's own mail is no matter of these tests.
        session.execute(delete(Notice).where(Notice.kind == "staff_confirmed"))
        return session.scalars(mails).one()


def row(bench: Bench, id_: int) -> Notice:
    with bench.writing() as (session, _):
        return session.get_one(Notice, id_)


def part(mail: EmailMessage, kind: str) -> EmailMessage:
    (found,) = [one for one in mail.walk() if one.get_content_type() == kind]
    assert isinstance(found, EmailMessage)
    return found


def test_a_booking_is_mailed_as_text_html_and_calendar(bench: Bench, server: MailServer) -> None:
    id_ = booked(bench)
    assert outbox_of(bench, server.port).run(id_, 0) is None
    (mail,) = server.mails
    assert server.recipients == [f"a@{SOL.lower()}.example"]
    assert mail["From"] == "Soporte Levantia <soporte@levantia.example>"
    (reader,) = mail["To"].addresses
    assert (reader.display_name, reader.addr_spec) == (
        "Persona de Clínica Sol, S.L.",
        f"a@{SOL.lower()}.example",
    )
    assert str(mail["Subject"]).startswith("Intervención confirmada: miércoles 25 de noviembre")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == (row(bench, id_).message_id, "auto-generated")
    assert mail["Content-Language"] == "es"
    assert "España peninsular" in part(mail, "text/plain").get_content()
    assert '<html lang="es">' in part(mail, "text/html").get_content()
    attached = part(mail, "application/ics")
    assert attached.get_filename() == "intervencion.ics"
    events: list[Any] = Calendar.from_ical(attached.get_content()).walk("VEVENT")
    assert events[0].start == at(25, 10, 30)
    sent = row(bench, id_)
    assert (sent.state, sent.sent_at, sent.attempts) == ("sent", NOW, 1)


def test_what_is_sent_is_not_sent_again(bench: Bench, server: MailServer) -> None:
    id_ = booked(bench)
    for _ in range(3):
        outbox_of(bench, server.port).run(id_, 0)
    assert len(server.mails) == 1
    outbox_of(bench, server.port).run(id_ + 99, 0)


def test_mails_written_together_follow_one_another(bench: Bench, server: MailServer) -> None:
    with bench.writing() as (session, desk):
        bookings.book(
            session, desk, NOW, bench.customer(session, SOL), bench.request(session, SOL, at(25, 10, 30))
        )
        ids = session.scalars(select(Notice.id).order_by(Notice.id)).all()
    assert len(ids) == 2
    assert [asked[:3] for asked in bench.wakes if asked[0] == notices.KIND] == [(notices.KIND, ids[0], 0)]
    sender, asked = outbox_of(bench, server.port), []
    sender.sessions.configure(info={"waker": lambda _, *wanted: asked.append(wanted)})
    for id_ in ids:
        sender.run(id_, 0)
    assert asked == [(notices.KIND, ids[1], 0, NOW)]
    assert len(server.mails) == 2


def test_a_server_that_is_away_is_tried_again_later_and_later(bench: Bench) -> None:
    id_ = booked(bench)
    sender = outbox_of(bench, free_port())
    waits = []
    while (next_at := sender.run(id_, 0)) is not None:
        waits.append(next_at - bench.now)
        assert row(bench, id_).due_at == next_at
        bench.now = next_at
    assert waits == [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720)]
    dead = row(bench, id_)
    assert (dead.state, dead.attempts) == ("dead", 8)
    assert dead.last_error is not None
    assert dead.last_error.startswith("ConnectionRefusedError")
    assert sender.run(id_, 0) is None


def test_the_second_try_has_the_same_message_id(bench: Bench) -> None:
    id_ = booked(bench)
    with MailServer(refuse={"DATA": "451 try later"}) as busy:
        next_at = outbox_of(bench, busy.port).run(id_, 0)
        assert next_at == NOW + timedelta(minutes=1)
        assert row(bench, id_).state == "waiting"
        bench.now = next_at
        busy.refuse.clear()
        assert outbox_of(bench, busy.port).run(id_, 0) is None
        assert [mail["Message-ID"] for mail in busy.mails] == [row(bench, id_).message_id]


@pytest.mark.parametrize(
    ("verb", "answer", "state"),
    [
        ("RCPT", "550 no such mailbox", "dead"),
        ("RCPT", "450 mailbox busy", "waiting"),
        ("DATA", "552 too big", "waiting"),
        ("MAIL", "451 greylisted", "waiting"),
        ("EHLO", "421 closing", "waiting"),
    ],
)
def test_a_recipient_refused_for_good_is_not_tried_again(
    bench: Bench, verb: str, answer: str, state: str
) -> None:
    id_ = booked(bench)
    refuse = {verb: answer} | ({"HELO": answer} if verb == "EHLO" else {})
    with MailServer(refuse=refuse) as picky:
        next_at = outbox_of(bench, picky.port).run(id_, 0)
    found = row(bench, id_)
    assert (found.state, next_at is None) == (state, state == "dead")
    assert answer[:3] in (found.last_error or "")


def test_without_a_server_mails_wait(bench: Bench) -> None:
    id_ = booked(bench)
    sender = outbox_of(bench, 25, smtp_host="")
    assert sender.run(id_, 0) is None
    with bench.writing() as (session, _):
        assert sender.overdue(session, NOW) == [], "nothing is woken for what cannot be sent"
    assert (row(bench, id_).state, row(bench, id_).attempts) == ("waiting", 0)


def test_what_waits_is_found_after_a_restart(bench: Bench, server: MailServer) -> None:
    id_ = booked(bench)
    bench.database.close()
    bench.database.__dict__.pop("engine")
    bench.database.__dict__.pop("sessions")
    sender = outbox_of(bench, server.port)
    with bench.writing() as (session, _):
        assert sender.overdue(session, NOW) == [(id_, 0, NOW)]
        assert sender.overdue(session, NOW - timedelta(seconds=1)) == []
    sender.run(id_, 0)
    with bench.writing() as (session, _):
        assert sender.overdue(session, NOW) == []
    assert len(server.mails) == 1


def test_a_mail_that_fails_is_logged_without_its_reader(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    id_ = booked(bench)
    with caplog.at_level(logging.WARNING):
        outbox_of(bench, free_port()).run(id_, 0)
    assert f"notice {id_} not sent (try 1)" in caplog.text
    assert "@" not in caplog.text


@pytest.mark.parametrize(
    "name", ["Ana\r\nBcc: todos@example.com", 'Ñandú, "Jefa" <x@y>', "🙂" * 40, "=?utf-8?q?x?="]
)
def test_names_are_names_and_no_headers(bench: Bench, server: MailServer, name: str) -> None:
    with bench.writing() as (session, desk):
        reader = notices.Reader(name.replace("\r\n", " "), "ana@sol.example", "es")
        notices.write(session, desk, NOW, "k", "code", reader, {"code": "048213"})
        id_ = session.scalars(select(Notice.id)).one()
    outbox_of(bench, server.port).run(id_, 0)
    (mail,) = server.mails
    assert server.recipients == ["ana@sol.example"]
    assert mail["Bcc"] is None
    assert str(mail["Subject"]) == "048213 es su código de acceso a Soporte Levantia"


def test_a_server_that_says_nothing_costs_its_seconds_and_the_mail_waits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "TIME_OUT_SECONDS", 0.2)
    id_ = booked(bench)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        next_at = outbox_of(bench, silent.getsockname()[1]).run(id_, 0)
    found = row(bench, id_)
    assert next_at == NOW + timedelta(minutes=1)
    assert (found.state, found.attempts) == ("waiting", 1)
    assert "timed out" in (found.last_error or "")


def test_a_slow_server_gets_its_mail_all_the_same(bench: Bench) -> None:
    id_ = booked(bench)
    with MailServer(seconds=0.05) as slow:
        assert outbox_of(bench, slow.port).run(id_, 0) is None
    assert (row(bench, id_).state, len(slow.mails)) == ("sent", 1)


def test_one_refused_address_holds_up_no_other_mail(bench: Bench) -> None:
    first = booked(bench)
    with bench.writing() as (session, desk):
        actor = bench.customer(session, PONS)
        bookings.book(session, desk, NOW, actor, bench.request(session, PONS, at(26, 10, 30)))
        second = session.scalars(
            select(Notice.id).where(Notice.kind == "confirmed", Notice.id != first)
        ).one()
    with MailServer(refuse={f"a@{SOL.lower()}.example": "550 no such mailbox"}) as picky:
        sender = outbox_of(bench, picky.port)
        assert [sender.run(first, 0), sender.run(second, 0)] == [None, None]
    assert (row(bench, first).state, row(bench, second).state) == ("dead", "sent")
    assert picky.recipients == [f"a@{PONS.lower()}.example"]
