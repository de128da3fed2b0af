"""What follows from a booking: checks and their steps, notices, feeds, audit, and who is working."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.bookings import Booking
from scheduler.store.columns import one_of
from scheduler.store.people import Contact, Technician
from scheduler.store.systems import AccessPoint


class Check(Base):
    """One try of a door: planned for a booking's stage, or asked for on demand.

    The table is called access_check because CHECK is a reserved word of SQL.
    """

    __tablename__ = "access_check"
    __table_args__ = (
        CheckConstraint(one_of("stage", "booked", "h24", "h8", "h2", "m30", "on_demand"), name="stage"),
        CheckConstraint(one_of("state", "planned", "running", "done", "dropped"), name="state"),
        CheckConstraint(one_of("verdict", "ready", "at_risk", "not_ready", "unknown"), name="verdict"),
        CheckConstraint("state <> 'done' OR finished_at IS NOT NULL", name="finished"),
        Index(
            "uq_access_check_booking_id_rev_stage",
            "booking_id",
            "rev",
            "stage",
            unique=True,
            sqlite_where=text("stage <> 'on_demand'"),
            postgresql_where=text("stage <> 'on_demand'"),
        ),
        Index(
            "ix_access_check_due_at",
            "due_at",
            sqlite_where=text("state IN ('planned', 'running')"),
            postgresql_where=text("state IN ('planned', 'running')"),
        ),
        Index(
            "ix_access_check_finished_at",
            "finished_at",
            sqlite_where=text("state = 'done'"),
            postgresql_where=text("state = 'done'"),
        ),
        Index("ix_access_check_access_point_id", "access_point_id", "finished_at"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    access_point_id: Mapped[int] = mapped_column(ForeignKey("access_point.id"))
    rev: Mapped[int]
    """The booking's rev it was planned for; a moved booking leaves it behind."""
    stage: Mapped[str]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="planned")
    verdict: Mapped[str] = mapped_column(default="unknown")
    code: Mapped[str | None]
    """The stable code of the first step that decided the verdict."""
    executor: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    requested_by: Mapped[str] = mapped_column(default="system")

    booking: Mapped[Booking | None] = relationship()
    access_point: Mapped[AccessPoint] = relationship()
    steps: Mapped[list["CheckStep"]] = relationship(order_by="CheckStep.position")


class CheckStep(Base):
    """One step of a check, as the probe reported it."""

    __tablename__ = "check_step"
    __table_args__ = (
        CheckConstraint(one_of("outcome", "ok", "warn", "fail", "skipped"), name="outcome"),
        {"sqlite_strict": True},
    )

    check_id: Mapped[int] = mapped_column(ForeignKey("access_check.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    outcome: Mapped[str]
    code: Mapped[str | None]
    facts: Mapped[dict[str, Any]]
    ms: Mapped[int | None]


class Notice(Base):
    """One mail to one person; unique by key, so that a rerun cannot write it twice."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(one_of("state", "waiting", "sent", "dead"), name="state"),
        Index("ix_notice_booking_id", "booking_id"),
        Index(
            "ix_notice_due_at",
            "due_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    to_name: Mapped[str]
    to_address: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    attachment: Mapped[bytes | None] = mapped_column(LargeBinary)
    """An .ics file, where the notice carries one."""
    calendar_method: Mapped[str | None]
    """REQUEST or CANCEL: the attachment is an invitation (RFC 6047) and is sent as one."""
    message_id: Mapped[str] = mapped_column(unique=True)
    stop_url: Mapped[str | None]
    """Where the reader ends mails of this kind, for those that they may do without."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]


class FeedSecret(Base):
    """A calendar address with its settings; only the hash of its secret is kept."""

    __tablename__ = "feed_secret"
    __table_args__ = (
        CheckConstraint(
            one_of("scope", "interventions", "slots", "team", "customer", "freebusy"), name="scope"
        ),
        CheckConstraint(one_of("detail", "busy", "full", "host"), name="detail"),
        CheckConstraint("alarm_minutes BETWEEN 0 AND 1440", name="alarm_minutes"),
        CheckConstraint("(technician_id IS NULL) <> (contact_id IS NULL)", name="one_owner"),
        CheckConstraint("(contact_id IS NULL) = (scope <> 'customer')", name="owner_of_scope"),
        Index("ix_feed_secret_technician_id", "technician_id"),
        Index("ix_feed_secret_contact_id", "contact_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    """The customer's person who made it; the calendar is the whole customer's, and ends with the person."""
    secret_hash: Mapped[str] = mapped_column(unique=True)
    scope: Mapped[str]
    detail: Mapped[str] = mapped_column(default="full")
    """busy: only that something is there; full: without host and port; host: with them."""
    alarm_minutes: Mapped[int | None]
    """The client reminds so long before the start; None: it does not."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    """When the settings changed, which changes the body as much as a booking does."""
    revoked_at: Mapped[datetime | None]
    last_read_at: Mapped[datetime | None]
    last_reader: Mapped[str | None]
    left_out: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Events that did not fit the last time it was built."""

    technician: Mapped[Technician | None] = relationship()
    contact: Mapped[Contact | None] = relationship()


class AuditEntry(Base):
    """Who did what, chained by HMAC so that tampering shows; append-only."""

    __tablename__ = "audit_entry"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    facts: Mapped[dict[str, Any]]
    chain: Mapped[bytes] = mapped_column(LargeBinary)


class Worker(Base):
    """A live executor's heartbeat; one silent for 30 s is presumed dead and its work resumed."""

    __tablename__ = "worker"
    __table_args__ = ({"sqlite_strict": True},)

    executor: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
