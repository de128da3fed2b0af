"""What the desk decided on bookings that wait for its approval."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.bookings import Booking
from scheduler.store.columns import one_of


class BookingDecision(Base):
    """The one decision on a booking that was asked for; a pending booking has none yet."""

    __tablename__ = "booking_decision"
    __table_args__ = (
        CheckConstraint(one_of("outcome", "approved", "refused", "undecided"), name="outcome"),
        {"sqlite_strict": True},
    )

    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), primary_key=True, autoincrement=False)
    outcome: Mapped[str]
    """undecided: nobody decided in time, and the conditions let the hour go."""
    reason: Mapped[str]
    """Mailed to the customer when refused; empty otherwise."""
    decided_at: Mapped[datetime]
    decided_by: Mapped[str]

    booking: Mapped[Booking] = relationship()
