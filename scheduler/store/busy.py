"""Technicians' own calendars coming in: where they are read from, and the times in which they keep somebody busy."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.people import Technician


class BusyCalendar(Base):
    """A calendar of a technician elsewhere, read every quarter of an hour."""

    __tablename__ = "busy_calendar"
    __table_args__ = (
        Index("ix_busy_calendar_technician_id", "technician_id"),
        Index("ix_busy_calendar_due_at", "due_at"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    host: Mapped[str]
    """All that is shown of the address: whoever has the whole one reads the calendar."""
    address: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed by the vault."""
    address_gen: Mapped[int] = mapped_column(default=1)
    rev: Mapped[int] = mapped_column(default=1)
    """Grows when somebody asks to read it now; a reading under way for an older one records nothing."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When it is read next."""
    tried_at: Mapped[datetime | None]
    good_at: Mapped[datetime | None]
    """When the busy times that are kept were last confirmed by the far end."""
    known_until: Mapped[datetime | None]
    """How far ahead they were worked out; an unchanged calendar is read anew before the horizon passes it."""
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    problem: Mapped[str | None]
    """Stable code of why the last try failed; None: it did not."""
    problem_facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    failures: Mapped[int] = mapped_column(default=0)
    """Failed tries in a row."""

    technician: Mapped[Technician] = relationship()


class BusyTime(Base):
    """A time in which a technician's own calendar keeps them busy: when, and nothing else."""

    __tablename__ = "busy_time"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        Index("ix_busy_time_technician_id_ends_at", "technician_id", "ends_at"),
        Index("ix_busy_time_calendar_id", "calendar_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar_id: Mapped[int] = mapped_column(ForeignKey("busy_calendar.id"))
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """When we first knew: who booked over it later, with a reason, did so knowingly."""
