"""What is repaired: customers' PBXs, the doors into them, and the identities pinned to those doors."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.columns import one_of
from scheduler.store.people import Customer


class System(Base):
    """A customer's PBX."""

    __tablename__ = "system"
    __table_args__ = (
        CheckConstraint(one_of("platform", "asterisk", "elastix", "3cx"), name="platform"),
        Index("ix_system_customer_id", "customer_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    platform: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]

    customer: Mapped[Customer] = relationship()
    access_points: Mapped[list["AccessPoint"]] = relationship(
        back_populates="system", order_by="AccessPoint.id"
    )


class AccessPoint(Base):
    """One door into a system: method, address, account and how we prove ourselves."""

    __tablename__ = "access_point"
    __table_args__ = (
        CheckConstraint(one_of("method", "ssh", "rdp", "vnc", "web"), name="method"),
        CheckConstraint(
            one_of("credential_kind", "our_key", "private_key", "password", "none"), name="credential_kind"
        ),
        CheckConstraint(one_of("profile", "modern", "legacy"), name="profile"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        Index("ix_access_point_system_id", "system_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("system.id"))
    method: Mapped[str]
    host: Mapped[str]
    port: Mapped[int]
    username: Mapped[str]
    credential_kind: Mapped[str]
    credential: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed by the vault: password or private key; None for our_key and none."""
    credential_gen: Mapped[int] = mapped_column(default=1)
    """Grows with every new credential; part of the seal, so an old one cannot be put back."""
    profile: Mapped[str] = mapped_column(default="modern")
    created_at: Mapped[datetime]
    pictures_agreed_at: Mapped[datetime | None]
    """Since when checks may picture the screen; None: never asked, or taken back."""

    system: Mapped[System] = relationship(back_populates="access_points")
    pins: Mapped[list["PinnedIdentity"]] = relationship(order_by="PinnedIdentity.id")


class PinnedIdentity(Base):
    """A host key seen at a door. Only a confirmed one lets a credential be sent."""

    __tablename__ = "pinned_identity"
    __table_args__ = (
        CheckConstraint(one_of("state", "confirmed", "seen"), name="state"),
        UniqueConstraint("access_point_id", "public_key"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    access_point_id: Mapped[int] = mapped_column(ForeignKey("access_point.id"))
    public_key: Mapped[str]
    """OpenSSH form: "ssh-ed25519 AAAA…"."""
    fingerprint: Mapped[str]
    """SHA256:… as technicians' clients show it."""
    state: Mapped[str]
    first_seen_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
