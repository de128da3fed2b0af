"""What calendar programs that sign in need: a password per device, and what left a calendar."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.people import Technician


class AppPassword(Base):
    """A password for one device's calendar program; only its hash is kept, and it opens nothing else."""

    __tablename__ = "app_password"
    __table_args__ = (Index("ix_app_password_technician_id", "technician_id"), {"sqlite_strict": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    secret_hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    """What its owner calls the device."""
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_client: Mapped[str | None]

    technician: Mapped[Technician] = relationship()


class CalendarTombstone(Base):
    """An event that a technician's calendar no longer has, because another technician took it over."""

    __tablename__ = "calendar_tombstone"
    __table_args__ = (
        Index("ix_calendar_tombstone_left_at", "left_at"),
        {"sqlite_strict": True},
    )

    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    calendar_rev: Mapped[int]
    """The revision of the technician's calendar with which the event left it."""
    left_at: Mapped[datetime]
