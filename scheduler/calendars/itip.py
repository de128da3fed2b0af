"""Invitations by mail: a booking as iTIP REQUEST or CANCEL (RFC 5546 §3.2.2, §3.2.5) for one person.

The UID is the feed's, so that a client which knows both sees one intervention. Each mail names its own reader
as the only attendee: nobody learns another's address.
"""

import re
from dataclasses import dataclass
from functools import cache

from icalendar import Calendar
from icalendar.parser import Contentline, Parameters
from sqlalchemy.orm import Session

from scheduler.calendars.content import TAIL
from scheduler.calendars.event import event_bytes
from scheduler.calendars.invite import PRODID, invite_event, invite_facts
from scheduler.calendars.lines import folded, one_line
from scheduler.calendars.timezone import vtimezone
from scheduler.calendars.writing import event_facts
from scheduler.context import DeskContext
from scheduler.links import booking_token
from scheduler.store.bookings import Booking
from scheduler.store.people import Technician

REQUEST, CANCEL = "REQUEST", "CANCEL"
_STATUS = re.compile(rb"\r\nSTATUS:[A-Z]+\r\n")
"""No folded line begins with a letter, so this is the property and nobody's words."""


@dataclass(frozen=True, slots=True)
class Party:
    """A calendar user: the name shown and the mail address."""

    name: str
    address: str


def customer_itip(
    session: Session, desk: DeskContext, booking: Booking, method: str, reader: Party, locale: str
) -> bytes:
    """The invitation of a customer's person, in their language and on the clock the booking was made on."""
    link = f"{desk.installation.link_base}/a/{booking_token(desk.installation.keys.link, booking.uid)}"
    event = invite_event(invite_facts(session, desk, booking, locale, link))
    return itip(method, event, booking.wall_zone, organizer_of(desk), reader, desk.installation.replies)


def technician_itip(
    session: Session, desk: DeskContext, booking: Booking, method: str, technician: Technician
) -> bytes:
    """The invitation of a technician: what their calendar says, without host and port."""
    event = event_bytes(event_facts(session, desk, booking, technician))
    reader = Party(technician.name, technician.email)
    return itip(method, event, technician.zone, organizer_of(desk), reader, desk.installation.replies)


def organizer_of(desk: DeskContext) -> Party:
    """Whom answers go to: the desk, at the inbox of the settings where there is one."""
    return Party(desk.name, desk.installation.organizer or desk.email)


def itip(method: str, event: bytes, zone: str, organizer: Party, reader: Party, replies: bool) -> bytes:
    """A whole calendar with METHOD, VTIMEZONE and this VEVENT, as content lines with CRLF.

    An answer is asked for (RSVP) only where `replies` are read; otherwise who booked counts as having accepted,
    and no client waits for a reaction that nobody would see.
    """
    asked = replies and method == REQUEST
    answer = {"PARTSTAT": "NEEDS-ACTION" if asked else "ACCEPTED", "RSVP": "TRUE" if asked else "FALSE"}
    people = (
        _address("ORGANIZER", organizer, {}),
        _address("ATTENDEE", reader, {"ROLE": "REQ-PARTICIPANT", **answer}),
        # Another time is chosen on the booking's page, under the desk's conditions, and not by a counter-proposal.
        b"X-MICROSOFT-DISALLOW-COUNTER:TRUE",
    )
    if method == CANCEL:
        # Cancelled for this reader, even where the booking goes on with another technician.
        event = _STATUS.sub(b"\r\nSTATUS:CANCELLED\r\n", event, count=1)
    head, tail = _frame(method)
    body = event.removesuffix(TAIL) + b"".join(map(folded, people)) + TAIL
    return head + vtimezone(zone) + body + tail


def _address(role: str, party: Party, parameters: dict[str, str]) -> bytes:
    # A parameter's value cannot contain a quotation mark (RFC 5545 §3.1).
    name = str(one_line(party.name)).replace('"', "'")
    whole = Parameters({"CN": name, **parameters})
    line: str = Contentline.from_parts(role, whole, f"mailto:{one_line(party.address)}")
    return line.encode()


@cache
def _frame(method: str) -> tuple[bytes, bytes]:
    calendar = Calendar()
    for name, value in (
        ("version", "2.0"),
        ("prodid", PRODID),
        ("calscale", "GREGORIAN"),
        ("method", method),
    ):
        calendar.add(name, value)
    head, tail = calendar.to_ical().split(b"END:VCALENDAR")
    return head, b"END:VCALENDAR" + tail
