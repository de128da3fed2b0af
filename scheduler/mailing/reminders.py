"""Reminders 24 h and 2 h before a session: written when their moment comes, in the words of that moment.

They are not planned with the booking, since what they say (the light, the hour, the door) changes until then. Whoever
looks finds every session whose reminder is due and not yet written, so a moved one is reminded of anew and a service
that was down catches up; looking twice writes nothing twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from scheduler.clock import Clock
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.mailing import notices
from scheduler.mailing.unsubscribing import stop_url
from scheduler.rules.refusals import NotFound
from scheduler.rules.verdict import light
from scheduler.store.engines import write
from scheduler.store.models import Booking, Notice

STAGES = (("reminder_h2", timedelta(hours=2)), ("reminder_h24", timedelta(hours=24)))
"""The nearest first: at 1 h 50 before the start only that one is due, whatever was missed."""
JUST_BOOKED = timedelta(hours=1)
"""Who has booked or moved within this long before the moment has a fresh mail and needs no reminder."""


def write_due(factory: sessionmaker[Session], clock: Clock, installation: Installation) -> None:
    """Write every reminder that is due now. Safe to run in several processes at once."""
    now = clock()
    with write(factory) as session:
        try:
            desk = load_desk(session, installation)
        except NotFound:
            return  # no desk has been loaded yet
        nearer = timedelta(0)
        for kind, before in STAGES:
            for booking in _due(session, kind, now + nearer, now + before, before):
                _remind(session, desk, now, booking, kind)
            nearer = before


def _due(
    session: Session, kind: str, after: datetime, until: datetime, before: timedelta
) -> Sequence[Booking]:
    """Confirmed sessions that start in (after, until] and have not been reminded of this start."""
    rows = session.scalars(
        select(Booking).where(
            Booking.status == "confirmed", Booking.starts_at > after, Booking.starts_at <= until
        )
    ).all()
    waiting = [row for row in rows if _told_at(session, row) + JUST_BOOKED <= row.starts_at - before]
    written = set(
        session.scalars(
            select(Notice.key).where(
                Notice.kind == kind, Notice.booking_id.in_([row.id for row in waiting] or [0])
            )
        )
    )
    return [row for row in waiting if not any(key.startswith(_key(kind, row)) for key in written)]


def _told_at(session: Session, booking: Booking) -> datetime:
    """When the customer last got a mail with this start: booking it or moving it."""
    latest = session.scalar(
        select(Notice.created_at)
        .where(Notice.booking_id == booking.id, Notice.kind.in_(("confirmed", "moved")))
        .order_by(Notice.created_at.desc())
        .limit(1)
    )
    return latest or booking.requested_at


def _remind(session: Session, desk: DeskContext, now: datetime, booking: Booking, kind: str) -> None:
    locale = booking.customer.locale
    for contact in booking.customer.contacts:
        if not contact.reminders:
            continue
        reader = notices.Reader(contact.name, contact.email, locale)
        facts = notices.booking_facts(desk, booking, locale) | {"state": light(booking.verdict)}
        notices.write(
            session,
            desk,
            now,
            f"{_key(kind, booking)}{contact.email}",
            kind,
            reader,
            facts,
            booking_id=booking.id,
            stop_url=stop_url(desk.installation, contact.id),
        )


def _key(kind: str, booking: Booking) -> str:
    return f"{kind}:{booking.id}:{int(booking.starts_at.timestamp())}:"
