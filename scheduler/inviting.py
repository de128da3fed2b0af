"""Who gets an invitation with a mail, so that no intervention is in a calendar twice and none goes stale.

Whose calendar program reads one of our calendars sees the change there; an invitation beside it would be the
same event a second time. But who was once invited to a booking is told of every later change of it: that copy
is kept by nobody else.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from scheduler.calendars.itip import CANCEL, REQUEST, Party, customer_itip, technician_itip
from scheduler.context import DeskContext
from scheduler.store.models import AppPassword, Booking, Contact, FeedSecret, Notice, Technician

READS = timedelta(days=3)
"""A calendar not asked for in so long is not relied upon: the slowest programs ask once a day."""
METHODS = {"confirmed": REQUEST, "moved": REQUEST, "cancelled": CANCEL, "released": CANCEL, "left": CANCEL}
"""What happened to a booking and the method that says it; nothing else is an invitation's matter."""

Invitation = tuple[str, bytes]
"""Method and calendar object."""


def for_contact(
    session: Session, desk: DeskContext, now: datetime, booking: Booking, what: str, contact: Contact
) -> Invitation | None:
    """The invitation for a customer's person, or None where their calendar shows it without."""
    locale = booking.customer.locale
    method = _method(
        session, booking, what, contact.email, _reads(session, now, FeedSecret.contact_id == contact.id)
    )
    if method is None:
        return None
    reader = Party(contact.name, contact.email)
    return method, customer_itip(session, desk, booking, method, reader, locale)


def for_technician(
    session: Session, desk: DeskContext, now: datetime, booking: Booking, what: str, technician: Technician
) -> Invitation | None:
    """The invitation for a technician, or None where their calendar shows it without."""
    own = and_(FeedSecret.technician_id == technician.id, FeedSecret.scope.in_(("interventions", "slots")))
    reads = _reads(session, now, own) or _device_reads(session, now, technician.id)
    method = _method(session, booking, what, technician.email, reads)
    return None if method is None else (method, technician_itip(session, desk, booking, method, technician))


def _method(session: Session, booking: Booking, what: str, address: str, reads: bool) -> str | None:
    method = METHODS.get(what)
    if method is None:
        return None
    invited = _was_invited(session, booking.id, address)
    if method == CANCEL:
        return CANCEL if invited else None
    return REQUEST if invited or not reads else None


def _was_invited(session: Session, booking_id: int, address: str) -> bool:
    query = select(Notice.id).where(
        Notice.booking_id == booking_id, Notice.to_address == address, Notice.calendar_method == REQUEST
    )
    return session.scalars(query.limit(1)).first() is not None


def _reads(session: Session, now: datetime, whose: ColumnElement[bool]) -> bool:
    query = select(FeedSecret.id).where(
        whose,
        FeedSecret.revoked_at.is_(None),
        FeedSecret.last_read_at > now - READS,
    )
    return session.scalars(query.limit(1)).first() is not None


def _device_reads(session: Session, now: datetime, technician_id: int) -> bool:
    query = select(AppPassword.id).where(
        AppPassword.technician_id == technician_id,
        AppPassword.revoked_at.is_(None),
        AppPassword.last_used_at > now - READS,
    )
    return session.scalars(query.limit(1)).first() is not None
