"""Whether one wished moment can be booked, and if not, which single reason helps the person most."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.rules import refusals
from scheduler.rules.intervals import Interval
from scheduler.rules.lead_time import LeadLedger
from scheduler.slots.attendance import busy_intervals, technician_open
from scheduler.slots.availability import alternatives, last_bookable_at, lead_ledger
from scheduler.store.models import Technician


@dataclass(frozen=True, slots=True)
class Wish:
    """A wished window: start (UTC), length, the entitlement kind whose lead applies, and who may take it."""

    starts_at: datetime
    minutes: int
    kind: str
    technicians: tuple[Technician, ...]
    override: bool = False
    kept: bool = False
    """The booking stands at this start already: the notice was kept when it was asked for, whoever attends it."""

    @property
    def window(self) -> Interval:
        """The wished time, half-open."""
        return Interval(self.starts_at, self.starts_at + timedelta(minutes=self.minutes))


@dataclass(frozen=True, slots=True)
class Bookable:
    """A wish that keeps the rules: the lead ledger applied, and the technicians to try, in order."""

    ledger: LeadLedger
    technicians: tuple[Technician, ...]


def refuse_unbookable(
    session: Session, desk: DeskContext, now: datetime, wish: Wish, ignore: frozenset[int] = frozenset()
) -> Bookable:
    """Accept a wish that keeps every rule but the race for the slot, which the INSERT decides.

    An override frees from lead time, grid, desk hours and the technician's own calendars; nobody books the past or a
    missing technician.
    Raises InThePast, DurationNotOffered, BeyondHorizon, LeadTimeTooShort, OffGrid, OutsideHours, TechnicianBusy,
    SlotTaken, NotFound.
    """
    ledger = lead_ledger(desk, wish.kind, now)
    if not wish.technicians:
        raise refusals.NotFound("technician")
    if wish.minutes not in desk.conditions.durations_minutes:
        raise refusals.DurationNotOffered(offered=desk.conditions.durations_minutes)
    if wish.starts_at < now:
        raise refusals.InThePast(earliest_at=ledger.earliest_at)
    last = last_bookable_at(desk, now)
    if wish.starts_at > last:
        raise refusals.BeyondHorizon(last_on=desk.today(last))
    if wish.override:
        return Bookable(ledger, wish.technicians)
    return Bookable(ledger, _attending(session, desk, now, wish, ledger, ignore))


def _attending(
    session: Session, desk: DeskContext, now: datetime, wish: Wish, ledger: LeadLedger, ignore: frozenset[int]
) -> tuple[Technician, ...]:
    if wish.starts_at < ledger.earliest_at and not wish.kept:
        raise refusals.LeadTimeTooShort(earliest_at=ledger.earliest_at, ledger=ledger)

    def near() -> tuple[datetime, ...]:
        return alternatives(session, desk, now, wish.technicians, wish.window, ledger.earliest_at, ignore)

    grid = desk.conditions.grid_minutes
    local = wish.starts_at.astimezone(desk.zone)
    if local.second or local.microsecond or (local.hour * 60 + local.minute) % grid:
        raise refusals.OffGrid(grid_minutes=grid, alternatives=near())
    attending = [t for t in wish.technicians if _attends(session, desk, t, wish.window)]
    if not attending:
        # One's own calendar is a reason that passes; the desk's hours are not. People are told which it is.
        elsewhere = any(_attends(session, desk, t, wish.window, calendars=False) for t in wish.technicians)
        refused = refusals.TechnicianBusy if elsewhere else refusals.OutsideHours
        raise refused(alternatives=near())
    free = tuple(t for t in attending if _rested(session, t, wish.window, now, ignore))
    if not free:
        raise refusals.SlotTaken(alternatives=near())
    return free


def _attends(
    session: Session, desk: DeskContext, technician: Technician, window: Interval, calendars: bool = True
) -> bool:
    opens = technician_open(session, desk, technician, window, calendars)
    return any(span.start <= window.start and window.end <= span.end for span in opens)


def _rested(
    session: Session, technician: Technician, window: Interval, now: datetime, ignore: frozenset[int]
) -> bool:
    """Whether the technician's buffer around other bookings is kept; the overlap itself is the database's to refuse."""
    if not technician.buffer_minutes:
        return True
    buffer = timedelta(minutes=technician.buffer_minutes)
    wide = Interval(window.start - buffer, window.end + buffer)
    return not busy_intervals(session, technician.id, wide, now, ignore)
