"""When a technician cannot be had, for their free/busy calendar: bookings and what else occupies them, and absences."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.rules.intervals import Interval
from scheduler.slots.attendance import busy_intervals
from scheduler.store.models import Absence, Technician


def busy_times(
    session: Session, technician: Technician, window: tuple[datetime, datetime], now: datetime
) -> list[tuple[datetime, datetime, str]]:
    """Start, end and kind (RFC 5545 §3.2.9) of each time in `window` (UTC), in no order."""
    first, end = window
    taken = busy_intervals(session, technician.id, Interval(first, end), now)
    absences = session.execute(
        select(Absence.starts_at, Absence.ends_at).where(
            Absence.technician_id == technician.id, Absence.ends_at > first, Absence.starts_at < end
        )
    )
    return [(it.start, it.end, "BUSY") for it in taken] + [
        (start, until, "BUSY-UNAVAILABLE") for start, until in absences
    ]
