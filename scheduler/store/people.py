"""Who there is: the desk, its customers and contacts, its technicians, and how they sign in."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from scheduler.rules.text import search_key
from scheduler.store.base import Base
from scheduler.store.columns import one_of


class Desk(Base):
    """The one support desk of this installation."""

    __tablename__ = "desk"
    __table_args__ = (CheckConstraint("id = 1", name="single"), {"sqlite_strict": True})

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str]
    zone: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str]
    reseller_phone: Mapped[str]
    source_address: Mapped[str]
    """The address our probes and technicians come from; customers open their firewall to it."""
    domain: Mapped[str]
    """Right-hand side of calendar UIDs and Message-IDs; set once, never changed."""
    weekly_hours: Mapped[dict[str, Any]]
    """ISO weekday "1".."7" → list of ["HH:MM", "HH:MM"] in `zone`."""
    holiday_country: Mapped[str]
    holiday_region: Mapped[str | None]
    own_holidays: Mapped[list[Any]]
    """Extra closed days as [ISO date, name]."""


class Technician(Base):
    """Someone of the desk: gives interventions; a dispatcher also books for customers."""

    __tablename__ = "technician"
    __table_args__ = (
        CheckConstraint(one_of("role", "technician", "dispatcher"), name="role"),
        CheckConstraint("buffer_minutes BETWEEN 0 AND 240", name="buffer"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(default="technician")
    password_hash: Mapped[str | None]
    """argon2id; None: cannot sign in."""
    locale: Mapped[str] = mapped_column(default="es")
    zone: Mapped[str]
    skills: Mapped[list[Any]]
    """Platforms this technician takes: asterisk, elastix, 3cx."""
    weekly_hours: Mapped[dict[str, Any] | None]
    """Own hours inside the desk's; None: the desk's."""
    buffer_minutes: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    session_generation: Mapped[int] = mapped_column(default=1)
    """Grows to end every web session of this person at once."""
    calendar_rev: Mapped[int] = mapped_column(default=1)
    calendar_changed_at: Mapped[datetime]


class Absence(Base):
    """A time in which a technician does not attend."""

    __tablename__ = "absence"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        Index("ix_absence_technician_id_ends_at", "technician_id", "ends_at"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]


class Customer(Base):
    """A company with its CIF (the Spanish company tax number)."""

    __tablename__ = "customer"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    company: Mapped[str]
    cif: Mapped[str] = mapped_column(unique=True)
    locale: Mapped[str] = mapped_column(default="es")
    zone: Mapped[str]
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"))
    """The assigned technician, whose slots are offered first."""
    created_at: Mapped[datetime]
    calendar_rev: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    calendar_changed_at: Mapped[datetime | None]
    """None: no booking of theirs has been written yet."""
    search_key: Mapped[str] = mapped_column(server_default=text("''"))
    """Name and CIF as a search compares them; follows from both."""

    technician: Mapped[Technician | None] = relationship()
    contacts: Mapped[list["Contact"]] = relationship(back_populates="customer", order_by="Contact.id")

    @validates("company", "cif")
    def _make_searchable(self, name: str, value: str) -> str:
        texts = {"company": self.__dict__.get("company"), "cif": self.__dict__.get("cif"), name: value}
        self.search_key = search_key(texts["company"] or "", texts["cif"] or "")
        return value


class CustomerKey(Base):
    """The SSH key pair with which we enter this customer's systems (one pair per customer)."""

    __tablename__ = "customer_key"
    __table_args__ = ({"sqlite_strict": True},)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    public_key: Mapped[str]
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed by the vault; never leaves in clear but to a probe or an audited reveal."""
    private_key_gen: Mapped[int] = mapped_column(default=1)
    """Grows with every new pair; part of the seal, so an old one cannot be put back."""
    created_at: Mapped[datetime]


class Contact(Base):
    """A person at a customer: signs in by e-mailed code and receives the notices."""

    __tablename__ = "contact"
    __table_args__ = (
        Index("ix_contact_customer_id", "customer_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    session_generation: Mapped[int] = mapped_column(default=1)
    reminders: Mapped[bool] = mapped_column(default=True, server_default=text("1"))
    """Whether reminders of sessions are mailed; mails about changes always are."""

    customer: Mapped[Customer] = relationship(back_populates="contacts")


class SignInCode(Base):
    """A six-digit code sent by mail: 10 minutes, five tries, single use, bound to the browser that asked."""

    __tablename__ = "sign_in_code"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    code_hash: Mapped[str]
    browser_hash: Mapped[str] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    tries_left: Mapped[int] = mapped_column(default=5)
    used_at: Mapped[datetime | None]


class WebSession(Base):
    """A signed-in browser; only the hash of its cookie is kept."""

    __tablename__ = "web_session"
    __table_args__ = (
        CheckConstraint("(contact_id IS NULL) <> (technician_id IS NULL)", name="one_person"),
        {"sqlite_strict": True},
    )

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"))
    generation: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    """When the person last proved who they are; revealing a credential asks again."""


class ApiToken(Base):
    """A bearer token of the HTTP API: acts for one contact or one technician; only its hash is kept."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint("(contact_id IS NULL) <> (technician_id IS NULL)", name="one_person"),
        {"sqlite_strict": True},
    )

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("technician.id"))
    label: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RateEvent(Base):
    """One counted try of something limited (code requests, sign-ins), kept as long as its window."""

    __tablename__ = "rate_event"
    __table_args__ = (Index("ix_rate_event_bucket_at", "bucket", "at"), {"sqlite_strict": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[str]
    at: Mapped[datetime]


class PurchaseClaim(Base):
    """A company we do not know asks the dispatcher to be let in: company, CIF, serial, invoice."""

    __tablename__ = "purchase_claim"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    company: Mapped[str]
    cif: Mapped[str]
    email: Mapped[str]
    serial: Mapped[str]
    invoice: Mapped[str]
    created_at: Mapped[datetime]
    bought_on: Mapped[date | None]
