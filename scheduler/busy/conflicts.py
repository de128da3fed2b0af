"""Interventions at a time in which their technician is busy elsewhere: found, and told to the dispatchers once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.mailing import notices
from scheduler.store.models import Booking, BusyTime, Technician

CONCERNED = ("pending", "confirmed", "in_session")


def conflicts_of(session: Session, technician_id: int, now: datetime) -> Sequence[Booking]:
    """Coming interventions of the technician that overlap a busy time, by start.

    Not those that were booked with a written reason when the busy time was known: somebody decided that.
    """
    return session.scalars(
        select(Booking)
        .where(
            Booking.technician_id == technician_id,
            Booking.starts_at > now,
            Booking.status.in_(CONCERNED),
            select(BusyTime.id)
            .where(
                BusyTime.technician_id == technician_id,
                BusyTime.starts_at < Booking.ends_at,
                BusyTime.ends_at > Booking.starts_at,
                or_(Booking.override_reason.is_(None), BusyTime.seen_at > Booking.requested_at),
            )
            .exists(),
        )
        .order_by(Booking.starts_at)
    ).all()


def tell(session: Session, desk: DeskContext, now: datetime, technician_id: int) -> None:
    """Write one mail to each dispatcher for each conflict; the same conflict is never told twice.

    A conflict is an intervention at its revision: moved into another busy time, it is a new one.
    """
    for booking in conflicts_of(session, technician_id, now):
        for reader in dispatchers(session, desk):
            facts = notices.booking_facts(desk, booking, reader.locale)
            facts["link"] = f"{desk.installation.link_base}/s/{booking.id}"
            key = f"busy:{booking.id}:{booking.rev}:{reader.address}"
            notices.write(session, desk, now, key, "busy_conflict", reader, facts, booking_id=booking.id)


def dispatchers(session: Session, desk: DeskContext) -> list[notices.Reader]:
    """Who decides what moves: the active dispatchers; the desk's own address where there is none."""
    people = session.scalars(
        select(Technician)
        .where(Technician.role == "dispatcher", Technician.active == True)  # noqa: E712
        .order_by(Technician.id)
    )
    readers = [notices.Reader(person.name, person.email, person.locale) for person in people]
    return readers or [notices.Reader(desk.name, desk.email, "es")]
