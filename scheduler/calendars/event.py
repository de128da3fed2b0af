"""One intervention as a VEVENT (RFC 5545 §3.6.1), property by property. Pure: facts in, bytes out.

Nothing here reads a clock: DTSTAMP is the moment of the last change, since a body that differs at every
read has no ETag and makes clients rewrite all they know. There is no place for a credential among the
facts.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.calendars.content import event, head_lines, in_utc, plain_line, text_line
from scheduler.calendars.lines import many_lines, one_line, shortened
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


def event_bytes(facts: EventFacts) -> bytes:
    """The VEVENT as most calendars show it, without host and port."""
    return event_bodies(facts)[0]


def event_bodies(facts: EventFacts) -> tuple[bytes, bytes]:
    """The VEVENT's content lines without and with host and port; the two differ in DESCRIPTION alone."""
    text = words(facts.locale)
    before = (
        *head_lines(facts, _summary(facts, text)),
        plain_line("CATEGORIES", f"{PLATFORMS[facts.platform]},{METHODS[facts.method]}"),
    )
    status, *busy = _state_lines(facts)
    after = (
        b"LAST-MODIFIED:" + in_utc(facts.changed_at),
        text_line("LOCATION", one_line(text.remote_access.format(method=METHODS[facts.method]))),
        status,
        busy[0],
        plain_line("URL", facts.session_url),
        busy[1],
    )
    bare, full = (many_lines(_description(facts, text, with_host)) for with_host in (False, True))
    return (
        event(*before, text_line("DESCRIPTION", bare), *after),
        event(*before, text_line("DESCRIPTION", full), *after),
    )


def busy_bytes(facts: EventFacts) -> bytes:
    """The VEVENT of calendars that may only say that the time is taken: nothing of customer or system."""
    text = words(facts.locale)
    summary = f"{text.prefix['cancelled']} {text.busy}" if facts.status in GONE else text.busy
    changed = b"LAST-MODIFIED:" + in_utc(facts.changed_at)
    return event(*head_lines(facts, summary), changed, *_state_lines(facts))


def _state_lines(facts: EventFacts) -> tuple[bytes, bytes, bytes]:
    """STATUS, TRANSP, and free or busy once more: Outlook reads only its own property."""
    if facts.status in GONE:
        status, transparency, busy = "CANCELLED", "TRANSPARENT", "FREE"
    elif _tentative(facts):
        status, transparency, busy = "TENTATIVE", "OPAQUE", "TENTATIVE"
    else:
        status, transparency, busy = "CONFIRMED", "OPAQUE", "BUSY"
    return (
        plain_line("STATUS", status),
        plain_line("TRANSP", transparency),
        plain_line("X-MICROSOFT-CDO-BUSYSTATUS", busy),
    )


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
