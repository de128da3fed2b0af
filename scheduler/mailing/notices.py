"""Mails to people: written into the outbox in the transaction that gives the reason, sent later by the engine."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.links import booking_token
from scheduler.mailing.inviting import Invitation, Invitations
from scheduler.mails import compose
from scheduler.rules.approval import decide_by
from scheduler.rules.verdict import light
from scheduler.store.models import Booking, Check, Contact, Notice, Technician
from scheduler.store.once import insert_once
from scheduler.waking import wake
from scheduler.webhooks.emitting import booking_event
from scheduler.wording import say_hours, say_moment, say_window

KIND = "notice"
"""The engine's name for this work."""
UNTOLD = ("completed", "missed", "reopened", "pending")
"""What the technician does, and need not be told; and what is not settled yet, which their calendar shows."""
Row = dict[str, Any]
"""The columns of one mail."""
SOON = timedelta(hours=24)
"""Calendars are polled too seldom for changes this close: the technician gets a mail as well."""


class Advice(Protocol):
    """One remedy in the reader's language (what the probes' remedies look like from here)."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def copyable(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a mail and in which language."""

    name: str
    address: str
    locale: str


def booking_changed(
    session: Session,
    desk: DeskContext,
    now: datetime,
    booking: Booking,
    what: str,
    left_technician_id: int | None = None,
    reason: str = "",
) -> None:
    """Tell those concerned what happened to a booking.

    It is pending, confirmed, moved, cancelled, refused (with the `reason`), undecided, released, completed, missed or
    reopened. Customers always get a mail; the technician (and `left_technician_id`, who had it until now) where the
    session is near or their calendar does not show it by itself.
    """
    booking_event(session, now, booking, f"booking.{what}", str(booking.rev))
    invitations = Invitations(session, desk, now, booking, what)
    mails: list[Row | None] = [
        _to_contact(desk, now, booking, what, each, invitations, reason) for each in booking.customer.contacts
    ]
    if what not in UNTOLD:
        said = "cancelled" if what in ("refused", "undecided") else what
        mails.append(_to_technician(desk, now, booking, said, booking.technician, invitations))
    if left_technician_id is not None:
        before = session.get_one(Technician, left_technician_id)
        mails.append(_to_technician(desk, now, booking, "left", before, invitations))
    _put(session, [mail for mail in mails if mail is not None], now)


def approval_asked(session: Session, desk: DeskContext, now: datetime, booking: Booking) -> None:
    """Tell the desk's own mailbox that a booking waits for a dispatcher, and until when."""
    house = Reader(desk.name, desk.email, "es")
    facts = booking_facts(desk, booking, house.locale) | _decide_by(desk, booking, house.locale)
    facts |= {"link": f"{desk.installation.link_base}/approvals", "words": booking.description}
    key = f"approval:{booking.id}:{booking.rev}"
    write(session, desk, now, key, "approval_asked", house, facts, booking_id=booking.id)


def _decide_by(desk: DeskContext, booking: Booking, locale: str) -> dict[str, str]:
    by = decide_by(desk.conditions, booking.starts_at, booking.requested_at)
    policy = desk.conditions.approval.unanswered
    return {"decide_by": say_moment(by, ZoneInfo(booking.wall_zone), locale), "unanswered": policy}


def light_changed(
    session: Session, desk: DeskContext, now: datetime, booking: Booking, check: Check, advice: Advice | None
) -> None:
    """Tell the customer that the access light changed, with the one remedy; near the session the technician too."""
    booking_event(session, now, booking, "light.changed", str(check.id))
    state = light(booking.verdict)
    for reader in _customers(booking):
        facts = booking_facts(desk, booking, reader.locale) | {"advice": advice, "state": state}
        key = f"light:{check.id}:{reader.address}"
        write(session, desk, now, key, f"light_{state}", reader, facts, booking_id=booking.id)


def credential_revealed(
    session: Session, desk: DeskContext, now: datetime, booking: Booking, by: str
) -> None:
    """Tell the customer that their credential was shown to somebody of the desk; once for each session."""
    for reader in _customers(booking):
        facts = booking_facts(desk, booking, reader.locale) | {"by": by}
        key = f"revealed:{booking.id}:{reader.address}"
        write(session, desk, now, key, "revealed", reader, facts, booking_id=booking.id)


def _to_contact(
    desk: DeskContext,
    now: datetime,
    booking: Booking,
    what: str,
    contact: Contact,
    invitations: Invitations,
    reason: str,
) -> Row:
    reader = Reader(contact.name, contact.email, booking.customer.locale)
    key = f"booking:{booking.id}:{booking.rev}:{what}:{reader.address}"
    facts = booking_facts(desk, booking, reader.locale) | {"reason": reason}
    if what == "pending":
        facts |= _decide_by(desk, booking, reader.locale)
    invitation = invitations.for_contact(contact)
    return _row(desk, now, key, what, reader, facts, booking_id=booking.id, invitation=invitation)


def _to_technician(
    desk: DeskContext,
    now: datetime,
    booking: Booking,
    what: str,
    person: Technician,
    invitations: Invitations,
) -> Row | None:
    soon = booking.starts_at - now < SOON
    invitation = invitations.for_technician(person, left=what == "left")
    if not soon and invitation is None:
        return None
    reader = Reader(person.name, person.email, person.locale)
    facts = booking_facts(desk, booking, reader.locale) | {"what": what, "soon": soon}
    facts["link"] = f"{desk.installation.link_base}/s/{booking.id}"
    key = f"booking:{booking.id}:{booking.rev}:{what}:technician"
    kind = f"staff_{what}"
    return _row(desk, now, key, kind, reader, facts, booking_id=booking.id, invitation=invitation)


def _customers(booking: Booking) -> list[Reader]:
    customer = booking.customer
    return [Reader(contact.name, contact.email, customer.locale) for contact in customer.contacts]


def booking_facts(desk: DeskContext, booking: Booking, locale: str) -> dict[str, Any]:
    """What a mail may say of a booking; never a credential, never another customer."""
    zone = ZoneInfo(booking.wall_zone)
    release_at = booking.starts_at - timedelta(minutes=desk.conditions.release_minutes_before)
    return {
        "when": say_window(booking.starts_at, booking.ends_at, zone, locale),
        "starts": say_moment(booking.starts_at, zone, locale),
        "release_at": say_moment(release_at, zone, locale),
        "technician": booking.technician.name,
        "company": booking.customer.company,
        "system": booking.system.name,
        "method": booking.access_point.method.upper(),
        "host": booking.access_point.host,
        "port": booking.access_point.port,
        "link": f"{desk.installation.link_base}/a/{booking_token(desk.installation.keys.link, booking.uid)}",
        "used": say_hours(booking.minutes_used or 0, locale),
        "used_minutes": booking.minutes_used or 0,
        "balance": say_hours(booking.entitlement.balance_minutes, locale)
        if booking.entitlement.metered
        else None,
        "note": booking.session_note,
        "override": booking.override_reason,
        "pending": booking.status == "pending",
    }


def write(
    session: Session,
    desk: DeskContext,
    now: datetime,
    key: str,
    kind: str,
    reader: Reader,
    facts: Mapping[str, Any],
    *,
    booking_id: int | None = None,
    stop_url: str | None = None,
) -> int | None:
    """Put one mail into the outbox and return its id; a second one with the same key is not written (None).

    `stop_url` is where the reader ends mails of this kind; only those have one that they may do without.
    """
    row = _row(desk, now, key, kind, reader, facts, booking_id=booking_id, stop_url=stop_url)
    return next(iter(_put(session, [row], now)), None)


def _row(
    desk: DeskContext,
    now: datetime,
    key: str,
    kind: str,
    reader: Reader,
    facts: Mapping[str, Any],
    *,
    booking_id: int | None,
    invitation: Invitation | None = None,
    stop_url: str | None = None,
) -> Row:
    method, attachment = invitation or (None, None)
    said = {"soon": True, **facts, "invitation": method, "name": reader.name, "desk": desk}
    mail = compose(kind, reader.locale, said | {"stop_url": stop_url})
    return {
        "key": key,
        "kind": kind,
        "booking_id": booking_id,
        "to_name": reader.name,
        "to_address": reader.address,
        "locale": reader.locale,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "attachment": attachment,
        "calendar_method": method,
        "stop_url": stop_url,
        "message_id": f"<{uuid.uuid4()}@{desk.domain}>",
        "created_at": now,
        "due_at": now,
    }


def _put(session: Session, rows: Sequence[Row], now: datetime) -> Sequence[int]:
    if not rows:
        return ()
    written = session.scalars(insert_once(session, Notice, "key"), rows).all()
    if written:
        # The others are woken by the outbox after this one: a wake-up costs as much as the mail's row.
        wake(session, KIND, min(written), 0, now)
    return written
