"""Answers to invitations from a real mailbox (Dovecot) to what is kept and told, on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from fixtures import imap_server
from fixtures.imap_server import Dovecot
from fixtures.processes import free_port
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.replies.inbox import MOST_MAILS
from scheduler.replies.keeping import answers_of, declines_of, doubtful
from scheduler.replies.polling import InboxPoller
from scheduler.settings import Settings
from scheduler.store.engines import read
from scheduler.store.models import Booking, InvitationAnswer, Notice, ReplyInbox
from tests.services.conftest import SOL, Bench, at

PABLO, MARTA = f"a@{SOL.lower()}.example", "marta@levantia.example"
GIVEN = at(24, 10, 20)
"""Ten minutes after the clock of the desk, as clocks differ."""


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    if why := imap_server.missing():
        pytest.skip(why)
    with Dovecot() as running:
        yield running


class Desk:
    """A desk that invites and reads answers, with one booking of Sol's."""

    def __init__(self, bench: Bench, dovecot: Dovecot) -> None:
        self.bench, self.dovecot = bench, dovecot
        self.settings = settings(dovecot)
        with bench.writing() as (session, desk):
            wish = bench.request(session, SOL, at(25, 10, 30))
            row = bookings.book(session, desk, bench.now, bench.customer(session, SOL), wish)
            self.booking, self.uid = row.id, row.uid

    def visit(self, **changed: Any) -> ReplyInbox:
        chosen = self.settings.model_copy(update=changed)
        bench = self.bench
        InboxPoller(bench.database.sessions, lambda: bench.now, bench.installation, chosen).visit()
        with read(bench.database.sessions) as session:
            return session.get_one(ReplyInbox, 1)

    def answers(self) -> list[InvitationAnswer]:
        with read(self.bench.database.sessions) as session:
            return list(answers_of(session, self.booking))

    def told(self) -> list[Notice]:
        with read(self.bench.database.sessions) as session:
            return list(session.scalars(select(Notice).where(Notice.kind == "declined")))

    def answer(self, partstat: str, **changed: Any) -> None:
        self.dovecot.deliver(reply(changed.pop("uid", self.uid), partstat, **changed))


def settings(dovecot: Dovecot, **changed: Any) -> Settings:
    usual = {
        "folder": Path("unused"),
        "imap_host": imap_server.NAME,
        "imap_port": dovecot.tls_port,
        "imap_user": imap_server.USER,
        "imap_password": imap_server.PASSWORD,
    }
    return Settings(**{**usual, **changed})


@pytest.fixture
def desk(bench: Bench, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.ca_file))
    dovecot.empty()
    return Desk(bench, dovecot)


def reply(
    uid: str,
    partstat: str,
    who: str = PABLO,
    *,
    stamp: datetime = GIVEN,
    sequence: int = 0,
    comment: str = "",
    sender: str = "",
) -> bytes:
    """The mail in which a calendar program answers: the object beside the text, and again as a file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Otro//ES", "METHOD:REPLY", "BEGIN:VEVENT"]
    lines += [f"UID:{uid}", f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}", f"SEQUENCE:{sequence}"]
    lines += [f"ATTENDEE;PARTSTAT={partstat};CN=Otro Nombre:MAILTO:{who.upper()}"]
    lines += [f"COMMENT:{comment}"] if comment else []
    body = "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender or who, imap_server.USER, "Re: Intervención"
    mail.set_content("Respuesta")
    mail.add_alternative(body, "text", "calendar", cte="base64", params={"method": "REPLY"})
    mail.add_attachment(body, "application", "ics", filename="invite.ics")
    return mail.as_bytes()


def test_an_answer_is_kept_told_once_and_its_mail_marked_and_nothing_else_is_touched(desk: Desk) -> None:
    desk.dovecot.deliver(b"From: cliente@example.com\r\nSubject: Hola\r\n\r\nUna pregunta.\r\n")
    desk.answer("DECLINED", comment="No puedo\\, lo siento\\n\u202ehttp://x", sender="secretaria@sol.example")
    state = desk.visit()
    assert (state.problem, state.good_at) == (None, desk.bench.now)
    (row,) = desk.answers()
    assert (row.name, row.address, row.answer) == ("Persona de Clínica Sol, S.L.", PABLO, "declined")
    assert (row.comment, row.sender) == ("No puedo, lo siento http://x", "secretaria@sol.example")
    assert (row.stamped_at, row.received_at) == (desk.bench.now, desk.bench.now), "no instant to come"
    assert desk.dovecot.seen() == [False, True]
    (mail,) = desk.told()
    assert mail.to_address == "elena@levantia.example"
    assert "sigue en pie" in mail.text
    assert "http://x" not in mail.text
    desk.visit()
    desk.answer("DECLINED", stamp=at(24, 10, 25))
    desk.bench.now += timedelta(minutes=30)
    desk.visit()
    assert len(desk.told()) == 1
    with read(desk.bench.database.sessions) as session:
        booking = session.get_one(Booking, desk.booking)
        assert (booking.status, booking.rev) == ("confirmed", 1), "a mail changes no booking"


def test_the_newest_answer_counts_in_whatever_order_they_come(desk: Desk) -> None:
    desk.bench.now = at(24, 12)
    desk.answer("DECLINED", who=MARTA, stamp=at(24, 11))
    desk.visit()
    desk.answer("ACCEPTED", who=MARTA, stamp=at(24, 10, 30))
    desk.visit()
    assert [row.answer for row in desk.answers()] == ["declined"]
    desk.answer("TENTATIVE", who=MARTA, stamp=at(24, 11, 30))
    desk.visit()
    assert [(row.name, row.answer) for row in desk.answers()] == [("Marta Ruiz", "tentative")]
    assert desk.dovecot.seen() == [True] * 3, "the older one has been dealt with, too"


def test_a_light_that_changes_meanwhile_makes_no_answer_old(desk: Desk) -> None:
    """A light is a new version of the event (SEQUENCE grows) of which no mail asks anybody."""
    with desk.bench.writing() as (session, _):
        session.get_one(Booking, desk.booking).sequence += 1
    desk.answer("DECLINED")
    desk.visit()
    assert len(desk.told()) == 1
    with desk.bench.writing() as (session, _):
        assert [row.address for row in doubtful(session, desk.bench.now)] == [PABLO]
        assert [row.address for row in declines_of(session, [desk.booking])] == [PABLO]


def test_a_move_leaves_earlier_answers_behind(desk: Desk) -> None:
    desk.answer("TENTATIVE")
    desk.visit()
    with desk.bench.writing() as (session, context):
        assert [row.address for row in doubtful(session, desk.bench.now)] == [PABLO]
        to = bookings.Move(1, at(26, 10, 30), "Europe/Madrid")
        bookings.move(session, context, desk.bench.now, Actor("dispatcher", 3, "Elena"), desk.booking, to)
        assert doubtful(session, desk.bench.now) == declines_of(session, [desk.booking]) == []
    desk.answer("DECLINED", stamp=at(24, 10, 9))
    desk.visit()
    assert desk.told() == [], "that was about the hour before"
    desk.answer("ACCEPTED", sequence=99, stamp=at(24, 10, 9))
    desk.visit()
    assert [(row.answer, row.sequence) for row in desk.answers()] == [("accepted", 1)]


@pytest.mark.parametrize(
    "changed",
    [
        {"uid": "e3b0c442-0000-4000-8000-000000000000@another.example"},
        {"who": "forastero@example.com"},
        {"who": "jordi@levantia.example"},
    ],
)
def test_who_was_not_invited_and_what_is_not_ours_is_left_alone(desk: Desk, changed: dict[str, str]) -> None:
    desk.answer("DECLINED", **changed)
    assert desk.visit().problem is None
    assert desk.answers() == []
    assert desk.told() == []
    assert desk.dovecot.seen() == [False]


def test_a_flood_is_read_in_portions_and_a_huge_mail_not_at_all(desk: Desk) -> None:
    with desk.dovecot.client() as client:
        for _ in range(MOST_MAILS):
            client.append("INBOX", "", "", b"Subject: nada\r\n\r\nnada\r\n")
    desk.dovecot.deliver(reply(desk.uid, "DECLINED") + b"x" * 2_000_000)
    desk.answer("ACCEPTED")
    desk.visit()
    assert desk.answers() == []
    desk.visit()
    assert [row.answer for row in desk.answers()] == ["accepted"]
    assert desk.dovecot.seen()[-2:] == [False, True]


def test_another_folder_begins_anew_and_one_by_starttls_works_too(desk: Desk) -> None:
    desk.answer("ACCEPTED")
    desk.visit()
    desk.dovecot.deliver(reply(desk.uid, "DECLINED", MARTA), "Respuestas")
    state = desk.visit(imap_folder="Respuestas", imap_security="starttls", imap_port=desk.dovecot.port)
    assert state.problem is None
    assert {row.address: row.answer for row in desk.answers()} == {PABLO: "accepted", MARTA: "declined"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"imap_host": "buzon.invalid"}, "dns"),
        ({"imap_port": "nobody"}, "unreachable"),
        ({"imap_host": "127.0.0.1"}, "tls"),
        ({"imap_user": "otro@levantia.example"}, "login"),
        ({"imap_folder": "No existe"}, "folder"),
    ],
)
def test_a_broken_mailbox_is_written_down_and_mends_itself(
    desk: Desk, changed: dict[str, Any], code: str
) -> None:
    desk.answer("ACCEPTED")
    if "imap_port" in changed:
        changed = {"imap_port": free_port()}
    state = desk.visit(**changed)
    assert (state.problem, state.good_at) == (code, None)
    assert imap_server.PASSWORD not in state.reason
    assert desk.dovecot.seen() == [False]
    assert desk.visit().problem is None
    assert len(desk.answers()) == 1
