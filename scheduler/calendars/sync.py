"""What changed in a calendar since a device last asked (RFC 6578), told by revisions and days.

Every change raises the revision of its technician's calendar, under the lock of the technician's row, so
revisions become visible in order. A calendar of several technicians has one revision of each: a number for
all of them would make every booking of the desk wait for every other. Time also moves events in and out of
the window; that follows from the day of the last visit and needs no row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from scheduler.calendars.window import DAYS_AHEAD, DAYS_BACK
from scheduler.store.models import CalendarObject, CalendarTombstone

DAY = timedelta(days=1)
TOKEN_LIFE = timedelta(days=60)
"""A device that was away longer reads everything anew."""
TOMBSTONES_STAY = TOKEN_LIFE + 2 * DAY
TOKEN = re.compile(r"urn:x-ventana:sync:(\d{1,15}):([a-z]{1,20}):(\d{8}):((?:\d{1,15}\.\d{1,15}(?:-|$))*)")


class TokenInvalid(Exception):
    """The token is no base to tell changes from: of another calendar, too old, of the future, or no token."""


@dataclass(frozen=True, slots=True)
class State:
    """A calendar as it stands: its name, its owner, its window's day and its technicians' revisions."""

    owner_id: int
    name: str
    day: datetime
    revisions: Mapping[int, int]

    @property
    def token(self) -> str:
        """The sync-token (RFC 6578 §3.8: a URI) and, as good, the tag of the whole calendar."""
        revisions = "-".join(f"{id_}.{rev}" for id_, rev in sorted(self.revisions.items()))
        return f"urn:x-ventana:sync:{self.owner_id}:{self.name}:{self.day:%Y%m%d}:{revisions}"


def day_of(now: datetime) -> datetime:
    """The midnight in UTC that windows count from."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def read_token(text: str, now: State) -> State:
    """The state that a token of this calendar stands for. Raises TokenInvalid."""
    found = TOKEN.fullmatch(text.strip())
    if found is None:
        raise TokenInvalid
    owner, name, day, revisions = found.groups()
    try:
        then = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    except ValueError:
        raise TokenInvalid from None
    pairs = (pair.split(".") for pair in revisions.split("-") if pair)
    state = State(int(owner), name, then, {int(id_): int(rev) for id_, rev in pairs})
    if (state.owner_id, state.name) != (now.owner_id, now.name):
        raise TokenInvalid
    if not now.day - TOKEN_LIFE <= then <= now.day:
        raise TokenInvalid
    # Who left the team, and a revision that no change has given yet (a restored backup), cannot be told from.
    if any(rev > now.revisions.get(id_, -1) for id_, rev in state.revisions.items()):
        raise TokenInvalid
    return state


def inside(day: datetime) -> ColumnElement[bool]:
    """Whether an event is in the window of a day."""
    return and_(
        CalendarObject.ends_at > day - DAYS_BACK * DAY,
        CalendarObject.starts_at < day + (DAYS_AHEAD + 1) * DAY,
        or_(CalendarObject.leaves_at.is_(None), CalendarObject.leaves_at > day),
    )


def changed_since(then: State, now: State) -> ColumnElement[bool]:
    """Events that a device which saw `then` has to read."""
    written = or_(
        *(
            and_(
                CalendarObject.technician_id == id_, CalendarObject.calendar_rev > then.revisions.get(id_, -1)
            )
            for id_ in now.revisions
        )
    )
    if then.day == now.day:
        return and_(written, inside(now.day))
    came_near = and_(_of(now), CalendarObject.starts_at >= then.day + (DAYS_AHEAD + 1) * DAY)
    return and_(or_(written, came_near), inside(now.day))


def gone_since(session: Session, then: State, now: State) -> set[int]:
    """Bookings that a device which saw `then` has to forget."""
    return _taken_over(session, then, now) | _outside(session, then, now)


def _taken_over(session: Session, then: State, now: State) -> set[int]:
    left = or_(
        *(
            and_(
                CalendarTombstone.technician_id == id_,
                CalendarTombstone.calendar_rev > then.revisions.get(id_, -1),
            )
            for id_ in now.revisions
        )
    )
    # In a team's calendar the event is still there, under the technician who has it now.
    here = select(CalendarObject.booking_id).where(
        CalendarObject.booking_id == CalendarTombstone.booking_id, _of(now), inside(now.day)
    )
    return set(session.scalars(select(CalendarTombstone.booking_id).where(left, ~here.exists())))


def _outside(session: Session, then: State, now: State) -> set[int]:
    """Written since and put outside the window, or left outside by the days that passed."""
    written = or_(
        *(
            and_(
                CalendarObject.technician_id == id_, CalendarObject.calendar_rev > then.revisions.get(id_, -1)
            )
            for id_ in now.revisions
        )
    )
    was_inside = and_(_of(now), inside(then.day)) if then.day != now.day else written
    return set(
        session.scalars(select(CalendarObject.booking_id).where(or_(written, was_inside), ~inside(now.day)))
    )


def _of(state: State) -> ColumnElement[bool]:
    return CalendarObject.technician_id.in_(state.revisions)


def leave(session: Session, technician_id: int, booking_id: int, calendar_rev: int, now: datetime) -> None:
    """Write down that a technician's calendar has lost an event with this revision."""
    session.merge(
        CalendarTombstone(
            technician_id=technician_id, booking_id=booking_id, calendar_rev=calendar_rev, left_at=now
        )
    )


def come_back(session: Session, technician_id: int, booking_id: int) -> None:
    """Forget that the event ever left: it is in the technician's calendar again."""
    session.execute(
        delete(CalendarTombstone).where(
            CalendarTombstone.technician_id == technician_id, CalendarTombstone.booking_id == booking_id
        )
    )


def forget_tombstones(session: Session, now: datetime) -> None:
    """Delete what no token that is still taken can ask for."""
    session.execute(delete(CalendarTombstone).where(CalendarTombstone.left_at < now - TOMBSTONES_STAY))
