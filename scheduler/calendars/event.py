"""One intervention as a VEVENT (RFC 5545 §3.6.1), property by property. Pure: facts in, bytes out.

Nothing here reads a clock: DTSTAMP is the moment of the last change, since a body that differs at every
read has no ETag and makes clients rewrite all they know. There is no place for a credential among the
facts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from icalendar import Event

from scheduler.calendars.lines import many_lines, one_line, shortened
from scheduler.calendars.timezone import UTC_ZONES
from scheduler.calendars.words import METHODS, PLATFORMS, Words, local_time, short_customer, words

SERIALISER_VERSION = 2
"""Part of every ETag: raise it when the bytes change for the same facts, and rewrite what is stored."""
QUOTE_LENGTH = 500
"""Characters of the customer's own words; the whole text is on the session page."""
GONE = frozenset({"cancelled", "expired"})


@dataclass(frozen=True, slots=True)
class FailedStep:
    """The first step of the last check that did not go well, in the reader's language."""

    label: str
    code: str
    fix: str = ""
    """The one thing to do; empty where none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What a technician's calendar says of one booking. Instants are UTC; `zone` is the technician's."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    zone: str
    locale: str
    status: str
    verdict: str
    checked_at: datetime | None
    failed_step: FailedStep | None
    platform: str
    system_name: str
    method: str
    host: str
    port: int
    customer: str
    contact: str
    entitlement: str
    topic: str
    description: str
    session_url: str


def event_bytes(facts: EventFacts, with_host: bool = False) -> bytes:
    """The VEVENT's content lines with CRLF, folded at 75 octets."""
    body: bytes = event_component(facts, with_host).to_ical()
    return body


def event_bodies(facts: EventFacts) -> tuple[bytes, bytes]:
    """`event_bytes` without and with host. They differ in DESCRIPTION alone, so all else is serialised once."""
    event = event_component(facts)
    lines = [line.to_ical() for line in event.content_lines() if line]
    place = next(number for number, line in enumerate(lines) if line.startswith(b"DESCRIPTION"))
    described = Event()
    described.add("description", many_lines(_description(facts, words(facts.locale), with_host=True)))
    told = [*lines]
    told[place] = described.content_lines()[1].to_ical()
    return b"\r\n".join([*lines, b""]), b"\r\n".join([*told, b""])


def event_component(facts: EventFacts, with_host: bool = False) -> Event:
    """The same as icalendar's component; host and port appear only `with_host`."""
    text = words(facts.locale)
    event = Event()
    event.add("uid", one_line(facts.uid))
    event.add("sequence", facts.sequence)
    event.add("dtstamp", facts.changed_at)
    event.add("last-modified", facts.changed_at)
    add_times(event, facts.starts_at, facts.ends_at, facts.zone)
    event.add("summary", one_line(_summary(facts, text)))
    event.add("description", many_lines(_description(facts, text, with_host)))
    event.add("location", one_line(text.remote_access.format(method=METHODS[facts.method])))
    event.add("categories", [PLATFORMS[facts.platform], METHODS[facts.method]])
    event.add("url", facts.session_url)
    _add_state(event, facts)
    return event


def busy_bytes(facts: EventFacts) -> bytes:
    """The VEVENT of calendars that may only say that the time is taken: nothing of customer or system."""
    text = words(facts.locale)
    event = Event()
    event.add("uid", one_line(facts.uid))
    event.add("sequence", facts.sequence)
    event.add("dtstamp", facts.changed_at)
    event.add("last-modified", facts.changed_at)
    add_times(event, facts.starts_at, facts.ends_at, facts.zone)
    gone = facts.status in GONE
    event.add("summary", one_line(f"{text.prefix['cancelled']} {text.busy}" if gone else text.busy))
    _add_state(event, facts)
    body: bytes = event.to_ical()
    return body


def add_times(event: Event, starts_at: datetime, ends_at: datetime, zone_key: str) -> None:
    """DTSTART and DTEND with TZID.

    An event that touches the hour that autumn repeats is written in UTC. With TZID its local time means the
    first pass (RFC 5545 §3.3.5); libical and ical.js take it for the second.
    """
    zone = ZoneInfo(zone_key)
    local = [moment.astimezone(zone) for moment in (starts_at, ends_at)]
    in_utc = zone_key in UTC_ZONES or any(map(_comes_twice, local))
    for name, moment in zip(("dtstart", "dtend"), local, strict=True):
        if in_utc:
            event.add(name, moment.astimezone(UTC))
        else:
            event.add(name, moment.replace(tzinfo=None), parameters={"TZID": zone_key})


def _comes_twice(moment: datetime) -> bool:
    """Whether the clocks of its zone show this time on two passes."""
    return moment.replace(fold=0).utcoffset() > moment.replace(fold=1).utcoffset()  # type: ignore[operator]  # aware


def _add_state(event: Event, facts: EventFacts) -> None:
    """STATUS, and free or busy twice: Outlook reads only its own property."""
    if facts.status in GONE:
        status, transparency, busy = "CANCELLED", "TRANSPARENT", "FREE"
    elif _tentative(facts):
        status, transparency, busy = "TENTATIVE", "OPAQUE", "TENTATIVE"
    else:
        status, transparency, busy = "CONFIRMED", "OPAQUE", "BUSY"
    event.add("status", status)
    event.add("transp", transparency)
    event.add("x-microsoft-cdo-busystatus", busy)


def _tentative(facts: EventFacts) -> bool:
    unsettled = facts.status in ("held", "pending")
    return unsettled or (facts.status == "confirmed" and facts.verdict == "not_ready")


def _summary(facts: EventFacts, text: Words) -> str:
    title = f"{PLATFORMS[facts.platform]} · {short_customer(facts.customer)}"
    prefix = text.prefix.get(facts.status)
    if prefix is not None:
        return f"{prefix} {title}"
    light = text.light[facts.verdict]
    return f"{light} {title}" if facts.verdict == "ready" else f"{light} · {title}"


def _description(facts: EventFacts, text: Words, with_host: bool) -> str:
    lines = [_access_line(facts, text), *_failure_lines(facts, text), ""]
    lines.append(f"{text.system}: {PLATFORMS[facts.platform]} · {facts.system_name}")
    if with_host:
        lines.append(f"{text.door}: {_door(facts)}")
    lines.append(f"{text.right}: {text.entitlement[facts.entitlement]}")
    if facts.topic:
        lines.append(f"{text.topic}: {facts.topic}")
    if facts.contact:
        lines.append(f"{text.contact}: {facts.contact}")
    if facts.description:
        lines += ["", f"{text.they_wrote}:", shortened(facts.description, QUOTE_LENGTH)]
    whole = "\n".join(lines)
    return whole if with_host else _without_host(whole, facts.host)


def _access_line(facts: EventFacts, text: Words) -> str:
    light = text.light[facts.verdict]
    if facts.checked_at is None:
        return f"{text.access}: {light} ({text.not_tried})"
    at = local_time(facts.checked_at.astimezone(ZoneInfo(facts.zone)), text)
    return f"{text.access}: {light} ({text.tried.format(time=at)})"


def _failure_lines(facts: EventFacts, text: Words) -> list[str]:
    step = facts.failed_step
    if step is None:
        return []
    lines = [f"{text.fails}: {step.label} ({step.code})"]
    return [*lines, f"{text.what_to_do}: {step.fix}"] if step.fix else lines


def _door(facts: EventFacts) -> str:
    return f"[{facts.host}]:{facts.port}" if ":" in facts.host else f"{facts.host}:{facts.port}"


def _without_host(text: str, host: str) -> str:
    """Take the host out of remedies and quotes too: this variant may be read by a cloud calendar."""
    return re.sub(rf"(?<![\w-])(?<!\w\.){re.escape(host)}(?![\w-]|\.\w)", "…", text, flags=re.IGNORECASE)
