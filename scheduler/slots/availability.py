"""Read what is busy, ask the rules, return the slots; and say precisely why a moment cannot be booked."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.rules import refusals
from scheduler.rules.intervals import Interval
from scheduler.rules.lead_time import LeadLedger, LeadTime, earliest_start
from scheduler.rules.slots import NEAREST, Slot, bookable_slots, nearest
from scheduler.rules.spans import Span, instant, split_starts, without
from scheduler.slots.attendance import busy_intervals, busy_times, open_times, technician_open
from scheduler.store.models import Booking, Customer, Technician

BATCH = 8
"""How many technicians are read at once: enough that a large team costs few queries, few enough that one whose first
members are free is not read to its end."""

REACHES = (
    (timedelta(hours=12), timedelta(hours=12)),
    (timedelta(days=4), timedelta(days=14)),
)
"""How far before and after a wished start others are looked for. Who loses a race mostly finds three close by: to cut
two weeks into slots for each loser was a quarter of what a storm for one slot cost."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot with the technician who would take it."""

    slot: Slot
    technician_id: int


def lead_ledger(desk: DeskContext, kind: str, now: datetime) -> LeadLedger:
    """The earliest bookable instant for an entitlement kind, with the hours that were counted."""
    return counted_from(desk, desk.conditions.lead[kind], now)


def counted_from(desk: DeskContext, lead: LeadTime, now: datetime) -> LeadLedger:
    """When so much time has passed from `now`, as it says in hours of attention or by the clock."""
    days = 7 + lead.minutes // 120
    while True:
        opens = desk.open_intervals(Interval(now, now + timedelta(days=days)))
        try:
            return earliest_start(now, lead, opens, desk.zone)
        except ValueError:
            # A desk that closes for weeks (August) needs a longer look ahead; a desk that never opens would loop.
            if days > 400:
                raise refusals.OutsideHours(alternatives=()) from None
            days *= 3


def open_slots(
    session: Session,
    desk: DeskContext,
    now: datetime,
    technician: Technician,
    duration: timedelta,
    window: Interval,
    not_before: datetime,
    ignore: frozenset[int] = frozenset(),
) -> tuple[Slot, ...]:
    """The technician's bookable slots that start in `window` and not before `not_before`."""
    return bookable_slots(
        technician_open(session, desk, technician, window),
        busy_intervals(session, technician.id, window, now, ignore),
        duration,
        timedelta(minutes=desk.conditions.grid_minutes),
        desk.zone,
        not_before,
        timedelta(minutes=technician.buffer_minutes),
    )


_ACTIVE = select(Technician).where(Technician.active == True).order_by(Technician.id)  # noqa: E712
_WANTED = _ACTIVE.where(Technician.id == bindparam("id"))


def candidates(
    session: Session, customer: Customer | None, platform: str, wanted: int | None
) -> list[Technician]:
    """Technicians who may take it: the one wanted, else all active ones skilled in the platform, assigned first."""
    found = session.scalars(_ACTIVE) if wanted is None else session.scalars(_WANTED, {"id": wanted})
    people = [t for t in found if platform in t.skills]
    assigned = customer.technician_id if customer else None
    return sorted(people, key=lambda t: (t.id != assigned, t.id))


def offers(
    session: Session,
    desk: DeskContext,
    now: datetime,
    technicians: Sequence[Technician],
    duration: timedelta,
    window: Interval,
    not_before: datetime,
    ignore: frozenset[int] = frozenset(),
) -> tuple[Offer, ...]:
    """Each start once, with the first technician in the order given who is free; by time."""
    left, seconds = _grid_starts(desk, duration, window, not_before), int(duration.total_seconds())
    found: list[tuple[int, int]] = []
    for batch in _batches(technicians):
        if not left:
            break
        for technician_id, free in _free_times(session, desk, now, batch, window, ignore):
            taken, left = split_starts(left, seconds, free)
            found += [(start, technician_id) for start in taken]
    return tuple(_offer(start, duration, technician_id) for start, technician_id in sorted(found))


def _offer(start: int, duration: timedelta, technician_id: int) -> Offer:
    at = instant(start)
    return Offer(Slot(at, at + duration), technician_id)


def _grid_starts(desk: DeskContext, duration: timedelta, window: Interval, not_before: datetime) -> list[int]:
    """Every start that the desk's hours allow to anybody, in order; a grid of minutes has no parts of seconds."""
    grid = timedelta(minutes=desk.conditions.grid_minutes)
    slots = bookable_slots(desk.open_intervals(window), (), duration, grid, desk.zone, not_before)
    return [int(slot.start.timestamp()) for slot in slots]


def _batches(technicians: Sequence[Technician]) -> Iterator[Sequence[Technician]]:
    for first in range(0, len(technicians), BATCH):
        yield technicians[first : first + BATCH]


def _free_times(
    session: Session,
    desk: DeskContext,
    now: datetime,
    technicians: Sequence[Technician],
    window: Interval,
    ignore: frozenset[int],
) -> Iterator[tuple[int, list[Span]]]:
    """Each technician's open time less what is busy and its buffers, in the order given."""
    opens = open_times(session, desk, technicians, window)
    busy = busy_times(session, [each.id for each in technicians], window, now, ignore)
    for each in technicians:
        yield each.id, without(opens[each.id], busy.get(each.id, ()), each.buffer_minutes * 60)


def alternatives(
    session: Session,
    desk: DeskContext,
    now: datetime,
    technicians: Sequence[Technician],
    wanted: Interval,
    not_before: datetime,
    ignore: frozenset[int] = frozenset(),
) -> tuple[datetime, ...]:
    """The three bookable starts nearest to `wanted`, in time order; looked for in the two weeks around it."""
    length, found = wanted.end - wanted.start, tuple[Slot, ...]()
    for before, after in REACHES:
        start = max(not_before, wanted.start - before)
        window = Interval(start, max(start, wanted.start) + after)
        near = offers(session, desk, now, technicians, length, window, not_before, ignore)
        found = nearest([offer.slot for offer in near], wanted.start)
        if len(found) == NEAREST:
            break
    return tuple(slot.start for slot in found)


def own_hold(
    session: Session, actor: Actor, technicians: Collection[Technician], window: Interval, now: datetime
) -> Booking | None:
    """The slot that the actor holds with one of these technicians, if it starts in `window` and still holds."""
    # Technician and start bound the search by an index; looking by holder alone would read every booking.
    return session.scalar(
        select(Booking).where(
            Booking.technician_id.in_([technician.id for technician in technicians]),
            Booking.starts_at >= window.start,
            Booking.starts_at < window.end,
            Booking.status == "held",
            Booking.created_by == str(actor),
            Booking.held_until > now,
        )
    )


def last_bookable_at(desk: DeskContext, now: datetime) -> datetime:
    """The end of the booking horizon."""
    return now + timedelta(days=desk.conditions.horizon_days)
