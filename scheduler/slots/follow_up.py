"""Where a session could go on: the next free times of the same technician for the same customer."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.rules.intervals import Interval
from scheduler.rules.slots import Slot
from scheduler.slots.availability import last_bookable_at, lead_ledger, open_slots
from scheduler.store.models import Booking

OFFERED = 3
LOOKED_AHEAD = timedelta(days=14)


def next_slots(session: Session, desk: DeskContext, now: datetime, row: Booking) -> tuple[Slot, ...]:
    """The next three slots as long as this session that do not overlap each other, under the notice of its right."""
    earliest_at = lead_ledger(desk, row.entitlement.kind, now).earliest_at
    until = min(earliest_at + LOOKED_AHEAD, last_bookable_at(desk, now))
    if until <= earliest_at:
        return ()
    length, window = row.ends_at - row.starts_at, Interval(earliest_at, until)
    chosen: list[Slot] = []
    for slot in open_slots(session, desk, now, row.technician, length, window, earliest_at):
        if not chosen or slot.start >= chosen[-1].end:
            chosen.append(slot)
        if len(chosen) == OFFERED:
            break
    return tuple(chosen)
