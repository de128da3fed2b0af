"""Pictures of customers' screens: few, small and for a few days."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.store.base import Base
from scheduler.store.columns import one_of

LARGEST = 300_000


class Picture(Base):
    """What a check saw on the screen behind a door, as a PNG; goes with its check and with its door.

    Neither backups nor copies of the desk carry these rows: they must not outlive the days they are kept for.
    """

    __tablename__ = "picture"
    __table_args__ = (
        CheckConstraint(f"length(png) BETWEEN 1 AND {LARGEST}", name="png"),
        CheckConstraint(one_of("look", "", "black", "uniform"), name="look"),
        Index("ix_picture_access_point_id", "access_point_id", "taken_at"),
        Index("ix_picture_taken_at", "taken_at"),
        {"sqlite_strict": True},
    )

    check_id: Mapped[int] = mapped_column(
        ForeignKey("access_check.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    access_point_id: Mapped[int] = mapped_column(ForeignKey("access_point.id", ondelete="CASCADE"))
    taken_at: Mapped[datetime]
    width: Mapped[int]
    height: Mapped[int]
    look: Mapped[str]
    """Empty, or black or uniform where there is nothing to see."""
    png: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """At most LARGEST bytes; read only where the picture itself is sent."""
