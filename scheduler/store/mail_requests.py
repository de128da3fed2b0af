"""What customers ask by mail instead of in a session, with the file they send along."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.bookings import Entitlement
from scheduler.store.people import Customer


class MailRequest(Base):
    """One question of a customer to the desk, under the free support of a purchase."""

    __tablename__ = "mail_request"
    __table_args__ = (
        CheckConstraint("(file_name IS NULL) = (file_content IS NULL)", name="file"),
        CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered"),
        Index("ix_mail_request_customer_id", "customer_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), unique=True)
    """The mail to the desk that carries it; the outbox takes file and return address from here."""
    serial: Mapped[str]
    invoice: Mapped[str | None]
    topic: Mapped[str]
    """A code of the conditions in force when it was asked."""
    text: Mapped[str]
    from_name: Mapped[str]
    from_address: Mapped[str]
    """Where the desk answers to; kept apart from the contact, who may leave."""
    file_name: Mapped[str | None]
    file_bytes: Mapped[int]
    """The file's size; 0 without one. Lists say it without reading the content."""
    file_content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]

    customer: Mapped[Customer] = relationship()
    entitlement: Mapped[Entitlement] = relationship()
