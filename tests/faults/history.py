"""Judges what many clients were told against each other and against the table, as Jepsen's checkers do.

A client knows when it asked and when it was answered, and no more: what was asked for took effect somewhere between.
So a booking *surely* has its slot from the answer that gave it until somebody asks to take it away, and *maybe* from
the question until the answer to that. Two sure ones that overlap are a double booking; a "taken" that no maybe one
explains was refused for nothing; what was answered "done" and is not in the table was lost.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

CELL = 1800
LIVE = ("held", "pending", "confirmed", "in_session")


@dataclass(frozen=True, slots=True)
class Span:
    """A window of one technician, in epoch seconds."""

    technician: int
    start: int
    end: int

    def touches(self, other: "Span") -> bool:
        """Whether both want the same technician at the same moment."""
        return self.technician == other.technician and self.start < other.end and other.start < self.end

    def cells(self) -> Iterator[tuple[int, int]]:
        """The half hours it covers, to look up rivals by."""
        for cell in range(self.start // CELL, -(-self.end // CELL)):
            yield self.technician, cell


@dataclass(frozen=True, slots=True)
class Row:
    """A booking as an answer or the table shows it."""

    id: int
    rev: int
    status: str
    span: Span
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One request: what was wanted, when it was asked and answered, and the answer. Status 0: no answer came."""

    verb: str
    tag: str
    begun: float
    ended: float
    status: int
    wanted: Span | None = None
    booking: int | None = None
    seen_rev: int = 0
    code: str = ""
    got: Row | None = None

    @property
    def unknown(self) -> bool:
        """Whether it may have taken effect although nobody said so."""
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True, slots=True)
class Tenure:
    """A booking in a slot: surely during (sure_from, sure_until), maybe during (maybe_from, maybe_until)."""

    booking: int
    span: Span
    maybe_from: float
    sure_from: float
    sure_until: float
    maybe_until: float


@dataclass
class Judgement:
    """What was wrong; every list is empty when the promise was kept."""

    double: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> list[str]:
        """All of it."""
        return [*self.double, *self.lost, *self.unexplained, *self.ghosts]


def judge(events: Sequence[Event], table: Iterable[Row]) -> Judgement:
    """Everything that the answers and the final table contradict."""
    rows = {row.id: row for row in table}
    found = Judgement()
    by_booking = _by_booking(events, rows)
    tenures = [*_tenures(by_booking), *_unanswered(events, rows), *_holds(events, rows)]
    cells: dict[tuple[int, int], list[Tenure]] = defaultdict(list)
    for tenure in tenures:
        for cell in tenure.span.cells():
            cells[cell].append(tenure)
    found.double += _double(cells) + _overlaps(rows.values())
    found.lost += _lost(by_booking, rows)
    found.ghosts += _ghosts(events, rows)
    for event in events:
        found.answers[f"{event.verb} {event.status} {event.code}".strip()] += 1
        if not _explained(event, by_booking, cells):
            found.unexplained.append(f"{event.verb} {event.tag}: {event.status} {event.code}")
    return found


def _by_booking(events: Sequence[Event], rows: Mapping[int, Row]) -> dict[int, list[Event]]:
    """What was asked of each booking; an unanswered booking is found in the table by its tag."""
    tags = {row.tag: row.id for row in rows.values()}
    found: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        booking = event.got.id if event.got else event.booking
        if booking is None and event.unknown and event.verb == "book":
            booking = tags.get(event.tag)
        if booking is not None:
            found[booking].append(event)
    return found


def _tenures(by_booking: Mapping[int, Sequence[Event]]) -> Iterator[Tenure]:
    for booking, events in by_booking.items():
        told = {event.got.rev: event for event in events if event.got is not None}
        for rev, event in told.items():
            if event.got is None or event.got.status not in LIVE:
                continue
            after = told.get(rev + 1)
            doubtful = [e.begun for e in events if e.unknown and e.seen_rev == rev and e.verb != "book"]
            yield Tenure(
                booking,
                event.got.span,
                maybe_from=event.begun,
                sure_from=event.ended,
                sure_until=after.begun if after else min(doubtful, default=math.inf),
                maybe_until=after.ended if after else math.inf,
            )


def _unanswered(events: Sequence[Event], rows: Mapping[int, Row]) -> Iterator[Tenure]:
    tags = {row.tag: row for row in rows.values()}
    for event in events:
        if event.unknown and event.wanted is not None:
            booking = event.booking if event.booking is not None else -1
            if event.verb == "book":
                if event.tag not in tags:
                    continue  # it left nothing, so it can have been in nobody's way for longer than it ran
                booking = tags[event.tag].id
            yield Tenure(booking, event.wanted, event.begun, math.inf, math.inf, math.inf)


def _holds(events: Sequence[Event], rows: Mapping[int, Row]) -> Iterator[Tenure]:
    """Holds are answered by a page, so which technician was kept is read in the table."""
    begun = [event for event in events if event.verb == "hold" and event.wanted is not None]
    kept = [row for row in rows.values() if row.status in ("held", "expired")]
    by_start: dict[int, list[Row]] = defaultdict(list)
    for row in kept:
        by_start[row.span.start].append(row)
    for event in begun:
        assert event.wanted is not None
        for row in by_start[event.wanted.start]:
            yield Tenure(row.id, row.span, event.begun, math.inf, math.inf, math.inf)


def _double(cells: Mapping[tuple[int, int], Sequence[Tenure]]) -> list[str]:
    sure = {cell: [t for t in tenures if t.sure_from < t.sure_until] for cell, tenures in cells.items()}
    return sorted({
        f"bookings {one.booking} and {other.booking} both had technician {one.span.technician} at "
        f"{max(one.span.start, other.span.start)}"
        for tenures in sure.values()
        for one, other in combinations(tenures, 2)
        if one.booking != other.booking
        and one.span.touches(other.span)
        and max(one.sure_from, other.sure_from) < min(one.sure_until, other.sure_until)
    })  # fmt: skip


def _overlaps(rows: Iterable[Row]) -> list[str]:
    by_cell: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in rows:
        if row.status in LIVE:
            for cell in row.span.cells():
                by_cell[cell].append(row)
    return sorted({
        f"rows {one.id} and {other.id} overlap"
        for rivals in by_cell.values()
        for one, other in combinations(rivals, 2)
        if one.span.touches(other.span)
    })  # fmt: skip


def _lost(by_booking: Mapping[int, Sequence[Event]], rows: Mapping[int, Row]) -> list[str]:
    lost = []
    for booking, events in by_booking.items():
        told = [event.got for event in events if event.got is not None]
        if not told:
            continue
        last, row = max(told, key=lambda got: got.rev), rows.get(booking)
        doubtful = sum(event.unknown and event.verb != "book" for event in events)
        if row is None or row.rev < last.rev or row.rev > last.rev + doubtful:
            lost.append(f"booking {booking} was acknowledged at rev {last.rev} and is {row}")
        elif row.rev == last.rev and (row.span, row.status) != (last.span, last.status):
            lost.append(f"booking {booking} was acknowledged as {last} and is {row}")
        if len({got.rev for got in told}) < len(told):
            lost.append(f"booking {booking} acknowledged one revision twice")
    return lost


def _ghosts(events: Sequence[Event], rows: Mapping[int, Row]) -> list[str]:
    asked = {event.got.id for event in events if event.got} | {
        row.id for row in rows.values() if row.tag in {event.tag for event in events if event.unknown}
    }
    return [
        f"nobody asked for {row}"
        for row in rows.values()
        if row.id not in asked and row.status not in ("held", "expired")
    ]


def _explained(
    event: Event,
    by_booking: Mapping[int, Sequence[Event]],
    cells: Mapping[tuple[int, int], Sequence[Tenure]],
) -> bool:
    if event.status < 300 or event.unknown:
        return True
    others = [e for e in by_booking.get(event.booking or -1, ()) if e is not event and e.begun < event.ended]
    if event.code == "slot_taken" and event.wanted is not None:
        return _in_the_way(event, event.wanted, cells)
    if event.code == "stale_revision":
        return any(e.unknown or (e.got is not None and e.got.rev > event.seen_rev) for e in others)
    if event.code == "transition_not_allowed":
        ends = {"cancel", "refuse"} | ({"approve"} if event.verb in ("approve", "refuse") else set())
        return any(e.verb in ends and (e.unknown or e.status == 200) for e in others)
    return False


def _in_the_way(event: Event, wanted: Span, cells: Mapping[tuple[int, int], Sequence[Tenure]]) -> bool:
    return any(
        tenure.booking != event.booking
        and tenure.span.touches(wanted)
        and tenure.maybe_from <= event.ended
        and event.begun <= tenure.maybe_until
        for cell in wanted.cells()
        for tenure in cells.get(cell, ())
    )
