"""Send the mails of the outbox.

A row is sent at least once under one fixed Message-ID, so a mail client can drop the rare second copy after a crash
between the server's acceptance and our commit.
"""

import logging
import mimetypes
import smtplib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from scheduler.clock import Clock
from scheduler.mailing.notices import KIND
from scheduler.settings import Settings
from scheduler.store.engines import read, write
from scheduler.store.models import Desk, MailRequest, Notice
from scheduler.waking import wake

__all__ = ["KIND", "Outbox", "message"]

log = logging.getLogger(__name__)

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
"""Waits after each failed try; after the last (about 22 h) the mail is dead and the dispatcher sees it."""
TIME_OUT_SECONDS = 20.0
_HARMLESS = frozenset({"image/png", "image/jpeg", "image/gif", "application/pdf", "text/plain"})


@dataclass(frozen=True, slots=True)
class Outbox:
    """Sends waiting notices through the SMTP server of the settings; safe to call from several threads."""

    sessions: sessionmaker[Session]
    clock: Clock
    settings: Settings

    def run(self, notice_id: int, rev: int) -> datetime | None:
        """Send one notice; returns when to try again, None when it is sent, dead or there is no server to ask."""
        with read(self.sessions) as session:
            notice = session.get(Notice, notice_id)
            if notice is None or notice.state != "waiting" or not self._deliverable:
                return None
            desk = session.get_one(Desk, 1)
            asked = session.scalar(select(MailRequest).where(MailRequest.notice_id == notice.id))
            mail = message(notice, self.settings.mail_from or desk.email, desk.name, asked)
        try:
            self._send(mail)
        except (OSError, smtplib.SMTPException) as error:
            return self._failed(notice_id, error)
        with write(self.sessions) as session:
            row = session.get_one(Notice, notice_id)
            row.state, row.sent_at, row.attempts = "sent", self.clock(), row.attempts + 1
            _wake_next(session, row)
        return None

    def overdue(self, session: Session, now: datetime) -> Iterable[tuple[int, int, datetime]]:
        """(id, 0, due_at) of waiting notices that should have been tried by now; none while nobody could take them.

        Otherwise the engine would wake for each of them again and again.
        """
        if not self._deliverable:
            return []
        rows = session.execute(
            select(Notice.id, Notice.due_at).where(Notice.state == "waiting", Notice.due_at <= now)
        )
        return [(row.id, 0, row.due_at) for row in rows]

    @property
    def _deliverable(self) -> bool:
        return bool(self.settings.smtp_host) or self.settings.mail_page

    def _send(self, mail: EmailMessage) -> None:
        settings = self.settings
        if not settings.smtp_host:
            return  # The demo's mail page reads the outbox itself: being kept there is being delivered.
        tls = ssl.create_default_context()
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.smtp_host, settings.smtp_port, timeout=TIME_OUT_SECONDS, context=tls
            )
        else:
            server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIME_OUT_SECONDS)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=tls)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(mail)

    def _failed(self, notice_id: int, error: Exception) -> datetime | None:
        with write(self.sessions) as session:
            row = session.get_one(Notice, notice_id)
            row.attempts += 1
            row.last_error = f"{type(error).__name__}: {error}"[:500]
            log.warning("notice %s not sent (try %s): %s", notice_id, row.attempts, type(error).__name__)
            if row.attempts > len(BACK_OFF) or _final(error):
                row.state = "dead"
                return None
            row.due_at = self.clock() + BACK_OFF[row.attempts - 1]
            return row.due_at


def _wake_next(session: Session, sent: Notice) -> None:
    """Go on with the mails written together with this one, of which only the first was woken."""
    if sent.booking_id is None:
        return
    beside = select(Notice.id, Notice.due_at).where(
        Notice.booking_id == sent.booking_id,
        Notice.created_at == sent.created_at,
        Notice.id > sent.id,
        Notice.state == "waiting",
    )
    row = session.execute(beside.order_by(Notice.id).limit(1)).first()
    if row is not None:
        wake(session, KIND, row.id, 0, row.due_at)


def _final(error: Exception) -> bool:
    """Whether the server refused for good (5xx on the recipient): another try would only annoy it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return False


def message(notice: Notice, sender: str, desk_name: str, asked: MailRequest | None = None) -> EmailMessage:
    """The mail of a notice: text and HTML alternatives, and the .ics where it carries one (RFC 5322, RFC 2046).

    `asked` is the customer's question that it brings to the desk: with the file, and to be answered to the customer.
    """
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = _mailbox(desk_name, sender)
    mail["To"] = _mailbox(notice.to_name, notice.to_address)
    mail["Subject"] = notice.subject
    mail["Date"] = format_datetime(notice.created_at)
    mail["Message-ID"] = notice.message_id
    if asked is not None:
        mail["Reply-To"] = _mailbox(asked.from_name, asked.from_address)
    # Vacation responders must not answer a machine (RFC 3834 §5).
    mail["Auto-Submitted"] = "auto-generated"
    if notice.stop_url is not None:
        mail["List-Unsubscribe"] = f"<{notice.stop_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(notice.text)
    mail.add_alternative(notice.html, subtype="html")
    if notice.attachment is not None:
        _invite(mail, notice.attachment, notice.calendar_method)
    if asked is not None and asked.file_name is not None:
        _enclose(mail, asked.file_name, asked.file_content or b"")
    # Last: building the parts takes every Content-… header away from the whole.
    mail["Content-Language"] = notice.locale
    return mail


def _enclose(mail: EmailMessage, name: str, content: bytes) -> None:
    """The file as it came, in base64. Only kinds that show and run nothing keep their type: a page would be opened."""
    guessed = mimetypes.guess_type(name)[0] or ""
    harmless = guessed in _HARMLESS
    main, _, sub = (guessed if harmless else "application/octet-stream").partition("/")
    mail.add_attachment(content, main, sub, cte="base64", filename=name)


def _mailbox(name: str, address: str) -> Address:
    """Name and address apart: joined into text first, "Sol, S.L." would become a recipient of its own."""
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)


def _invite(mail: EmailMessage, body: bytes, method: str | None) -> None:
    """The calendar object as an alternative, which clients act upon (RFC 6047 §2.4), and as a file for the others.

    The file is no text/calendar: a client that reads both would take the invitation twice. Base64, since a relay
    that touches a line's end or its 8-bit letters would break the object.
    """
    if method is not None:
        parameters = {"method": method, "charset": "utf-8"}
        mail.add_alternative(body, "text", "calendar", cte="base64", params=parameters)
    mail.add_attachment(body, "application", "ics", cte="base64", filename="intervencion.ics")
