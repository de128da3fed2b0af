"""The answer to an offered slot: taken or left, by the mailed link alone, once, and only while it is kept."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.bookings.booking import book, release_holds
from scheduler.context import DeskContext
from scheduler.links import token_hash
from scheduler.rules.refusals import NotFound, OfferClosed
from scheduler.store.models import Booking, SlotOffer, WaitingEntry
from scheduler.waiting.closing import close_entry, close_offer, holder
from scheduler.waiting.joining import find, leave
from scheduler.waiting.offering import request_of
from scheduler.waiting.telling import entry_of_token


def offer_of(session: Session, token: str) -> SlotOffer:
    """The offer of this link. Raises NotFound for any other text."""
    offer = session.scalar(select(SlotOffer).where(SlotOffer.token_hash == token_hash(token)))
    if offer is None:
        raise NotFound("offer")
    return offer


def state_at(offer: SlotOffer, now: datetime) -> str:
    """Where the offer stands now; one whose time has passed is expired before anybody notes it."""
    return "expired" if offer.state == "open" and offer.expires_at <= now else offer.state


def accept(session: Session, desk: DeskContext, now: datetime, offer: SlotOffer) -> Booking:
    """Book the slot that is kept; it is let go and booked in this one transaction, so that nobody comes between.

    Raises OfferClosed, and what `booking.book` raises where the right or the conditions no longer allow it; then the
    slot stays kept until its time is over.
    """
    entry, held = offer.entry, offer.held
    _close(session, now, offer, "accepted")
    release_holds(session, now, holder(entry))
    actor = _person(entry)
    booking = book(session, desk, now, actor, request_of(entry, held.starts_at, held.technician_id))
    offer.booking_id = booking.id
    close_entry(session, now, entry, "booked", actor)
    _audit(session, desk, now, entry, "waiting.accept", booking=booking.id)
    return booking


def decline(session: Session, desk: DeskContext, now: datetime, offer: SlotOffer) -> None:
    """Leave the slot to the next in the queue, and go on waiting for another. Raises OfferClosed."""
    entry = offer.entry
    _close(session, now, offer, "declined")
    release_holds(session, now, holder(entry))
    _audit(session, desk, now, entry, "waiting.decline", starts_at=offer.held.starts_at.isoformat())


def leave_by_link(session: Session, desk: DeskContext, now: datetime, token: str) -> WaitingEntry:
    """Leave the list by the link under each offer. Raises NotFound for any other text."""
    entry = entry_by_link(session, desk, token)
    return leave(session, desk, now, _person(entry), entry.id)


def entry_by_link(session: Session, desk: DeskContext, token: str) -> WaitingEntry:
    """Whose place in the queue the link is about. Raises NotFound."""
    entry_id = entry_of_token(desk.installation, token)
    if entry_id is None:
        raise NotFound("waiting_entry")
    return find(session, entry_id)


def _close(session: Session, now: datetime, offer: SlotOffer, state: str) -> None:
    if not close_offer(session, now, offer, state):
        raise OfferClosed(state_at(offer, now))


def _person(entry: WaitingEntry) -> Actor:
    """Who acts by the link: the one it was mailed to, or somebody of the customer."""
    name = entry.contact.name if entry.contact else "link"
    return Actor("customer", entry.contact_id or 0, name, entry.customer_id)


def _audit(
    session: Session, desk: DeskContext, now: datetime, entry: WaitingEntry, action: str, **facts: object
) -> None:
    audit.record(session, desk.installation, now, _person(entry), action, f"waiting:{entry.id}", **facts)
