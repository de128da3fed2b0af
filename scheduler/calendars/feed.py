"""An answer to a poll: stored VEVENTs between a header and a trailer, or the news that nothing changed.

What a poll costs: an unchanged feed one row, a changed one that row and one index range. Nothing is
serialised, except open slots seen for the first time. Open slots and free/busy are computed even for a 304:
they change with the clock and with other people's holds, and a tag that stayed the same would keep a taken
hour on show.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from icalendar import Calendar
from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from scheduler.calendars import subscription
from scheduler.calendars.conditional import Asked, is_fresh
from scheduler.calendars.contents import stored_events, window
from scheduler.calendars.event import SERIALISER_VERSION
from scheduler.calendars.freebusy import vfreebusy
from scheduler.calendars.invite import PRODID
from scheduler.calendars.lines import one_line
from scheduler.calendars.readers import reader_name
from scheduler.calendars.slot_events import slot_event
from scheduler.calendars.subscription import Subscription
from scheduler.calendars.timezone import vtimezone
from scheduler.calendars.words import words
from scheduler.store.people import Technician
from scheduler.store.work import FeedSecret

LARGEST_BODY = 900 * 1024
"""Google reads no calendar of more than about 1 MB."""
NOTE_EVERY = timedelta(minutes=1)
"""How often a reader is written down: a poll should not be a write."""
TRAILER = b"END:VCALENDAR\r\n"
FILES = {"intervenciones.ics": ("interventions", "slots", "team", "customer"), "freebusy.ifb": ("freebusy",)}
"""The last part of an address and the scopes it serves: one address tells one thing."""


class OpenSlot(Protocol):
    """What the feed needs of a bookable slot: aware UTC instants."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


OpenSlots = Callable[[Session, Technician, datetime], Sequence[OpenSlot]]
"""The technician's slots that can still be booked at an instant."""
BusyTimes = Callable[
    [Session, Technician, tuple[datetime, datetime], datetime], Sequence[tuple[datetime, datetime, str]]
]
"""When a technician cannot be had within (first, end), as seen now: start, end and kind of `freebusy.KINDS`."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What calendars show besides stored events, and what their links are made of."""

    link_base: str
    link_key: bytes = field(repr=False)
    open_slots: OpenSlots
    busy_times: BusyTimes


@dataclass(frozen=True, slots=True)
class Feed:
    """An answer to a poll: status 200, 304, 404 (unknown) or 410 (revoked). The ETag is quoted and strong."""

    status: int
    etag: str = ""
    last_modified: datetime | None = None
    body: bytes = field(default=b"", repr=False)
    packed: bytes | None = field(default=None, repr=False)
    """The body as somebody kept it compressed under this ETag; `body` is empty then."""
    left_out: int | None = None
    """Events that did not fit in 900 KiB; the oldest go first. None: the calendar was not built."""
    note_for: int | None = None
    """The feed whose reader is due to be written down with `note_reader`."""


Kept = Callable[[str], bytes | None]
"""A compressed body by its ETag, where one is kept."""


def read_feed(
    session: Session,
    secret: str,
    now: datetime,
    asked: Asked,
    sources: Sources,
    file: str = "intervenciones.ics",
    kept: Kept = lambda _: None,
) -> Feed:
    """Answer a poll of the address with this secret and last part."""
    whose = subscription.find(session, secret)
    if whose is None or whose.scope not in FILES.get(file, ()):
        return Feed(404)
    if whose.ended:
        return Feed(410)
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    computed = _computed(session, whose, now, day, sources)
    etag = _etag(whose, day, sources.link_base, computed)
    # At midnight the window moves, and what is computed comes and goes without a stored moment: no date could tell.
    last_modified = None if whose.scope in ("slots", "freebusy") else max(whose.changed_at, day)
    note_for = whose.id if whose.last_read_at is None or now - whose.last_read_at >= NOTE_EVERY else None
    if is_fresh(asked, etag, last_modified):
        return Feed(304, etag, last_modified, note_for=note_for)
    packed = kept(etag)
    if packed is not None:
        return Feed(200, etag, last_modified, packed=packed, note_for=note_for)
    body, left_out = _body(session, whose, day, sources, computed)
    note_for = whose.id if left_out != whose.left_out else note_for
    return Feed(200, etag, last_modified, body, left_out=left_out, note_for=note_for)


def note_reader(
    session: Session, feed_id: int, user_agent: str, now: datetime, left_out: int | None = None
) -> None:
    """Write down who read a feed and when, at most once a minute unless another number of events stayed out."""
    due = or_(FeedSecret.last_read_at.is_(None), FeedSecret.last_read_at <= now - NOTE_EVERY)
    values: dict[str, object] = {"last_read_at": now, "last_reader": reader_name(user_agent)}
    if left_out is not None:
        due = or_(due, FeedSecret.left_out != left_out)
        values["left_out"] = left_out
    session.execute(update(FeedSecret).where(FeedSecret.id == feed_id, due).values(**values))


def _etag(whose: Subscription, day: datetime, link_base: str, computed: Sequence[bytes]) -> str:
    """Everything that the body follows from, hashed."""
    state = (
        SERIALISER_VERSION,
        whose.technician_id,
        whose.customer_id,
        whose.scope,
        whose.detail,
        whose.alarm_minutes,
        whose.rev,
        f"{day:%Y%m%d}",
        whose.name,
        whose.locale,
        whose.zone,
        link_base,
    )
    digest = hashlib.sha256(repr(state).encode())
    digest.update(vtimezone(whose.zone))
    for part in computed:
        digest.update(part)
    return f'"{digest.hexdigest()[:32]}"'


def _computed(
    session: Session, whose: Subscription, now: datetime, day: datetime, sources: Sources
) -> tuple[bytes, ...]:
    """Open slots, or the whole free/busy: what no stored row tells."""
    if whose.scope not in ("slots", "freebusy"):
        return ()
    technician = session.get_one(Technician, whose.technician_id)
    if whose.scope == "freebusy":
        first, end = day, window(day)[1]
        periods = sources.busy_times(session, technician, (first, end), now)
        uid = f"freebusy-{whose.id}@{whose.domain}"
        stamp = max(whose.changed_at, day)
        return (vfreebusy(uid, stamp, first, end, whose.name, whose.email, periods),)
    return tuple(
        slot_event(
            technician.id,
            slot.start,
            slot.end,
            zone=whose.zone,
            locale=whose.locale,
            domain=whose.domain,
            link_base=sources.link_base,
        )
        for slot in sources.open_slots(session, technician, now)
    )


def _body(
    session: Session, whose: Subscription, day: datetime, sources: Sources, computed: Sequence[bytes]
) -> tuple[bytes, int]:
    """The whole calendar, and how many events had to stay out."""
    header = calendar_header(whose.name, whose.locale, whose.zone, whose.scope)
    if whose.scope == "freebusy":
        return b"".join((header, *computed, TRAILER)), 0
    zones, events = stored_events(session, whose, day, sources.link_base, sources.link_key)
    if computed or not events:
        # RFC 5545 §3.6 wants at least one component, so an empty calendar carries its zone.
        zones.add(whose.zone)
    frame = header + b"".join(map(vtimezone, sorted(zones)))
    room = LARGEST_BODY - len(frame) - len(TRAILER)
    kept = _fitting(events[::-1], room)[::-1]
    coming = _fitting(computed, room - sum(map(len, kept)))
    left_out = len(events) + len(computed) - len(kept) - len(coming)
    return b"".join((frame, *kept, *coming, TRAILER)), left_out


def _fitting(parts: Sequence[bytes], room: int) -> list[bytes]:
    """The first parts that fit."""
    if sum(map(len, parts)) <= room:
        return list(parts)
    kept = []
    for part in parts:
        room -= len(part)
        if room < 0:
            break
        kept.append(part)
    return kept


@lru_cache(maxsize=256)
def calendar_header(name: str, locale: str, zone: str, scope: str) -> bytes:
    """BEGIN:VCALENDAR and the calendar's properties, with CRLF."""
    header: bytes = calendar_component(name, locale, zone, scope).to_ical().removesuffix(TRAILER)
    return header


def calendar_component(name: str, locale: str, zone: str, scope: str) -> Calendar:
    """The calendar without its events. No SOURCE: it would print the secret address inside the file."""
    text = words(locale)
    titles = {
        "interventions": text.interventions,
        "slots": text.interventions_and_slots,
        "team": text.whole_team,
        "customer": text.of_customer,
        "freebusy": text.availability,
    }
    title = one_line(titles[scope].format(name=name))
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODID)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", title)
    calendar.add("x-wr-calname", title)
    calendar.add("x-wr-timezone", zone)
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    return calendar
