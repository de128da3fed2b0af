"""A technician's feed: stored VEVENTs between a header and a trailer, or the news that nothing changed.

What a poll costs: an unchanged feed one row, a changed one that row and one index range. Nothing is
serialised, except open slots seen for the first time.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from icalendar import Calendar
from sqlalchemy import Row, Select, bindparam, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from scheduler.calendars.conditional import Asked, is_fresh
from scheduler.calendars.event import SERIALISER_VERSION
from scheduler.calendars.invite import PRODID
from scheduler.calendars.lines import one_line
from scheduler.calendars.readers import reader_name
from scheduler.calendars.secrets import hash_secret
from scheduler.calendars.slot_events import slot_event
from scheduler.calendars.timezone import vtimezone
from scheduler.calendars.window import DAYS_AHEAD, DAYS_BACK
from scheduler.calendars.words import words
from scheduler.store.bookings import CalendarObject
from scheduler.store.people import Desk, Technician
from scheduler.store.work import FeedSecret

LARGEST_BODY = 900 * 1024
"""Google reads no calendar of more than about 1 MB."""
NOTE_EVERY = timedelta(minutes=1)
"""How often a reader is written down: a poll should not be a write."""
TRAILER = b"END:VCALENDAR\r\n"


class OpenSlot(Protocol):
    """What the feed needs of a bookable slot: aware UTC instants."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


OpenSlots = Callable[[Session, Technician, datetime], Sequence[OpenSlot]]
"""The technician's slots that can still be booked at an instant."""


@dataclass(frozen=True, slots=True)
class Feed:
    """An answer to a poll: status 200, 304, 404 (unknown) or 410 (revoked). The ETag is quoted and strong."""

    status: int
    etag: str = ""
    last_modified: datetime | None = None
    body: bytes = field(default=b"", repr=False)
    left_out: int = 0
    """Events that did not fit in 900 KiB; the oldest go first."""
    note_for: int | None = None
    """The feed whose reader is due to be written down with `note_reader`."""


_FEED = (
    select(
        FeedSecret.id,
        FeedSecret.scope,
        FeedSecret.with_host,
        FeedSecret.revoked_at,
        FeedSecret.last_read_at,
        Technician.id.label("technician_id"),
        Technician.name,
        Technician.locale,
        Technician.zone,
        Technician.active,
        Technician.calendar_rev,
        Technician.calendar_changed_at,
    )
    .join(Technician, Technician.id == FeedSecret.technician_id)
    .where(FeedSecret.secret_hash == bindparam("secret_hash"))
)


def _events(content: InstrumentedAttribute[bytes]) -> Select[str, bytes]:
    """Zone and bytes of the events in the window, oldest first, in the order of the index."""
    return (
        select(CalendarObject.zone, content)
        .where(
            CalendarObject.technician_id == bindparam("technician_id"),
            CalendarObject.ends_at > bindparam("first"),
            CalendarObject.starts_at < bindparam("end"),
            or_(CalendarObject.leaves_at.is_(None), CalendarObject.leaves_at > bindparam("day")),
        )
        .order_by(CalendarObject.ends_at, CalendarObject.booking_id)
    )


_STORED = {False: _events(CalendarObject.vevent), True: _events(CalendarObject.vevent_with_host)}
"""By whether host and port may be told."""


def read_feed(
    session: Session, secret: str, now: datetime, asked: Asked, link_base: str, open_slots: OpenSlots
) -> Feed:
    """Answer a poll of the address with this secret.

    The scope "slots" computes its slots even for a 304: they change with the clock and with other people's
    holds, and a tag that stayed the same would keep a taken slot on show.
    """
    row = session.execute(_FEED, {"secret_hash": hash_secret(secret)}).one_or_none()
    if row is None:
        return Feed(404)
    if row.revoked_at is not None or not row.active:
        return Feed(410)
    slots = _slots(session, row, now, link_base, open_slots) if row.scope == "slots" else ()
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    etag = _etag(row, day, slots)
    # At midnight the window moves, and slots come and go without a stored moment: no date could tell.
    last_modified = max(row.calendar_changed_at, day) if row.scope == "interventions" else None
    due = row.last_read_at is None or now - row.last_read_at >= NOTE_EVERY
    note_for = row.id if due else None
    if is_fresh(asked, etag, last_modified):
        return Feed(304, etag, last_modified, note_for=note_for)
    body, left_out = _body(session, row, day, slots)
    return Feed(200, etag, last_modified, body, left_out, note_for)


def note_reader(session: Session, feed_id: int, user_agent: str, now: datetime) -> None:
    """Write down who read a feed and when, at most once a minute."""
    long_ago = or_(FeedSecret.last_read_at.is_(None), FeedSecret.last_read_at <= now - NOTE_EVERY)
    session.execute(
        update(FeedSecret)
        .where(FeedSecret.id == feed_id, long_ago)
        .values(last_read_at=now, last_reader=reader_name(user_agent))
    )


def _etag(row: Row[*tuple[Any, ...]], day: datetime, slots: Sequence[bytes]) -> str:
    """Everything that the body follows from, hashed."""
    state = (
        SERIALISER_VERSION,
        row.technician_id,
        row.scope,
        row.with_host,
        row.calendar_rev,
        f"{day:%Y%m%d}",
        row.name,
        row.locale,
        row.zone,
    )
    digest = hashlib.sha256(repr(state).encode())
    digest.update(vtimezone(row.zone))
    for slot in slots:
        digest.update(slot)
    return f'"{digest.hexdigest()[:32]}"'


def _slots(
    session: Session, row: Row[*tuple[Any, ...]], now: datetime, link_base: str, open_slots: OpenSlots
) -> tuple[bytes, ...]:
    technician = session.get_one(Technician, row.technician_id)
    domain = session.scalars(select(Desk.domain)).one()
    return tuple(
        slot_event(
            technician.id,
            slot.start,
            slot.end,
            zone=row.zone,
            locale=row.locale,
            domain=domain,
            link_base=link_base,
        )
        for slot in open_slots(session, technician, now)
    )


def _body(
    session: Session, row: Row[*tuple[Any, ...]], day: datetime, slots: Sequence[bytes]
) -> tuple[bytes, int]:
    """The whole calendar, and how many events had to stay out."""
    # The session's connection, past its object loading: that would cost as much as the query.
    stored = session.connection().execute(_STORED[row.with_host], _window(row.technician_id, day)).all()
    zones, events = zip(*stored, strict=True) if stored else ((), ())
    in_use = set(zones)
    if slots or not stored:
        # RFC 5545 §3.6 wants at least one component, so an empty calendar carries its zone.
        in_use.add(row.zone)
    frame = calendar_header(row.name, row.locale, row.zone, row.scope) + b"".join(
        map(vtimezone, sorted(in_use))
    )
    room = LARGEST_BODY - len(frame) - len(TRAILER)
    kept = _fitting(events[::-1], room)[::-1]
    coming = _fitting(slots, room - sum(map(len, kept)))
    left_out = len(events) + len(slots) - len(kept) - len(coming)
    return b"".join((frame, *kept, *coming, TRAILER)), left_out


def _window(technician_id: int, day: datetime) -> dict[str, int | datetime]:
    return {
        "technician_id": technician_id,
        "day": day,
        "first": day - timedelta(days=DAYS_BACK),
        "end": day + timedelta(days=DAYS_AHEAD + 1),
    }


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
    title = one_line(
        (text.interventions if scope == "interventions" else text.interventions_and_slots).format(name=name)
    )
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
