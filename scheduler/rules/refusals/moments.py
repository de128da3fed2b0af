"""The moment cannot be had."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from scheduler.rules.refusals.base import Refusal


class DayMinutes(Protocol):
    """The minutes that one local day contributes to a lead time."""

    @property
    def day(self) -> date: ...
    @property
    def minutes(self) -> int: ...


class Ledger(Protocol):
    """The days that explain an earliest start."""

    @property
    def days(self) -> Sequence[DayMinutes]: ...


class TimeRefused(Refusal):
    """The wanted moment cannot be had; `field` is `start` unless said otherwise."""

    def __init__(self, *, field: str | None = "start", **facts: Any) -> None:
        super().__init__(field=field, **facts)


class LeadTimeTooShort(TimeRefused):
    """The start is earlier than the lead time allows; the ledger says which hours were counted."""

    code = "lead_time_too_short"

    def __init__(self, earliest_at: datetime, ledger: Ledger) -> None:
        self.earliest_at = earliest_at
        self.ledger = ledger
        days = [{"day": entry.day, "minutes": entry.minutes} for entry in ledger.days]
        super().__init__(earliest_at=earliest_at, days=days)


class _WithAlternatives(TimeRefused):
    """A refusal that offers the nearest starts (UTC, in time order) that can be had."""

    def __init__(self, alternatives: Iterable[datetime] = (), **facts: Any) -> None:
        self.alternatives = tuple(alternatives)
        super().__init__(alternatives=list(self.alternatives), **facts)


class SlotTaken(_WithAlternatives):
    """Another booking holds the technician in that window."""

    code = "slot_taken"


class OutsideHours(_WithAlternatives):
    """The window is not wholly inside hours in which the desk and its technician attend."""

    code = "outside_hours"


class TechnicianBusy(_WithAlternatives):
    """The technician has something else in a calendar of their own; what it is nobody learns."""

    code = "technician_busy"


class OffGrid(_WithAlternatives):
    """The start is not a multiple of the grid on the desk's wall clock."""

    code = "off_grid"

    def __init__(self, grid_minutes: int, alternatives: Iterable[datetime] = ()) -> None:
        super().__init__(alternatives, grid_minutes=grid_minutes)


class RangeHasFreeTimes(_WithAlternatives):
    """Somebody would wait for a slot where one can be booked at once; the alternatives are the first that can."""

    code = "range_has_free_times"


class InThePast(TimeRefused):
    """The start has gone by."""

    code = "in_the_past"

    def __init__(self, earliest_at: datetime) -> None:
        self.earliest_at = earliest_at
        super().__init__(earliest_at=earliest_at)


class BeyondHorizon(TimeRefused):
    """The start is after the last day that the desk plans."""

    code = "beyond_horizon"

    def __init__(self, last_on: date) -> None:
        self.last_on = last_on
        super().__init__(last_on=last_on)


class DurationNotOffered(TimeRefused):
    """The duration in minutes is not one of those the desk offers."""

    code = "duration_not_offered"

    def __init__(self, offered: Sequence[int]) -> None:
        self.offered = tuple(offered)
        super().__init__(field="duration", offered=list(offered))


class NonexistentTime(TimeRefused):
    """The wall time falls into the hour that the clocks skip in spring; `next_at` is when they go on."""

    code = "nonexistent_time"

    def __init__(self, *, wall: datetime, zone: str, next_at: datetime) -> None:
        self.next_at = next_at
        super().__init__(wall=wall.isoformat(timespec="minutes"), zone=zone, next_at=next_at)


class AmbiguousTime(TimeRefused):
    """The wall time comes twice when the clocks go back; the candidates are both instants, earlier first."""

    code = "ambiguous_time"

    def __init__(self, candidates: Sequence[datetime], *, wall: datetime, zone: str) -> None:
        self.candidates = tuple(candidates)
        super().__init__(wall=wall.isoformat(timespec="minutes"), zone=zone, candidates=list(candidates))
