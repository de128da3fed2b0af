"""How entries and offers end: by compare-and-swap, so that of several who try only one succeeds."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.bookings.booking import release_holds
from scheduler.store.models import SlotOffer, WaitingEntry


def holder(entry: WaitingEntry) -> Actor:
    """In whose name a slot is kept for the entry."""
    return Actor("waiting", entry.id, "waiting list", entry.customer_id)


def close_entry(
    session: Session, now: datetime, entry: WaitingEntry, state: str, actor: Actor, reason: str | None = None
) -> bool:
    """End the wait with this state; False, and nothing written, when it had ended before."""
    ended = session.execute(
        update(WaitingEntry)
        .where(WaitingEntry.id == entry.id, WaitingEntry.state == "waiting")
        .values(state=state, closed_at=now, closed_by=str(actor), reason=reason)
        .returning(WaitingEntry.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.refresh(entry)
    return ended is not None


def close_offer(session: Session, now: datetime, offer: SlotOffer, state: str) -> bool:
    """Take the answer to an open offer; False when it has one or its time has passed, which alone lets it expire."""
    statement = update(SlotOffer).where(SlotOffer.id == offer.id, SlotOffer.state == "open")
    if state in ("accepted", "declined"):
        statement = statement.where(SlotOffer.expires_at > now)
    swapped = session.execute(
        statement.values(state=state, answered_at=now)
        .returning(SlotOffer.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.refresh(offer)
    return swapped is not None


def withdraw(session: Session, now: datetime, entry: WaitingEntry) -> None:
    """Let go of the slot that is kept for an entry which has left the list."""
    query = select(SlotOffer).where(SlotOffer.entry_id == entry.id, SlotOffer.state == "open")
    for offer in session.scalars(query):
        close_offer(session, now, offer, "withdrawn")
    release_holds(session, now, holder(entry))
