"""The events of a calendar: stored bytes of its scope and window, with what only its reader gets put in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, literal, or_, select
from sqlalchemy.orm import Session

from scheduler.calendars.faces import with_alarm, with_link, with_name
from scheduler.calendars.subscription import Subscription
from scheduler.calendars.window import DAYS_AHEAD, DAYS_BACK
from scheduler.links import booking_token
from scheduler.store.bookings import Booking, CalendarObject
from scheduler.store.people import Technician

_FACES = {
    "busy": CalendarObject.vevent_busy,
    "full": CalendarObject.vevent,
    "host": CalendarObject.vevent_with_host,
    "customer": CalendarObject.vevent_customer,
}


def window(day: datetime) -> tuple[datetime, datetime]:
    """The first and the last instant that a calendar shows on a day (its midnight in UTC)."""
    return day - timedelta(days=DAYS_BACK), day + timedelta(days=DAYS_AHEAD + 1)


def stored_events(
    session: Session, whose: Subscription, day: datetime, link_base: str, link_key: bytes
) -> tuple[set[str], Sequence[bytes]]:
    """The zones in use and the VEVENTs, oldest first."""
    face = "customer" if whose.scope == "customer" else whose.detail
    query = _query(whose.scope, face, whose.alarm_minutes is not None)
    first, end = window(day)
    facts = {"owner": whose.customer_id or whose.technician_id, "day": day, "first": first, "end": end}
    # The session's connection, past its object loading: that would cost as much as the query.
    rows = session.connection().execute(query, facts).all()
    return {row.zone for row in rows}, _dressed(rows, whose, link_base, link_key)


@lru_cache(maxsize=32)
def _query(scope: str, face: str, alarm: bool) -> Select[*tuple[Any, ...]]:
    """Zone, bytes and what the dressing needs, in the order of an index."""
    body = _FACES[face]
    query = select(_zone(scope), body.label("body")).where(
        body.is_not(None),
        CalendarObject.ends_at > bindparam("first"),
        CalendarObject.starts_at < bindparam("end"),
        or_(CalendarObject.leaves_at.is_(None), CalendarObject.leaves_at > bindparam("day")),
    )
    if alarm:
        # Who reminds of what is over or cancelled is a nuisance.
        reminds = CalendarObject.leaves_at.is_(None) & (CalendarObject.starts_at >= bindparam("day"))
        query = query.add_columns(reminds.label("reminds"))
    return _of_scope(query, scope).order_by(CalendarObject.ends_at, CalendarObject.booking_id)


def _zone(scope: str) -> Any:
    return (Booking.wall_zone if scope == "customer" else CalendarObject.zone).label("zone")


def _of_scope(query: Select[*tuple[Any, ...]], scope: str) -> Select[*tuple[Any, ...]]:
    if scope == "team":
        return query.add_columns(Technician.name.label("extra")).join(
            Technician, Technician.id == CalendarObject.technician_id
        )
    if scope == "customer":
        return (
            query.add_columns(Booking.uid.label("extra"))
            .join(Booking, Booking.id == CalendarObject.booking_id)
            .where(Booking.customer_id == bindparam("owner"))
        )
    return query.add_columns(literal("").label("extra")).where(
        CalendarObject.technician_id == bindparam("owner")
    )


def _dressed(
    rows: Sequence[Row[*tuple[Any, ...]]], whose: Subscription, link_base: str, link_key: bytes
) -> Sequence[bytes]:
    events = [row.body for row in rows]
    if whose.scope == "team":
        events = [with_name(row.body, row.extra) for row in rows]
    elif whose.scope == "customer":
        events = [with_link(row.body, f"{link_base}/a/{booking_token(link_key, row.extra)}") for row in rows]
    if whose.alarm_minutes is None:
        return events
    minutes, locale = whose.alarm_minutes, whose.locale
    return [
        with_alarm(event, minutes, locale) if row.reminds else event
        for row, event in zip(rows, events, strict=True)
    ]
