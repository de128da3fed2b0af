"""How full the team is: minutes booked and minutes attended, by technician and day of the desk."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.context import DeskContext, day_window
from scheduler.rules.intervals import Interval, intersect
from scheduler.rules.spans import intervals_of
from scheduler.slots.attendance import LONGEST_BOOKING, open_times
from scheduler.store.models import Booking, Technician
from scheduler.team.people import colleagues

COUNTED = ("pending", "confirmed", "in_session", "done", "no_show")
"""What takes a technician's time, or has taken it; a held slot may still be let go."""


@dataclass(frozen=True, slots=True)
class Load:
    """Minutes of one technician on one day: booked, and attended by their hours less absences."""

    booked: int
    attended: int

    @property
    def share(self) -> float:
        """Booked of attended, 1.0 for a full day; what is booked outside the hours may pass it."""
        return self.booked / self.attended if self.attended else float(self.booked > 0)


Workload = Mapping[tuple[int, date], Load]
"""(technician's id, day) → how full."""


def active_technicians(session: Session) -> Sequence[Technician]:
    """Those who take sessions, by name: active, with at least one skill."""
    return [row for row in colleagues(session) if row.skills]


def workload(
    session: Session, desk: DeskContext, technicians: Sequence[Technician], days: Sequence[date]
) -> Workload:
    """How full each of them is on each of the days, by two questions to the database whatever the team's size."""
    windows = {day: day_window(desk, day, 1) for day in days}
    whole = Interval(min(w.start for w in windows.values()), max(w.end for w in windows.values()))
    opens = open_times(session, desk, technicians, whole, calendars=False)
    attended = {id_: intervals_of(spans) for id_, spans in opens.items()}
    booked = _booked(session, [each.id for each in technicians], whole)
    return {
        (each.id, day): Load(_minutes(booked[each.id], window), _minutes(attended[each.id], window))
        for each in technicians
        for day, window in windows.items()
    }


def _booked(session: Session, technicians: Sequence[int], window: Interval) -> Mapping[int, list[Interval]]:
    rows = session.execute(
        select(Booking.technician_id, Booking.starts_at, Booking.ends_at).where(
            Booking.technician_id.in_(technicians),
            Booking.starts_at > window.start - LONGEST_BOOKING,
            Booking.starts_at < window.end,
            Booking.status.in_(COUNTED),
        )
    )
    found: defaultdict[int, list[Interval]] = defaultdict(list)
    for technician_id, start, end in rows:
        found[technician_id].append(Interval(start, end))
    return found


def _minutes(spans: Sequence[Interval], window: Interval) -> int:
    return int(
        sum((span.duration for span in intersect(spans, [window])), timedelta()) / timedelta(minutes=1)
    )
