"""Who outside is told what happens, and what is still to be told."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.columns import one_of


class Webhook(Base):
    """An address of another program that is told of events."""

    __tablename__ = "webhook"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed by the vault: what the receiver checks our signature with."""
    secret_gen: Mapped[int] = mapped_column(default=1)
    events: Mapped[list[Any]]
    """Names of events; empty: all of them."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When a dispatcher removed it, or its receiver answered 410 Gone."""


class WebhookDelivery(Base):
    """One event for one webhook; unique by key, so that a rerun cannot tell it twice under two ids."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint(one_of("state", "waiting", "sent", "dead"), name="state"),
        Index(
            "ix_webhook_delivery_due_at",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_webhook_delivery_webhook_id", "webhook_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    key: Mapped[str] = mapped_column(unique=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    """What the receiver tells repetitions by."""
    event: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]

    webhook: Mapped[Webhook] = relationship()
