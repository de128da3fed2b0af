"""Answers to invitations as they are kept: by booking and invited address, the newest one, and never believed.

A mail can be forged by whoever knows the invitation. So an answer changes nothing but what is shown of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from scheduler.busy.conflicts import CONCERNED, dispatchers
from scheduler.calendars.itip import REQUEST
from scheduler.context import DeskContext
from scheduler.mailing import notices
from scheduler.replies.reading import Reply
from scheduler.store.models import Booking, InvitationAnswer, Notice

SHOWN = 50


class Outcome(Enum):
    """What became of a reply."""

    KEPT = "kept"
    OLDER = "older"
    """One that is as new or newer is kept already."""
    FOREIGN = "foreign"
    """No event of ours, or nobody whom we invited to it."""


@dataclass(frozen=True, slots=True)
class _Age:
    """What makes an answer newer: the version of the event it speaks of, then when it was given."""

    sequence: int
    stamped_at: datetime

    def is_after(self, row: InvitationAnswer) -> bool:
        return (self.sequence, self.stamped_at) > (row.sequence, row.stamped_at)


def keep(session: Session, desk: DeskContext, now: datetime, reply: Reply) -> Outcome:
    """Keep the answer if it is the newest of somebody we invited; a decline of a session to come is told once."""
    booking = session.scalars(select(Booking).where(Booking.uid == reply.uid)).one_or_none()
    invited = None if booking is None else _invited(session, booking.id, reply.attendee)
    if booking is None or invited is None:
        return Outcome.FOREIGN
    # A version that we never sent, or an instant to come, would shut out every later answer.
    age = _Age(min(reply.sequence, booking.sequence), min(reply.stamped_at, now.replace(microsecond=0)))
    row = _kept(session, booking.id, reply.attendee)
    if row is None:
        row = InvitationAnswer(booking_id=booking.id, address=reply.attendee)
        session.add(row)
    elif not age.is_after(row):
        return Outcome.OLDER
    row.name, row.answer, row.comment = invited.to_name, reply.answer, reply.comment
    row.sequence, row.stamped_at, row.received_at = age.sequence, age.stamped_at, now
    row.sender = reply.sender if reply.sender != reply.attendee else ""
    session.flush()
    if row.answer == "declined":
        _tell(session, desk, now, booking, row)
    return Outcome.KEPT


def answers_of(session: Session, booking_id: int) -> Sequence[InvitationAnswer]:
    """What those invited to the booking have answered, by name."""
    query = select(InvitationAnswer).where(InvitationAnswer.booking_id == booking_id)
    return session.scalars(query.order_by(InvitationAnswer.name, InvitationAnswer.id)).all()


def declines_of(session: Session, booking_ids: Sequence[int]) -> Sequence[InvitationAnswer]:
    """Who has declined any of these bookings as it stands now; a change since then has asked them anew."""
    query = (
        select(InvitationAnswer)
        .join(InvitationAnswer.booking)
        .where(
            InvitationAnswer.booking_id.in_(booking_ids),
            InvitationAnswer.answer == "declined",
            InvitationAnswer.sequence >= Booking.asked_sequence,
        )
        .order_by(InvitationAnswer.name, InvitationAnswer.id)
    )
    return session.scalars(query).all() if booking_ids else ()


def doubtful(session: Session, now: datetime) -> Sequence[InvitationAnswer]:
    """Answers other than yes about sessions to come that still stand as they were then, the next session first."""
    query = (
        select(InvitationAnswer)
        .join(InvitationAnswer.booking)
        .where(
            InvitationAnswer.answer != "accepted",
            InvitationAnswer.sequence >= Booking.asked_sequence,
            Booking.starts_at > now,
            Booking.status.in_(CONCERNED),
        )
        .order_by(Booking.starts_at, InvitationAnswer.id)
        .options(joinedload(InvitationAnswer.booking).joinedload(Booking.customer))
    )
    return session.scalars(query.limit(SHOWN)).all()


def _invited(session: Session, booking_id: int, address: str) -> Notice | None:
    """The last invitation to the booking that went to this address."""
    query = select(Notice).where(
        Notice.booking_id == booking_id,
        Notice.calendar_method == REQUEST,
        func.lower(Notice.to_address) == address,
    )
    return session.scalars(query.order_by(Notice.id.desc()).limit(1)).first()


def _kept(session: Session, booking_id: int, address: str) -> InvitationAnswer | None:
    query = select(InvitationAnswer).where(
        InvitationAnswer.booking_id == booking_id, InvitationAnswer.address == address
    )
    return session.scalars(query).one_or_none()


def _tell(
    session: Session, desk: DeskContext, now: datetime, booking: Booking, row: InvitationAnswer
) -> None:
    """One mail to each dispatcher, once for each hour that was asked about.

    What was commented stays on our page: a stranger's sentence, perhaps with a link, would go out in our name.
    """
    if booking.status not in CONCERNED or booking.starts_at <= now or row.sequence < booking.asked_sequence:
        return
    for reader in dispatchers(session, desk):
        facts = notices.booking_facts(desk, booking, reader.locale)
        facts |= {"who": row.name, "sender": row.sender}
        facts["link"] = f"{desk.installation.link_base}/s/{booking.id}"
        key = f"declined:{row.id}:{booking.asked_sequence}:{reader.address}"
        notices.write(session, desk, now, key, "declined", reader, facts, booking_id=booking.id)
