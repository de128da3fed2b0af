"""What comes back to invitations: the mailbox that is read for it, and each invited person's last answer."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.bookings import Booking
from scheduler.store.columns import one_of

UNSIGNED = BigInteger().with_variant(Integer(), "sqlite")
"""IMAP's numbers have 32 bits without a sign; PostgreSQL's INTEGER has one."""


class ReplyInbox(Base):
    """How far the mailbox has been read, and how the last visit ended; one row."""

    __tablename__ = "reply_inbox"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"), {"sqlite_strict": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(default="")
    """User, server and folder: numbers of another mailbox mean nothing."""
    generation: Mapped[int] = mapped_column(UNSIGNED, default=0)
    """UIDVALIDITY (RFC 3501 §2.3.1.1)."""
    last_number: Mapped[int] = mapped_column(UNSIGNED, default=0)
    """UID of the last mail that was read."""
    visited_at: Mapped[datetime]
    good_at: Mapped[datetime | None]
    """The last visit that read all it wanted."""
    problem: Mapped[str | None]
    """Stable code of why the last visit failed; None: it did not."""
    reason: Mapped[str] = mapped_column(default="")


class InvitationAnswer(Base):
    """What an invited person's calendar program answered last: from a mail, so it may be forged."""

    __tablename__ = "invitation_answer"
    __table_args__ = (
        CheckConstraint(one_of("answer", "accepted", "declined", "tentative"), name="answer"),
        UniqueConstraint("booking_id", "address"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    address: Mapped[str]
    """The invited address, in lower case."""
    name: Mapped[str]
    """As we addressed the invitation, whatever the mail calls them."""
    answer: Mapped[str]
    sequence: Mapped[int]
    """The version of the event that was answered (SEQUENCE); before the booking's `asked_sequence`: another hour."""
    stamped_at: Mapped[datetime]
    """DTSTAMP: when the answer was given."""
    received_at: Mapped[datetime]
    comment: Mapped[str] = mapped_column(default="")
    sender: Mapped[str] = mapped_column(default="")
    """Who sent the mail, where it is not the invited address."""

    booking: Mapped[Booking] = relationship()
