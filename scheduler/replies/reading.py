"""What a mail answers to invitations of ours. All of it is a stranger's text: read here, believed nowhere."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.policy import compat32
from email.utils import parseaddr

from icalendar.parser import Contentlines, Parameters

from scheduler.calendars.lines import one_line, shortened

LONGEST_MAIL = 1024 * 1024
LONGEST_CALENDAR = 64 * 1024
MOST_CALENDARS = 3
MOST_EVENTS = 10
MOST_LAYERS = 20
"""Parts within parts; a reply of any known program has three. The parser's work grows with lines times layers."""
LONGEST_COMMENT = 300
ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
"""PARTSTAT (RFC 5545 §3.2.12) as we keep it; the others answer nothing."""
_TYPES = ("text/calendar", "application/ics")
_CHARSETS = {"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"}
"""Those that mail programs send; others of Python's are slow or no text at all."""
_LAYER = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)
_CALENDAR = re.compile(rb"(?:text/calendar|application/ics)", re.IGNORECASE)
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_DIRECTION = re.compile("[\u061c\u200e\u200f]")


@dataclass(frozen=True, slots=True)
class Reply:
    """One person's answer about one event."""

    uid: str
    attendee: str
    """The address it speaks for, in lower case; who wrote the mail may be another."""
    answer: str
    """accepted, declined or tentative."""
    sequence: int
    stamped_at: datetime
    """DTSTAMP, in UTC: when the answer was given."""
    comment: str = ""
    """One cleaned line."""
    sender: str = ""
    """The address in From, in lower case: as easily forged as all else."""


@dataclass(slots=True)
class _Event:
    """The lines of a VEVENT that matter, each as often as it came."""

    lines: dict[str, list[tuple[str, Parameters]]] = field(default_factory=dict)

    def only(self, name: str) -> str:
        """The value of a property that stands exactly once; empty otherwise."""
        found = self.lines.get(name, [])
        return found[0][0].strip() if len(found) == 1 else ""


def replies_in(raw: bytes) -> tuple[Reply, ...]:
    """The answers in a mail, each once; none for whatever is no answer or cannot be read. Never raises for its content.

    Only parts of the mail itself count, not those of a mail inside it: a forwarded answer is nobody's answer.
    """
    if len(raw) > LONGEST_MAIL or not _CALENDAR.search(raw) or len(_LAYER.findall(raw)) > MOST_LAYERS:
        return ()
    try:
        mail = email.message_from_bytes(raw, policy=compat32)
        sender = parseaddr(str(mail.get("From", "")))[1].lower()[:254]
        found = [reply for text in _calendars(mail) for reply in _replies(text, one_line(sender))]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # The standard library's parser has stumbled over odd headers in each of these ways.
        return ()
    return tuple(dict.fromkeys(found))


def _calendars(mail: Message) -> Iterator[str]:
    """The first few calendars among its parts, as text."""
    waiting, found = [mail], 0
    while waiting and found < MOST_CALENDARS:
        part = waiting.pop()
        # The payload is not asked for undecoded: that would apply whatever charset the mail names.
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting.extend(reversed(part.get_payload()))  # type: ignore[arg-type]  # a list of parts, then
        elif part.get_content_type() in _TYPES and not part.is_multipart():
            found += 1
            yield _text(part)


def _text(part: Message) -> str:
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes) or len(body) > LONGEST_CALENDAR:
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    return body.decode(charset if charset in _CHARSETS else "utf-8", "replace")


def _replies(text: str, sender: str) -> Iterator[Reply]:
    method, events = _events(text)
    if method != "REPLY":
        return
    for event in events[:MOST_EVENTS]:
        reply = _reply(event, sender)
        if reply is not None:
            yield reply


def _events(text: str) -> tuple[str, list[_Event]]:
    """METHOD, and the events; other components are passed over, and so are lines that keep to no format.

    Not by the library's whole reading: that would work out the time zones and repetitions of a stranger.
    """
    method, events, inside = "", list[_Event](), list[str]()
    for line in filter(None, Contentlines.from_ical(text)):  # type: ignore[no-untyped-call]  # icalendar's own gap
        try:
            name, parameters, value = line.parts()
        except ValueError:
            continue
        name = name.upper()
        if name == "BEGIN":
            inside.append(value.upper())
            if inside == ["VCALENDAR", "VEVENT"]:
                events.append(_Event())
        elif name == "END":
            del inside[-1:]
        elif inside == ["VCALENDAR"] and name == "METHOD":
            method = value.strip().upper()
        elif inside == ["VCALENDAR", "VEVENT"]:
            events[-1].lines.setdefault(name, []).append((value, parameters))
    return method, events


def _reply(event: _Event, sender: str) -> Reply | None:
    """The answer of an event; None without exactly one attendee (RFC 5546 §3.2.3), a UID and an instant."""
    attendees = event.lines.get("ATTENDEE", [])
    uid, stamped_at = event.only("UID"), _instant(event.only("DTSTAMP"))
    if len(attendees) != 1 or not uid or stamped_at is None or "RECURRENCE-ID" in event.lines:
        return None
    address, parameters = attendees[0]
    answer = ANSWERS.get(str(parameters.get("PARTSTAT", "")).upper())
    if answer is None or not address.lower().startswith("mailto:"):
        return None
    sequence = event.only("SEQUENCE")
    return Reply(
        uid=uid[:255],
        attendee=address[len("mailto:") :].strip().lower(),
        answer=answer,
        sequence=int(sequence) if _NUMBER.fullmatch(sequence) else 0,
        stamped_at=stamped_at,
        comment=_comment(event),
        sender=sender,
    )


def _comment(event: _Event) -> str:
    said = " ".join(value for value, _ in event.lines.get("COMMENT", [])[:3])
    return shortened(one_line(_DIRECTION.sub("", said)), LONGEST_COMMENT)


def _instant(text: str) -> datetime | None:
    """A DTSTAMP, which is always in UTC (RFC 5545 §3.8.7.2)."""
    if not _STAMP.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
