"""Components as content lines (RFC 5545 §3.1 and §3.6), written without a model of them in between.

A booking writes six events in its transaction. Through icalendar's components they took a quarter of its time;
the lines are few and fixed, and the tests hold them against icalendar byte for byte. Properties come in
icalendar's order.
"""

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from scheduler.calendars.lines import CalendarText, folded, one_line
from scheduler.calendars.timezone import UTC_ZONES

HEAD, TAIL = b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n"


class Dated(Protocol):
    """What every event says: which it is, its version, and when (UTC; `zone` is where it is shown)."""

    @property
    def uid(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def changed_at(self) -> datetime: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def zone(self) -> str: ...


def event(*lines: bytes) -> bytes:
    """A VEVENT of these lines, each folded and with its CRLF."""
    return HEAD + b"".join(map(folded, lines)) + TAIL


def head_lines(facts: Dated, summary: str) -> tuple[bytes, ...]:
    """SUMMARY, DTSTART, DTEND, DTSTAMP, UID and SEQUENCE, which come first."""
    return (
        text_line("SUMMARY", one_line(summary)),
        *times_lines(facts.starts_at, facts.ends_at, facts.zone),
        b"DTSTAMP:" + in_utc(facts.changed_at),
        text_line("UID", one_line(facts.uid)),
        b"SEQUENCE:%d" % facts.sequence,
    )


def text_line(name: str, text: CalendarText) -> bytes:
    """A property whose value is TEXT, escaped (§3.3.11)."""
    return name.encode() + b":" + text.to_ical()


def plain_line(name: str, value: str) -> bytes:
    """A property whose value needs no escaping: a URI, or one of its own words."""
    return f"{name}:{value}".encode()


def in_utc(moment: datetime) -> bytes:
    """A DATE-TIME in UTC (§3.3.5, form 2)."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").encode()


def times_lines(starts_at: datetime, ends_at: datetime, zone_key: str) -> tuple[bytes, bytes]:
    """DTSTART and DTEND with TZID.

    An event that touches the hour that autumn repeats is written in UTC. With TZID its local time means the
    first pass (RFC 5545 §3.3.5); libical and ical.js take it for the second.
    """
    zone = ZoneInfo(zone_key)
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    if zone_key in UTC_ZONES or _comes_twice(start) or _comes_twice(end):
        return b"DTSTART:" + in_utc(start), b"DTEND:" + in_utc(end)
    return _local("DTSTART", start, zone_key), _local("DTEND", end, zone_key)


def _local(name: str, moment: datetime, zone_key: str) -> bytes:
    return f"{name};TZID={zone_key}:{moment:%Y%m%dT%H%M%S}".encode()


def _comes_twice(moment: datetime) -> bool:
    """Whether the clocks of its zone show this time on two passes."""
    return moment.replace(fold=0).utcoffset() > moment.replace(fold=1).utcoffset()  # type: ignore[operator]  # aware
