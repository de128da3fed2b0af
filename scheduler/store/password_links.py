"""One-time links by which people of the desk set their password."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.store.base import Base


class PasswordLink(Base):
    """A mailed link to set one's own password; only the hash of its token is kept."""

    __tablename__ = "password_link"
    __table_args__ = (Index("ix_password_link_technician_id", "technician_id"), {"sqlite_strict": True})

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
