"""Who waits for a slot that comes free, and which slot was offered to whom."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.bookings import Booking, Entitlement
from scheduler.store.columns import one_of
from scheduler.store.people import Contact, Customer, Technician
from scheduler.store.systems import AccessPoint

_WAITING = text("state = 'waiting'")
_OPEN = text("state = 'open'")


class WaitingEntry(Base):
    """One wish on the waiting list: any slot of this length inside [from_at, until_at); asked in order of joining."""

    __tablename__ = "waiting_entry"
    __table_args__ = (
        CheckConstraint(
            one_of("state", "waiting", "booked", "left", "removed", "ended", "unanswered"), name="state"
        ),
        CheckConstraint("until_at > from_at", name="range"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("(state = 'waiting') = (closed_at IS NULL)", name="closed"),
        Index("ix_waiting_entry_customer_id", "customer_id"),
        Index(
            "uq_waiting_entry_open",
            "access_point_id",
            "from_at",
            "until_at",
            unique=True,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    """Also the place in the queue among those who joined in the same second."""
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id", ondelete="SET NULL"))
    """Who joined and is written to; None once they have gone, and then all of the customer's people are."""
    access_point_id: Mapped[int] = mapped_column(ForeignKey("access_point.id"))
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"))
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id", ondelete="SET NULL"))
    """The only one who may take it; None: whoever is free."""
    topic: Mapped[str | None]
    description: Mapped[str]
    minutes: Mapped[int]
    zone: Mapped[str]
    """On whose clock the range was chosen and the offers are said."""
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="waiting")
    """ended: nothing of the range can be had any more; unanswered: too many offers passed without a word."""
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    reason: Mapped[str | None]
    """What a dispatcher wrote who removed it."""

    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship()
    access_point: Mapped[AccessPoint] = relationship()
    entitlement: Mapped[Entitlement] = relationship()
    technician: Mapped[Technician | None] = relationship()


class SlotOffer(Base):
    """A slot kept for one entry until it is answered; only the hash of the mailed link's token is here."""

    __tablename__ = "slot_offer"
    __table_args__ = (
        CheckConstraint(
            one_of("state", "open", "accepted", "declined", "expired", "withdrawn"), name="state"
        ),
        CheckConstraint("state = 'accepted' OR booking_id IS NULL", name="booking"),
        CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answered"),
        Index("uq_slot_offer_open", "entry_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_slot_offer_entry_id", "entry_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("waiting_entry.id"))
    held_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), unique=True)
    """The held booking that keeps the slot, and says which slot it was."""
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"), unique=True)
    """What it became."""
    token_hash: Mapped[str] = mapped_column(unique=True)
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    """withdrawn: the entry left the list while it was open."""
    answered_at: Mapped[datetime | None]
    """When it was answered, or found unanswered."""

    entry: Mapped[WaitingEntry] = relationship()
    held: Mapped[Booking] = relationship(foreign_keys=[held_id])
    booking: Mapped[Booking | None] = relationship(foreign_keys=[booking_id])
