"""An answer by calendar on its whole way: invitation sent, answered into a real mailbox, read by the engine, shown."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import icalendar
import pytest

from fixtures import imap_server
from fixtures.imap_server import Dovecot
from scheduler.bootstrap import build
from scheduler.store.models import InvitationAnswer
from tests.services.mail_server import MailServer
from tests.web.technician_desk import ELENA, MARTA, NOW, SOL, TechnicianDesk, make_desk


@pytest.fixture
def dovecot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dovecot]:
    if why := imap_server.missing():
        pytest.skip(why)
    with Dovecot() as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca_file))
        yield running


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def desk(
    tmp_path: Path, sqlite_template: Path, dovecot: Dovecot, smtp: MailServer
) -> Iterator[TechnicianDesk]:
    """A desk as it is configured: mails go out by SMTP, answers come in by IMAP over TLS."""
    made = make_desk(
        tmp_path,
        sqlite_template,
        smtp_host="127.0.0.1",
        smtp_port=smtp.port,
        smtp_security="none",
        imap_host=imap_server.NAME,
        imap_port=dovecot.tls_port,
        imap_user=imap_server.USER,
        imap_password=imap_server.PASSWORD,
    )
    made.service.close()
    running = TechnicianDesk(build(made.service.settings, made.clock, make_schema=True), made.clock)
    yield running
    running.service.close()


def until(met: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + 60
    while not met():
        assert time.monotonic() < ends, f"{what}: not within a minute"
        time.sleep(0.05)


def answered(mail: EmailMessage, answer: str) -> tuple[str, bytes]:
    """To whom, and the mail in which a calendar program answers the invitation that it got."""
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    asked = icalendar.Calendar.from_ical(part.get_payload(decode=True))  # type: ignore[arg-type]
    (event,) = asked.walk("VEVENT")
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    event["ATTENDEE"].params["PARTSTAT"] = answer
    reply, said = icalendar.Calendar(), icalendar.Event()
    reply.add("VERSION", "2.0")
    reply.add("PRODID", "-//Otro//ES")
    reply.add("METHOD", "REPLY")
    for name in ("UID", "SEQUENCE", "ORGANIZER", "ATTENDEE", "DTSTART", "DTEND"):
        said[name] = event[name]
    said.add("DTSTAMP", NOW)
    reply.add_component(said)
    letter, to = EmailMessage(), str(event["ORGANIZER"]).removeprefix("mailto:")
    letter["From"], letter["To"], letter["Subject"] = mail["To"], to, "Re: Invitación"
    letter.set_content("Respuesta")
    letter.add_alternative(reply.to_ical(), "text", "calendar", cte="base64", params={"method": "REPLY"})
    return to, letter.as_bytes()


def test_a_decline_comes_back_to_the_dispatcher_and_the_agenda(
    desk: TechnicianDesk, dovecot: Dovecot, smtp: MailServer
) -> None:
    booked = desk.book(SOL, NOW.replace(day=26))
    desk.service.engine.start()
    until(lambda: len(smtp.recipients) >= 2, "the invitations to customer and technician")
    desk.service.engine.stop()
    (sent,) = (mail for mail in smtp.mails if mail["To"].addresses[0].addr_spec != MARTA)
    to, letter = answered(sent, "DECLINED")
    assert to == imap_server.USER
    dovecot.deliver(letter)

    desk.clock.now += timedelta(minutes=1)
    desk.service.engine.start()  # its visits begin with one at the start

    def kept() -> bool:
        with desk.reading() as session:
            return session.query(InvitationAnswer).count() == 1

    def to_elena() -> list[EmailMessage]:
        return [mail for mail in smtp.mails if mail["To"].addresses[0].addr_spec == ELENA]

    until(kept, "the answer in the mailbox")
    until(lambda: dovecot.seen() == [True], "the mail marked as read")
    until(lambda: any("rechazado" in mail["Subject"] for mail in to_elena()), "the mail to the dispatcher")
    name = sent["To"].addresses[0].display_name
    page = desk.browser(ELENA).get("/desk/sending").text
    assert 'data-answer="declined"' in page
    assert f"{name} has declined by calendar; the booking still stands." in page
    assert 'data-problem=""' in page
    for person, path in (
        (MARTA, "/agenda?from=2026-11-23"),
        (ELENA, f"/s/{booked}"),
        (MARTA, f"/s/{booked}"),
    ):
        page = desk.browser(person).get(path).text
        assert f"Declined by {name}" in page or f"{name} has declined by calendar" in page, path
    assert desk.row(booked).status == "confirmed"
