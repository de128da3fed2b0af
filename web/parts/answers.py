"""What invited people's calendar programs have answered, and how the mailbox is that they answer to.

Never more than "has answered": a mail can be forged, and every sentence says that the booking stands.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, url_for
from sqlalchemy.orm import Session

from scheduler.calendars.words import short_customer
from scheduler.replies import keeping
from scheduler.store.models import Booking, InvitationAnswer, ReplyInbox
from web import i18n
from web.i18n import gettext as _

STATES = {"accepted": "ok", "tentative": "warn", "declined": "fail"}
LIVE = ("pending", "confirmed", "in_session")


def answers_view(session: Session, booking: Booking, zone: ZoneInfo) -> Sequence[dict[str, Any]]:
    """The answers about one session; none where no mailbox is read."""
    if not _reading():
        return ()
    stands = booking.status in LIVE
    return [
        _answer(row, booking.asked_sequence, zone, stands) for row in keeping.answers_of(session, booking.id)
    ]


def declined_words(session: Session, bookings: Sequence[Booking]) -> dict[int, str]:
    """For an agenda: of each booking that somebody has declined, who; empty where no mailbox is read."""
    if not _reading():
        return {}
    names: dict[int, list[str]] = {}
    for row in keeping.declines_of(session, [each.id for each in bookings]):
        names.setdefault(row.booking_id, []).append(row.name)
    return {id_: _("Declined by %(names)s", names=", ".join(each)) for id_, each in names.items()}


def decline_lines(session: Session, booking: Booking) -> list[dict[str, str]]:
    """For the card of the next session: a line for each who has declined it as it stands."""
    rows = keeping.declines_of(session, [booking.id]) if _reading() else ()
    return [{"state": "warn", "text": _words(row, stands=True)} for row in rows]


def inbox_view(session: Session, at: datetime, zone: ZoneInfo) -> dict[str, Any] | None:
    """The mailbox with its last visit and trouble, and the answers that ask for a call; None where there is none."""
    if not _reading():
        return None
    state, settings = session.get(ReplyInbox, 1), current_app.extensions["ventana"].settings
    problem = state.problem if state else None
    return {
        "address": settings.organizer or current_app.extensions["ventana"].desk(session).email,
        "place": f"{settings.imap_host}:{settings.imap_port}, {settings.imap_folder}",
        "age": _age(state, at),
        "code": problem,
        "problem": problem_words(problem) if problem else None,
        "reason": state.reason if state else "",
        "doubtful": [_line(row, zone) for row in keeping.doubtful(session, at)],
    }


def _reading() -> bool:
    return bool(current_app.extensions["ventana"].installation.replies)


def _answer(row: InvitationAnswer, asked: int, zone: ZoneInfo, stands: bool) -> dict[str, Any]:
    return {
        "state": STATES[row.answer],
        "answer": row.answer,
        "words": _words(row, stands),
        "when": i18n.say_short_moment(row.stamped_at, zone),
        "earlier": row.sequence < asked,
        "comment": row.comment,
        "sender": row.sender,
    }


def _words(row: InvitationAnswer, stands: bool) -> str:
    if row.answer == "accepted":
        return _("%(name)s has accepted by calendar.", name=row.name)
    if row.answer == "tentative":
        said = _("%(name)s has answered “maybe” by calendar", name=row.name)
    else:
        said = _("%(name)s has declined by calendar", name=row.name)
    return _("%(said)s; the booking still stands.", said=said) if stands else f"{said}."


def _line(row: InvitationAnswer, zone: ZoneInfo) -> dict[str, Any]:
    booking = row.booking
    return _answer(row, booking.asked_sequence, zone, stands=True) | {
        "title": short_customer(booking.customer.company),
        "starts": i18n.say_moment(booking.starts_at, zone),
        "url": url_for("technician.session.page", booking_id=booking.id),
    }


def _age(state: ReplyInbox | None, at: datetime) -> str:
    if state is None:
        return _("Not read yet.")
    if state.good_at is None:
        return _("It could never be read.")
    return _("Read %(ago)s.", ago=i18n.say_ago(state.good_at, at))


def problem_words(code: str) -> tuple[str, str]:
    """What happened and what to do, for a code of `scheduler.replies.inbox.InboxFailed`."""
    return PROBLEM_WORDS[code]()


def _check_host() -> str:
    return _("Correct VENTANA_IMAP_HOST and VENTANA_IMAP_PORT, or wait until the server is back.")


PROBLEM_WORDS: Mapping[str, Callable[[], tuple[str, str]]] = {
    "dns": lambda: (_("The name of the mail server cannot be found."), _check_host()),
    "unreachable": lambda: (_("The mail server does not accept the connection."), _check_host()),
    "timeout": lambda: (_("The mail server does not answer."), _check_host()),
    "tls": lambda: (
        _("The certificate of the mail server cannot be trusted."),
        _("Give VENTANA_IMAP_HOST the name that stands in its certificate, or renew the certificate.")),
    "no_starttls": lambda: (
        _("The mail server offers no STARTTLS."),
        _("Set VENTANA_IMAP_SECURITY to tls, usually with port 993.")),
    "login": lambda: (
        _("The mail server refuses user and password."),
        _("Correct VENTANA_IMAP_USER and VENTANA_IMAP_PASSWORD; some providers want an app password.")),
    "folder": lambda: (
        _("There is no such folder in the mailbox."), _("Correct VENTANA_IMAP_FOLDER.")),
    "read_only": lambda: (
        _("The folder may be read, but mails in it cannot be marked."),
        _("Give the user the right to mark mails in that folder.")),
    "broken": lambda: (
        _("The mail server's answer cannot be understood."), _check_host()),
}  # fmt: skip
