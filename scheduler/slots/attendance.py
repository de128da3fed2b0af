"""When technicians attend and when they are busy: a whole team read by two queries, whatever its size.

Times go as whole seconds from the database to the search: a large team has thousands, and objects cost the most.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from sqlalchemy import CompoundSelect, Select, bindparam, or_, select, union_all
from sqlalchemy.orm import Session

from scheduler.context import DeskContext, weekly_hours_of
from scheduler.rules.hours import open_intervals
from scheduler.rules.intervals import Interval
from scheduler.rules.spans import Span, in_both, intervals_of, spans_of, without
from scheduler.store.models import LIVE_STATUSES, Absence, Booking, BusyTime, Technician
from scheduler.store.types import epoch_seconds

LONGEST_BOOKING = timedelta(hours=24)
"""A booking never lasts longer (the store checks it), so busy time is found by an index range on the start."""

Times = Mapping[int, Sequence[Span]]
"""Technician's id → times in seconds."""


def open_times(
    session: Session,
    desk: DeskContext,
    technicians: Sequence[Technician],
    window: Interval,
    calendars: bool = True,
) -> Times:
    """When each attends inside `window`, merged and in order: the desk's open hours, within their own, less absences.

    Less what stands in their own calendars too, unless `calendars` is False.
    """
    hours = _Hours(desk, window)
    away = _away(session, technicians, window, calendars)
    return {each.id: without(hours.of(each), away.get(each.id, ())) for each in technicians}


def technician_open(
    session: Session, desk: DeskContext, technician: Technician, window: Interval, calendars: bool = True
) -> tuple[Interval, ...]:
    """When this technician attends inside `window`, with their own calendars or without."""
    return intervals_of(open_times(session, desk, (technician,), window, calendars)[technician.id])


def busy_times(
    session: Session,
    technicians: Sequence[int],
    window: Interval,
    now: datetime,
    ignore: frozenset[int] = frozenset(),
) -> Times:
    """Bookings that occupy each technician (by id) in `window`; a hold past its five minutes no longer does."""
    asked = {
        "people": list(technicians),
        "since": window.start - LONGEST_BOOKING,
        "start": window.start,
        "end": window.end,
        "now": now,
        "ignored": list(ignore),
    }
    return _by_technician(session.execute(_busy_query(session.get_bind().dialect.name), asked))


@cache
def _busy_query(dialect: str) -> Select[int, int, int]:
    of = partial(epoch_seconds, dialect)
    return select(Booking.technician_id, of(Booking.starts_at), of(Booking.ends_at)).where(
        Booking.technician_id.in_(bindparam("people", expanding=True)),
        Booking.starts_at > bindparam("since"),
        Booking.starts_at < bindparam("end"),
        Booking.ends_at > bindparam("start"),
        Booking.status.in_(LIVE_STATUSES),
        or_(Booking.status != "held", Booking.held_until > bindparam("now")),
        Booking.id.not_in(bindparam("ignored", expanding=True)),
    )


def busy_intervals(
    session: Session,
    technician_id: int,
    window: Interval,
    now: datetime,
    ignore: frozenset[int] = frozenset(),
) -> tuple[Interval, ...]:
    """What occupies this technician in `window`."""
    return intervals_of(busy_times(session, (technician_id,), window, now, ignore).get(technician_id, ()))


class _Hours:
    """Weekly hours inside one window, worked out once for all who share them."""

    def __init__(self, desk: DeskContext, window: Interval) -> None:
        self._desk = desk
        self._window = window
        self._common = spans_of(desk.open_intervals(window))
        self._found: dict[str, list[Span]] = {}

    def of(self, technician: Technician) -> list[Span]:
        """The desk's open hours, within the technician's own."""
        if technician.weekly_hours is None:
            return self._common
        key = json.dumps(technician.weekly_hours, sort_keys=True)
        if key not in self._found:
            weekly = weekly_hours_of(key)
            own = open_intervals(weekly, self._desk.zone, (), (), self._window)
            self._found[key] = in_both(self._common, spans_of(own))
        return self._found[key]


def _away(session: Session, technicians: Sequence[Technician], window: Interval, calendars: bool) -> Times:
    """Absences and the busy times of own calendars, by one question for all of it."""
    asked = {"people": [each.id for each in technicians], "start": window.start, "end": window.end}
    return _by_technician(session.execute(_away_query(session.get_bind().dialect.name, calendars), asked))


@cache
def _away_query(dialect: str, calendars: bool) -> CompoundSelect[int, int, int]:
    tables: list[type[Absence | BusyTime]] = [Absence, BusyTime] if calendars else [Absence]
    return union_all(
        *(
            select(
                table.technician_id,
                epoch_seconds(dialect, table.starts_at),
                epoch_seconds(dialect, table.ends_at),
            ).where(
                table.technician_id.in_(bindparam("people", expanding=True)),
                table.ends_at > bindparam("start"),
                table.starts_at < bindparam("end"),
            )
            for table in tables
        )
    )


def _by_technician(rows: Iterable[Any]) -> Times:
    found: defaultdict[int, list[Span]] = defaultdict(list)
    for technician_id, start, end in rows:
        found[technician_id].append((start, end))
    return found
