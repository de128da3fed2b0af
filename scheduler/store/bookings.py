"""What is agreed: entitlements with their hour ledger, bookings, RMAs and idempotency keys."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.columns import by_dialect, one_of
from scheduler.store.people import Customer, Technician
from scheduler.store.systems import AccessPoint, System

LIVE_STATUSES = ("held", "pending", "confirmed", "in_session")
"""Statuses in which a booking occupies its technician; the database guards exactly these."""

HELD = text("booking.status = 'held'")
"""Says "held" in the words of the index of holds: with a parameter, a query would read every booking instead."""

LENGTH_SQLITE = "ends_at - starts_at <= 86400"
LENGTH_POSTGRESQL = "ends_at <= starts_at + interval '24 hours'"
"""The overlap guard looks back no further than a booking can last."""

LEAD_SQLITE = "earliest_at >= requested_at + lead_minutes * 60 OR override_reason IS NOT NULL"
LEAD_POSTGRESQL = (
    "earliest_at >= requested_at + lead_minutes * interval '1 minute' OR override_reason IS NOT NULL"
)
"""Attention hours are never fewer than elapsed ones, so this holds however the lead is counted."""


class Entitlement(Base):
    """A right to interventions; `balance_minutes` is kept by trigger as the sum of the ledger."""

    __tablename__ = "entitlement"
    __table_args__ = (
        CheckConstraint(one_of("kind", "purchase", "hours", "maintenance", "reseller"), name="kind"),
        CheckConstraint("balance_minutes >= 0", name="balance"),
        Index("ix_entitlement_customer_id", "customer_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[str]
    metered: Mapped[bool]
    """True: interventions consume minutes of the balance."""
    balance_minutes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    """Last day that counts, in the desk's zone; None: no end."""
    serial: Mapped[str | None]
    invoice: Mapped[str | None]
    bought_on: Mapped[date | None]
    purchases_cents: Mapped[int | None]
    """Resellers: purchases in euro cents."""
    contract_on: Mapped[date | None]
    created_at: Mapped[datetime]

    customer: Mapped[Customer] = relationship()


class LedgerEntry(Base):
    """One movement of an entitlement's minutes; append-only."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint(one_of("reason", "grant", "hold", "consume", "release", "reverse"), name="reason"),
        CheckConstraint(
            "(reason IN ('grant', 'release', 'reverse') AND minutes > 0)"
            " OR (reason IN ('hold', 'consume') AND minutes < 0)",
            name="sign",
        ),
        UniqueConstraint("booking_id", "reason", "round"),
        Index("ix_ledger_entry_entitlement_id", "entitlement_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"))
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    reason: Mapped[str]
    minutes: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[str]
    """Who moved it: "customer:3", "technician:2", "system"."""
    round: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    """Which closing of the booking it belongs to: an undo begins the next one, so that in each round a booking
    holds, consumes, releases and reverses at most once."""


class CloseOut(Base):
    """One closing of a session, done or missed; an undo marks it and the next closing is another row."""

    __tablename__ = "close_out"
    __table_args__ = (
        CheckConstraint(one_of("status", "done", "no_show"), name="status"),
        CheckConstraint("minutes_used >= 0", name="minutes_used"),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
        UniqueConstraint("booking_id", "round"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    round: Mapped[int]
    status: Mapped[str]
    minutes_used: Mapped[int]
    note: Mapped[str]
    follow_up_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    """The session booked with it to go on."""
    closed_at: Mapped[datetime]
    closed_by: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class LedgerNote(Base):
    """Why a dispatcher corrected the ledger: the reason of one entry without booking; append-only like the entry."""

    __tablename__ = "ledger_note"
    __table_args__ = (CheckConstraint("length(text) >= 5", name="text"), {"sqlite_strict": True})

    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), primary_key=True)
    text: Mapped[str]


class Booking(Base):
    """One intervention window [starts_at, ends_at) of one technician; the row is the arbiter of the slot."""

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint(
            one_of("status", *LIVE_STATUSES, "done", "no_show", "cancelled", "expired"),
            name="status",
        ),
        CheckConstraint(one_of("lead_counted", "attention", "elapsed"), name="lead_counted"),
        CheckConstraint("lead_minutes >= 0", name="lead_minutes"),
        CheckConstraint("ends_at > starts_at", name="order"),
        *by_dialect("length", sqlite=LENGTH_SQLITE, postgresql=LENGTH_POSTGRESQL),
        CheckConstraint("starts_at >= earliest_at OR override_reason IS NOT NULL", name="lead_time"),
        *by_dialect("lead_counted_from", sqlite=LEAD_SQLITE, postgresql=LEAD_POSTGRESQL),
        CheckConstraint("override_reason IS NULL OR length(override_reason) >= 10", name="override_reason"),
        CheckConstraint("status <> 'held' OR held_until IS NOT NULL", name="held_until"),
        CheckConstraint(one_of("verdict", "ready", "at_risk", "not_ready", "unknown"), name="verdict"),
        Index("ix_booking_customer_id_starts_at", "customer_id", "starts_at"),
        Index("ix_booking_technician_id_starts_at", "technician_id", "starts_at"),
        Index(
            "ix_booking_live",
            "technician_id",
            "starts_at",
            "ends_at",
            sqlite_where=text(one_of("status", *LIVE_STATUSES)),
            postgresql_where=text(one_of("status", *LIVE_STATUSES)),
        ),
        Index(
            "ix_booking_held",
            "technician_id",
            sqlite_where=text("status = 'held'"),
            postgresql_where=text("status = 'held'"),
        ),
        Index(
            "ix_booking_pending",
            "starts_at",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    """Calendar UID, stored once: "<uuid>@<desk domain>"."""
    link_hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the management link's token."""
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id"))
    access_point_id: Mapped[int] = mapped_column(ForeignKey("access_point.id"))
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    wall_start: Mapped[str]
    """What the person chose, as local ISO time, so that a changed zone rule can be seen and recomputed."""
    wall_zone: Mapped[str]
    status: Mapped[str]
    held_until: Mapped[datetime | None]
    rev: Mapped[int] = mapped_column(default=1)
    """Grows with every change; every write compares it."""
    sequence: Mapped[int] = mapped_column(default=0)
    """iCalendar SEQUENCE (RFC 5545 §3.8.7.4)."""
    asked_sequence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """The sequence of the last move: answers to an earlier one are about another hour. A light asks nobody anew."""
    requested_at: Mapped[datetime]
    lead_minutes: Mapped[int]
    lead_counted: Mapped[str]
    """How the lead minutes were counted: attention or elapsed.

    With both, the earliest moment is never before requested_at + lead_minutes.
    """
    earliest_at: Mapped[datetime]
    override_reason: Mapped[str | None]
    topic: Mapped[str | None]
    description: Mapped[str]
    verdict: Mapped[str] = mapped_column(default="unknown")
    verdict_code: Mapped[str | None]
    checked_at: Mapped[datetime | None]
    session_started_at: Mapped[datetime | None]
    session_note: Mapped[str | None]
    minutes_used: Mapped[int | None]
    changed_at: Mapped[datetime]
    """Strictly increasing on every visible change; DTSTAMP and LAST-MODIFIED of the calendar."""
    created_by: Mapped[str]

    customer: Mapped[Customer] = relationship()
    system: Mapped[System] = relationship()
    access_point: Mapped[AccessPoint] = relationship()
    technician: Mapped[Technician] = relationship()
    entitlement: Mapped[Entitlement] = relationship()


class CalendarObject(Base):
    """The serialised VEVENTs of one booking, written in the transaction that changes it."""

    __tablename__ = "calendar_object"
    __table_args__ = (
        Index("ix_calendar_object_technician_id_ends_at", "technician_id", "ends_at"),
        Index("ix_calendar_object_technician_id_calendar_rev", "technician_id", "calendar_rev"),
        Index("ix_calendar_object_ends_at", "ends_at"),
        {"sqlite_strict": True},
    )

    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), primary_key=True)
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    leaves_at: Mapped[datetime | None]
    """A cancelled event stays seven days, then leaves the feed."""
    zone: Mapped[str]
    """TZID used by the VEVENT: which VTIMEZONE the feed must carry."""
    rev: Mapped[int]
    calendar_rev: Mapped[int] = mapped_column(server_default=text("0"))
    """The revision of the technician's calendar with which it was last written; 0 before revisions were kept."""
    vevent: Mapped[bytes] = mapped_column(LargeBinary)
    vevent_with_host: Mapped[bytes] = mapped_column(LargeBinary)
    vevent_busy: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Time and state without a word about whom; None until rewritten, where an earlier version wrote the row."""
    vevent_customer: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What the customer's calendar says, in their zone; the link in it is put in when it is read."""
    serialiser: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    """The version that wrote the bytes."""


class IdempotencyKey(Base):
    """The answer given to a creating request, so that a retry gets the same and books once."""

    __tablename__ = "idempotency_key"
    __table_args__ = ({"sqlite_strict": True},)

    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    created_at: Mapped[datetime]


class Rma(Base):
    """A return of a faulty device in warranty."""

    __tablename__ = "rma"
    __table_args__ = (
        CheckConstraint(
            one_of(
                "state",
                "requested",
                "document_sent",
                "verified",
                "resolved_remotely",
                "code_issued",
                "received",
                "closed",
            ),
            name="state",
        ),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    serial: Mapped[str]
    invoice: Mapped[str | None]
    symptoms: Mapped[str]
    state: Mapped[str]
    code: Mapped[str | None] = mapped_column(unique=True)
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
