"""Stored events made anew when what they are made of has changed behind them: a name, a host, our own version.

Only an event whose bytes differ is written and counted as a change, so doing it twice does nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from scheduler.calendars.event import SERIALISER_VERSION, busy_bytes, event_bodies
from scheduler.calendars.faces import LINK_PLACE
from scheduler.calendars.invite import invite_event, invite_facts
from scheduler.calendars.window import DAYS_BACK
from scheduler.calendars.writing import Explain, code_alone, event_facts, write_event
from scheduler.context import DeskContext
from scheduler.store.bookings import Booking, CalendarObject
from scheduler.store.people import Customer, Technician

STILL_SHOWN = timedelta(days=DAYS_BACK + 1)
"""What ended longer ago is in no calendar any more and stays as it is."""


def rewrite(
    session: Session,
    desk: DeskContext,
    now: datetime,
    wanted: ColumnElement[bool],
    explain: Explain = code_alone,
) -> int:
    """Write anew the shown events of the bookings of which `wanted` holds; how many were different."""
    query = (
        select(Booking)
        .join(CalendarObject, CalendarObject.booking_id == Booking.id)
        .where(wanted, CalendarObject.ends_at > now - STILL_SHOWN)
        .order_by(Booking.id)
    )
    session.flush()
    return sum(_rewrite_one(session, desk, now, booking, explain) for booking in session.scalars(query).all())


def numbers_of_events(session: Session, now: datetime, batch: int = 100) -> Iterator[tuple[int, int]]:
    """The events still shown, as ranges (first, last) of booking numbers of about `batch` events each."""
    shown = select(CalendarObject.booking_id).where(CalendarObject.ends_at > now - STILL_SHOWN)
    ids = session.scalars(shown.order_by(CalendarObject.booking_id)).all()
    for start in range(0, len(ids), batch):
        part = ids[start : start + batch]
        yield part[0], part[-1]


def outdated(session: Session, now: datetime, at_most: int = 100) -> Sequence[int]:
    """Bookings whose events, still shown, an earlier version of ours has written: the first ones by number."""
    older = select(CalendarObject.booking_id).where(
        CalendarObject.serialiser < SERIALISER_VERSION, CalendarObject.ends_at > now - STILL_SHOWN
    )
    return session.scalars(older.order_by(CalendarObject.booking_id).limit(at_most)).all()


def _rewrite_one(
    session: Session, desk: DeskContext, now: datetime, booking: Booking, explain: Explain
) -> bool:
    kept = session.get_one(CalendarObject, booking.id)
    faces = (kept.vevent, kept.vevent_with_host, kept.vevent_busy, kept.vevent_customer)
    if faces == _faces(session, desk, booking, explain):
        kept.serialiser = SERIALISER_VERSION
        return False
    # Clients drop what is no newer than their copy (RFC 5545 §3.8.7.3).
    booking.changed_at = max(now, booking.changed_at + timedelta(seconds=1))
    write_event(session, desk, booking, now, explain=explain)
    return True


def _faces(session: Session, desk: DeskContext, booking: Booking, explain: Explain) -> tuple[bytes, ...]:
    technician = session.get_one(Technician, booking.technician_id)
    customer = session.get_one(Customer, booking.customer_id)
    facts = event_facts(session, desk, booking, technician, explain)
    theirs = invite_event(invite_facts(session, desk, booking, customer.locale, LINK_PLACE))
    return (*event_bodies(facts), busy_bytes(facts), theirs)
