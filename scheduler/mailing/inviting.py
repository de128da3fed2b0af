"""Who gets an invitation with a mail, so that no intervention is in a calendar twice and none goes stale.

Whose calendar program reads one of our calendars sees the change there; an invitation beside it would be the
same event a second time. But who was once invited to a booking is told of every later change of it: that copy
is kept by nobody else.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, null, or_, select, union_all
from sqlalchemy.orm import Session

from scheduler.calendars.itip import CANCEL, REQUEST, Party, customer_itip, technician_itip
from scheduler.context import DeskContext
from scheduler.store.models import AppPassword, Booking, Contact, FeedSecret, Notice, Technician

READS = timedelta(days=3)
"""A calendar not asked for in so long is not relied upon: the slowest programs ask once a day."""
METHODS = {
    "confirmed": REQUEST,
    "moved": REQUEST,
    "cancelled": CANCEL,
    "refused": CANCEL,
    "released": CANCEL,
    "undecided": CANCEL,
}
"""What happened to a booking and the method that says it; nothing else is an invitation's matter."""

Invitation = tuple[str, bytes]
"""Method and calendar object."""
Reading = tuple[str, int]
"""Who reads a calendar: "contact" or "technician", and the id."""


class Invitations:
    """Who gets an invitation with the mail about one change of a booking; the store is asked once for all of them."""

    def __init__(
        self, session: Session, desk: DeskContext, now: datetime, booking: Booking, what: str
    ) -> None:
        """Of a booking to which `what` (a key of METHODS, or anything else) just happened."""
        self._session, self._desk, self._booking = session, desk, booking
        self._method = METHODS.get(what)
        # What was inserted in this very transaction was told to nobody yet.
        told = self._method is not None and not (what == "confirmed" and booking.rev == 1)
        self._invited = _invited(session, booking.id) if told else frozenset()
        self._readers = _readers(session, now, booking) if self._method == REQUEST else frozenset()

    def for_contact(self, contact: Contact) -> Invitation | None:
        """The invitation for a customer's person, or None where their calendar shows it without."""
        method = self._for(contact.email, ("contact", contact.id))
        if method is None:
            return None
        reader, locale = Party(contact.name, contact.email), self._booking.customer.locale
        return method, customer_itip(self._session, self._desk, self._booking, method, reader, locale)

    def for_technician(self, technician: Technician, left: bool = False) -> Invitation | None:
        """The same for a technician; `left`: it was theirs and is so no more."""
        method = self._for(technician.email, ("technician", technician.id), left)
        if method is None:
            return None
        return method, technician_itip(self._session, self._desk, self._booking, method, technician)

    def _for(self, address: str, who: Reading, left: bool = False) -> str | None:
        if self._method is None:
            return None
        invited = address in self._invited
        if left or self._method == CANCEL:
            return CANCEL if invited else None
        return REQUEST if invited or who not in self._readers else None


_ASKED = select(Notice.to_address).where(
    Notice.booking_id == bindparam("booking"), Notice.calendar_method == REQUEST
)
_OWN = and_(
    FeedSecret.technician_id == bindparam("technician"), FeedSecret.scope.in_(("interventions", "slots"))
)
_READ: Any = union_all(
    select(FeedSecret.contact_id, FeedSecret.technician_id).where(
        or_(_OWN, FeedSecret.contact_id.in_(bindparam("contacts", expanding=True))),
        FeedSecret.revoked_at.is_(None),
        FeedSecret.last_read_at > bindparam("since"),
    ),
    select(null(), AppPassword.technician_id).where(
        AppPassword.technician_id == bindparam("technician"),
        AppPassword.revoked_at.is_(None),
        AppPassword.last_used_at > bindparam("since"),
    ),
)


def _invited(session: Session, booking_id: int) -> frozenset[str]:
    """The addresses that were asked to take this booking into their calendars."""
    return frozenset(session.scalars(_ASKED, {"booking": booking_id}))


def _readers(session: Session, now: datetime, booking: Booking) -> frozenset[Reading]:
    """Whose programs read a calendar of ours that shows this booking."""
    asked = {
        "technician": booking.technician_id,
        "contacts": [contact.id for contact in booking.customer.contacts],
        "since": now - READS,
    }
    rows: Iterable[Any] = session.execute(_READ, asked)
    return frozenset(
        ("contact", contact) if contact is not None else ("technician", technician)
        for contact, technician in rows
    )
