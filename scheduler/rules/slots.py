"""Open time less busy time, cut into the slots that can be booked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.rules.hours import steady_offsets
from scheduler.rules.intervals import Interval, require_aware, subtract

_NONE = timedelta(0)
_DAY = timedelta(days=1)
NEAREST = 3
"""How many other starts are named to who cannot have the wished one."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A window [start, end) in UTC that can be booked."""

    start: datetime
    end: datetime


def bookable_slots(
    open_: Iterable[Interval],
    busy: Iterable[Interval],
    duration: timedelta,
    grid: timedelta,
    zone: ZoneInfo,
    not_before: datetime,
    buffer: timedelta = _NONE,
) -> tuple[Slot, ...]:
    """Every slot of `duration` that can be booked, by start.

    A slot starts on the grid of the zone's wall clock (09:00, 09:30 … also where
    the zone is 5 h 45 from UTC), not before `not_before`, lies inside one open
    stretch of time and keeps `buffer` free around everything busy. On a DST
    night slots last their real length. Slots of one answer may overlap each
    other: the grid may be finer than the duration.

    Raises ValueError for a duration or grid that is not positive, a grid that
    does not divide the day, a negative buffer, or a naive `not_before`.
    """
    if duration <= _NONE or grid <= _NONE or _DAY % grid or buffer < _NONE:
        raise ValueError("slots need a positive duration, a grid that divides the day and no negative buffer")
    free = free_time(open_, busy, buffer)
    earliest = require_aware(not_before, "not_before")
    return tuple(Slot(start, start + duration) for start in _starts(free, duration, grid, zone, earliest))


def free_time(
    open_: Iterable[Interval], busy: Iterable[Interval], buffer: timedelta = _NONE
) -> tuple[Interval, ...]:
    """The open time that is not busy, with `buffer` kept free around everything busy; merged and in order."""
    taken = (Interval(each.start - buffer, each.end + buffer) for each in busy) if buffer else busy
    return subtract(open_, taken)


def _starts(
    free: tuple[Interval, ...], duration: timedelta, grid: timedelta, zone: ZoneInfo, earliest: datetime
) -> Iterator[datetime]:
    """Starts on the grid: zones are looked up once per day, the rest is addition."""
    if not free:
        return
    stretches = tuple(steady_offsets(Interval(free[0].start, free[-1].end), zone))
    for interval in free:
        last = interval.end - duration
        if last < earliest:
            continue
        for stretch, offset in stretches:
            start = _on_grid(max(interval.start, stretch.start, earliest), offset, grid)
            while start <= last and start < stretch.end:
                yield start
                start += grid


def _on_grid(at: datetime, offset: timedelta, grid: timedelta) -> datetime:
    """The first instant from `at` on whose wall clock is a multiple of the grid since midnight."""
    wall = at + offset
    since_midnight = wall - wall.replace(hour=0, minute=0, second=0, microsecond=0)
    return at + -since_midnight % grid


def nearest(slots: Iterable[Slot], wanted: datetime, count: int = NEAREST) -> tuple[Slot, ...]:
    """The `count` slots that start nearest to the wanted moment, in time order; of two equally near, the earlier."""
    close = sorted(slots, key=lambda slot: (abs(slot.start - wanted), slot.start))[:count]
    return tuple(sorted(close))
