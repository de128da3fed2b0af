"""Calendars as collections of single events (RFC 4791 §4): listed, searched by time, read one by one.

An object is the stored VEVENT of a booking between a header and the VTIMEZONE it uses. It has no METHOD
(RFC 4791 §4.1 forbids it), so it is not a feed with one event.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from icalendar import Calendar
from sqlalchemy import ColumnElement, Row, literal, select
from sqlalchemy.orm import Session

from scheduler.calendars.app_passwords import Subscriber
from scheduler.calendars.event import SERIALISER_VERSION
from scheduler.calendars.faces import with_name
from scheduler.calendars.invite import PRODID
from scheduler.calendars.sync import State, day_of, inside
from scheduler.calendars.timezone import vtimezone
from scheduler.rules.refusals import NotFound
from scheduler.store.models import CalendarObject, Technician

OWN, TEAM = "interventions", "team"
LONGEST = timedelta(hours=24)
"""The database holds no longer booking; so a search by time needs to look at one more day only."""
LAST = datetime(9999, 12, 30, tzinfo=UTC)
TRAILER = b"END:VCALENDAR\r\n"
MANY = 400
"""Ids asked for by one query; SQLite takes no endless list."""

Event = Row[*tuple[Any, ...]]
"""booking_id, technician_id, calendar_rev, zone, whose, and vevent where it was asked for."""

_COLUMNS = (
    CalendarObject.booking_id,
    CalendarObject.technician_id,
    CalendarObject.calendar_rev,
    CalendarObject.zone,
)
_NOBODY = literal("").label("whose")
"""In one's own calendar no event says whose it is."""


def names_for(subscriber: Subscriber) -> tuple[str, ...]:
    """The calendars that this person has: one's own, and for a dispatcher the team's."""
    return (OWN, TEAM) if subscriber.role == "dispatcher" else (OWN,)


def state_of(session: Session, subscriber: Subscriber, name: str, now: datetime) -> State:
    """The calendar as it stands. Raises NotFound("calendar") for one that this person does not have."""
    if name not in names_for(subscriber):
        raise NotFound("calendar")
    revisions = {subscriber.id: subscriber.calendar_rev}
    if name == TEAM:
        rows = session.execute(select(Technician.id, Technician.calendar_rev).where(Technician.active == 1))
        revisions = {row.id: row.calendar_rev for row in rows}
    return State(subscriber.id, name, day_of(now), revisions)


def events(
    session: Session, state: State, *wanted: ColumnElement[bool], content: bool = False
) -> Sequence[Event]:
    """The calendar's events of which all of this holds, by their end."""
    columns = (*_COLUMNS, Technician.name.label("whose") if state.name == TEAM else _NOBODY)
    query = select(*columns, CalendarObject.vevent) if content else select(*columns)
    if state.name == TEAM:
        query = query.join(Technician, Technician.id == CalendarObject.technician_id)
    query = query.where(
        CalendarObject.technician_id.in_(state.revisions), inside(state.day), *wanted
    ).order_by(CalendarObject.ends_at, CalendarObject.booking_id)
    # The session's connection, past its object loading: that would cost as much as the query.
    return session.connection().execute(query).all()


def events_by_id(session: Session, state: State, ids: Collection[int], content: bool) -> dict[int, Event]:
    """Those of the bookings that are in the calendar, by id."""
    asked, found = sorted(ids), {}
    for first in range(0, len(asked), MANY):
        some = CalendarObject.booking_id.in_(asked[first : first + MANY])
        found.update({row.booking_id: row for row in events(session, state, some, content=content)})
    return found


def overlapping(start: datetime | None, end: datetime | None) -> ColumnElement[bool]:
    """Events that share time with [start, end); None leaves a side open (RFC 4791 §9.9).

    Both bounds are said of `ends_at`, the index's column, so that the search reads its answer and not the
    whole calendar up to it.
    """
    wanted = CalendarObject.ends_at > (start or datetime.min.replace(year=1970, tzinfo=UTC))
    if end is None:
        return wanted
    last = min(end, LAST) + LONGEST if end < LAST - LONGEST else LAST
    return wanted & (CalendarObject.starts_at < end) & (CalendarObject.ends_at < last)


def content_of(event: Event) -> bytes:
    """The calendar object of an event that was read with its content; a team's says whose it is."""
    vevent = with_name(event.vevent, event.whose) if event.whose else event.vevent
    return object_bytes(event.zone, vevent)


def object_bytes(zone: str, vevent: bytes) -> bytes:
    """The whole calendar object of one event, as content lines with CRLF."""
    return b"".join((_head(), vtimezone(zone), vevent, TRAILER))


def etag_of(event: Event) -> str:
    """The strong ETag of the object, quoted: whose revision wrote it, and what stands around it."""
    return f'"{event.technician_id}-{event.calendar_rev}-{_frame_tag(event.zone, event.whose)}"'


@lru_cache(maxsize=64)
def _frame_tag(zone: str, whose: str) -> str:
    """Another table of time zones, name or version of ours makes other objects of the same events."""
    digest = hashlib.sha256(object_bytes(zone, f"{SERIALISER_VERSION} {whose}".encode()))
    return digest.hexdigest()[:8]


@cache
def _head() -> bytes:
    calendar = Calendar()
    for name, value in (("version", "2.0"), ("prodid", PRODID), ("calscale", "GREGORIAN")):
        calendar.add(name, value)
    head: bytes = calendar.to_ical().removesuffix(TRAILER)
    return head
