"""What is put into a stored VEVENT when a calendar shows it: reminder, technician's name, the customer's link.

These depend on who reads, so they are not stored; each touches one place of the bytes and leaves the rest.
"""

from functools import lru_cache

from scheduler.calendars.content import HEAD, TAIL
from scheduler.calendars.lines import folded, one_line, unfolded
from scheduler.calendars.words import words

LINK_PLACE = "urn:ventana:manage"
"""Stands where the customer's link shall be: a link lets one cancel, so none is kept in the database."""


def with_alarm(event: bytes, minutes: int, locale: str) -> bytes:
    """The VEVENT with a VALARM (RFC 5545 §3.6.6) so many minutes before the start."""
    return event.removesuffix(TAIL) + _alarm(minutes, locale) + TAIL


@lru_cache(maxsize=64)
def _alarm(minutes: int, locale: str) -> bytes:
    text = one_line(words(locale).reminder).to_ical()
    lines = (
        b"BEGIN:VALARM",
        b"ACTION:DISPLAY",
        b"DESCRIPTION:" + text,
        b"TRIGGER:-PT%dM" % minutes,
        b"END:VALARM",
    )
    return b"".join(map(folded, lines))


def with_name(event: bytes, name: str) -> bytes:
    """The VEVENT whose SUMMARY also says whose it is, for calendars of several people."""
    # SUMMARY comes first in icalendar's order, and no folded line begins with a letter.
    end = event.index(b"\r\nDTSTART", len(HEAD)) + 2
    summary = unfolded(event[len(HEAD) : end]).removesuffix(b"\r\n")
    return HEAD + folded(summary + " · ".encode() + one_line(name).to_ical()) + event[end:]


def with_link(event: bytes, link: str) -> bytes:
    """The customer's VEVENT with their link to see, move or cancel."""
    place, given = LINK_PLACE.encode(), link.encode()
    lines = unfolded(event).removesuffix(b"\r\n").split(b"\r\n")
    return b"".join(folded(line.replace(place, given)) for line in lines)
