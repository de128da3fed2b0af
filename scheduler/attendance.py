"""When technicians attend and when they are busy: a whole team read by two queries, whatever its size."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, union_all
from sqlalchemy.orm import Session

from scheduler.context import DeskContext, hours_of
from scheduler.rules.hours import open_intervals
from scheduler.rules.intervals import Interval, intersect, subtract
from scheduler.store.models import LIVE_STATUSES, Absence, Booking, BusyTime, Technician

LONGEST_BOOKING = timedelta(hours=24)
"""A booking never lasts longer (the store checks it), so busy time is found by an index range on the start."""

Times = Mapping[int, Sequence[Interval]]
"""Technician's id → intervals in UTC."""


def open_times(
    session: Session,
    desk: DeskContext,
    technicians: Sequence[Technician],
    window: Interval,
    calendars: bool = True,
) -> Times:
    """When each attends inside `window`: the desk's open hours, within their own, less absences.

    Less what stands in their own calendars too, unless `calendars` is False.
    """
    desk_open = desk.open_intervals(window)
    away = _away(session, technicians, window, calendars)
    return {each.id: _open_time(each, desk, desk_open, away[each.id], window) for each in technicians}


def technician_open(
    session: Session, desk: DeskContext, technician: Technician, window: Interval, calendars: bool = True
) -> tuple[Interval, ...]:
    """When this technician attends inside `window`, with their own calendars or without."""
    return tuple(open_times(session, desk, (technician,), window, calendars)[technician.id])


def busy_times(
    session: Session,
    technicians: Sequence[int],
    window: Interval,
    now: datetime,
    ignore: frozenset[int] = frozenset(),
) -> Times:
    """Bookings that occupy each technician (by id) in `window`; a hold past its five minutes no longer does."""
    rows = session.execute(
        select(Booking.id, Booking.technician_id, Booking.starts_at, Booking.ends_at).where(
            Booking.technician_id.in_(technicians),
            Booking.starts_at > window.start - LONGEST_BOOKING,
            Booking.starts_at < window.end,
            Booking.ends_at > window.start,
            Booking.status.in_(LIVE_STATUSES),
            or_(Booking.status != "held", Booking.held_until > now),
        )
    )
    found: defaultdict[int, list[Interval]] = defaultdict(list)
    for id_, technician_id, start, end in rows:
        if id_ not in ignore:
            found[technician_id].append(Interval(start, end))
    return found


def busy_intervals(
    session: Session,
    technician_id: int,
    window: Interval,
    now: datetime,
    ignore: frozenset[int] = frozenset(),
) -> tuple[Interval, ...]:
    """What occupies this technician in `window`."""
    return tuple(busy_times(session, (technician_id,), window, now, ignore).get(technician_id, ()))


def _open_time(
    technician: Technician,
    desk: DeskContext,
    desk_open: tuple[Interval, ...],
    away: Sequence[Interval],
    window: Interval,
) -> tuple[Interval, ...]:
    opens = subtract(desk_open, away) if away else desk_open
    if technician.weekly_hours is None:
        return opens
    own = open_intervals(hours_of(technician.weekly_hours), desk.zone, (), (), window)
    return intersect(opens, own)


def _away(
    session: Session, technicians: Sequence[Technician], window: Interval, calendars: bool
) -> defaultdict[int, list[Interval]]:
    """Absences and the busy times of own calendars, by one question for all of it."""
    tables: list[type[Absence | BusyTime]] = [Absence, BusyTime] if calendars else [Absence]
    asked = [
        select(table.technician_id, table.starts_at, table.ends_at).where(
            table.technician_id.in_([each.id for each in technicians]),
            table.ends_at > window.start,
            table.starts_at < window.end,
        )
        for table in tables
    ]
    found: defaultdict[int, list[Interval]] = defaultdict(list)
    for technician_id, start, end in session.execute(union_all(*asked)):
        found[technician_id].append(Interval(start, end))
    return found
