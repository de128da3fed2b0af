"""The customer's own copy of an intervention: the .ics they download and find attached to their mail.

It says what they see on their page and nothing of the desk's inside: no light, no host, no entitlement, no
notes.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from icalendar import Calendar
from sqlalchemy.orm import Session

from scheduler.calendars.content import event, head_lines, in_utc, plain_line, text_line
from scheduler.calendars.event import GONE
from scheduler.calendars.lines import many_lines, one_line
from scheduler.calendars.timezone import vtimezone
from scheduler.calendars.words import METHODS, PLATFORMS, words
from scheduler.context import DeskContext
from scheduler.links import booking_token
from scheduler.store.bookings import Booking
from scheduler.store.people import Technician
from scheduler.store.systems import AccessPoint, System

PRODID = "-//Ventana//Ventana//ES"
"""Without version number: a release would otherwise change every body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteFacts:
    """What a customer's calendar says of their booking. Instants are UTC; `zone` is the one they chose."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    zone: str
    locale: str
    status: str
    platform: str
    system_name: str
    method: str
    technician: str
    desk: str
    desk_phone: str
    manage_url: str


def booking_ics(session: Session, desk: DeskContext, booking: Booking, locale: str) -> bytes:
    """The customer's .ics of a booking, in their language (METHOD:PUBLISH, RFC 5546 §3.2.1)."""
    token = booking_token(desk.installation.keys.link, booking.uid)
    return invite_bytes(
        invite_facts(session, desk, booking, locale, f"{desk.installation.link_base}/a/{token}")
    )


def invite_facts(
    session: Session, desk: DeskContext, booking: Booking, locale: str, manage_url: str
) -> InviteFacts:
    """What the customer's calendar says, read fresh."""
    system = session.get_one(System, booking.system_id)
    return InviteFacts(
        uid=booking.uid,
        sequence=booking.sequence,
        changed_at=booking.changed_at,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        zone=booking.wall_zone,
        locale=locale,
        status=booking.status,
        platform=system.platform,
        system_name=system.name,
        method=session.get_one(AccessPoint, booking.access_point_id).method,
        technician=session.get_one(Technician, booking.technician_id).name,
        desk=desk.name,
        desk_phone=desk.phone,
        manage_url=manage_url,
    )


def invite_bytes(facts: InviteFacts) -> bytes:
    """A whole calendar with this one event, as content lines with CRLF."""
    head, tail = _frame()
    return head + vtimezone(facts.zone) + invite_event(facts) + tail


@cache
def _frame() -> tuple[bytes, bytes]:
    """What stands before and after the events; the same in every calendar."""
    calendar = Calendar()
    for name, value in (
        ("version", "2.0"),
        ("prodid", PRODID),
        ("calscale", "GREGORIAN"),
        ("method", "PUBLISH"),
    ):
        calendar.add(name, value)
    head, tail = calendar.to_ical().split(b"END:VCALENDAR")
    return head, b"END:VCALENDAR" + tail


def invite_event(facts: InviteFacts) -> bytes:
    """The event alone, as content lines with CRLF."""
    text = words(facts.locale)
    summary = text.customer_summary.format(platform=PLATFORMS[facts.platform], desk=facts.desk)
    gone = facts.status in GONE
    pending = facts.status in ("held", "pending")
    return event(
        *head_lines(facts, f"{text.prefix['cancelled']} {summary}" if gone else summary),
        text_line("DESCRIPTION", many_lines(_description(facts))),
        b"LAST-MODIFIED:" + in_utc(facts.changed_at),
        text_line("LOCATION", one_line(text.remote_access.format(method=METHODS[facts.method]))),
        plain_line("STATUS", "CANCELLED" if gone else "TENTATIVE" if pending else "CONFIRMED"),
        plain_line("TRANSP", "TRANSPARENT" if gone else "OPAQUE"),
        plain_line("URL", facts.manage_url),
    )


def _description(facts: InviteFacts) -> str:
    text = words(facts.locale)
    return "\n".join(
        (
            f"{text.system}: {PLATFORMS[facts.platform]} · {facts.system_name}",
            f"{text.technician}: {facts.technician}",
            f"{text.call_us}: {facts.desk_phone}",
            "",
            f"{text.manage}: {facts.manage_url}",
        )
    )
