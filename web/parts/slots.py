"""The grid of a week: from instants to columns, rows and blocks on the reader's clock. Pure: no store, no request.

A row is a place in the grid, not a clock time, so that other zones, 15-minute grids and nights with two equal hours
fit. A column is a date of the reader: a slot that falls on the neighbouring date there stands on that date.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from scheduler.rules.intervals import Interval
from scheduler.rules.slots import Slot

Clock = tuple[int, int, int]
"""Hour, minute and fold: the second 02:30 of an autumn night is another place than the first."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The instants between which a moment is past, inside the notice, or free to be booked (UTC)."""

    now: datetime
    earliest_at: datetime

    def kind(self, start: datetime) -> str | None:
        """What stands against a start: past, lead, or nothing."""
        if start < self.now:
            return "past"
        return "lead" if start < self.earliest_at else None


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one day that cannot be booked for one reason: lead | past | closed."""

    kind: str
    row: int
    span: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A bookable start and its row."""

    start: datetime
    row: int
    time: str


@dataclass(slots=True)
class Column:
    """One date of the reader."""

    day: date
    cells: list[Cell] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Week:
    """Labels with their rows, and the columns."""

    rows: tuple[tuple[str, int], ...]
    columns: tuple[Column, ...]


def lay_out(
    opens: Sequence[Interval],
    slots: Iterable[Slot],
    grid: timedelta,
    zone: ZoneInfo,
    marks: Marks,
    days: Collection[date] = (),
) -> Week:
    """The grid over the desk's open time, with the free slots in it; `days` get a column even when nothing is open."""
    places = {start: start.astimezone(zone) for interval in opens for start in _grid_starts(interval, grid)}
    slots = tuple(slots)
    places |= {slot.start: slot.start.astimezone(zone) for slot in slots}
    rows = _rows({_clock(local) for local in places.values()}, grid)
    columns = {day: Column(day) for day in sorted({*days, *(local.date() for local in places.values())})}
    for slot in slots:
        local = places[slot.start]
        columns[local.date()].cells.append(Cell(slot.start, rows[_clock(local)], _label(_clock(local))))
    for day, column in columns.items():
        here = {rows[_clock(local)]: start for start, local in places.items() if local.date() == day}
        column.blocks = (
            list(_blocks(here, marks.kind)) if here else [Block("closed", 1, max(rows.values(), default=1))]
        )
    return Week(tuple((_label(clock), row) for clock, row in rows.items()), tuple(columns.values()))


def _grid_starts(interval: Interval, grid: timedelta) -> Iterator[datetime]:
    start = interval.start
    while start < interval.end:
        yield start
        start += grid


def _rows(clocks: Collection[Clock], grid: timedelta) -> dict[Clock, int]:
    """A row per clock time; where the day has a gap (lunch), one empty row shows it."""
    rows: dict[Clock, int] = {}
    row, before = 0, None
    for clock in sorted(clocks):
        minutes = clock[0] * 60 + clock[1]
        gap = before is not None and timedelta(minutes=minutes - before) > grid
        row += 2 if gap else 1
        rows[clock] = row
        before = minutes
    return rows


def _blocks(here: Mapping[int, datetime], kind: Callable[[datetime], str | None]) -> Iterator[Block]:
    numbered = ((row, kind(start)) for row, start in sorted(here.items()))
    # Neighbouring rows share row minus position; a gap changes it and ends the block.
    grouped = groupby(enumerate(numbered), key=lambda item: (item[1][1], item[1][0] - item[0]))
    for (which, _), members in grouped:
        rows = [row for _, (row, _) in members]
        if which is not None:
            yield Block(which, rows[0], len(rows))


def _clock(local: datetime) -> Clock:
    return local.hour, local.minute, local.fold


def _label(clock: Clock) -> str:
    return f"{clock[0]:02d}:{clock[1]:02d}" + (" (2)" if clock[2] else "")


def working_days(
    first: date, count: int, attends: Callable[[date], bool], backwards: bool = False
) -> tuple[date, ...]:
    """`count` days on which the desk attends by its week, from `first` on (or the last ones before it), in order."""
    step = timedelta(days=-1 if backwards else 1)
    day = first + step if backwards else first
    found: list[date] = []
    for _ in range(40):
        if attends(day):
            found.append(day)
        if len(found) == count:
            break
        day += step
    return tuple(sorted(found))


def instant(text: str) -> datetime | None:
    """The UTC instant that a form carries, or None for anything else."""
    try:
        parsed = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    # At the ends of the calendar a change of zone overflows; nobody books there.
    return parsed.astimezone(UTC) if parsed.tzinfo and 2000 <= parsed.year <= 2200 else None


def written(moment: datetime) -> str:
    """How a form carries an instant."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
