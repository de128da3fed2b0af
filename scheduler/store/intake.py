"""How customers come in and together: decisions on purchase claims, files with many of them, merges."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.store.base import Base
from scheduler.store.columns import one_of
from scheduler.store.people import Customer


class FormerCustomer(Base):
    """A customer that was merged into another: its number, name and CIF go on leading there."""

    __tablename__ = "former_customer"
    __table_args__ = (
        Index("ix_former_customer_customer_id", "customer_id"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The number that the customer had."""
    company: Mapped[str]
    cif: Mapped[str] = mapped_column(unique=True)
    search_key: Mapped[str]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    merged_at: Mapped[datetime]
    merged_by: Mapped[str]

    customer: Mapped[Customer] = relationship()


class ClaimDecision(Base):
    """What the dispatcher decided on a purchase claim; a claim without one is open."""

    __tablename__ = "claim_decision"
    __table_args__ = (
        CheckConstraint(one_of("outcome", "accepted", "refused"), name="outcome"),
        {"sqlite_strict": True},
    )

    claim_id: Mapped[int] = mapped_column(ForeignKey("purchase_claim.id"), primary_key=True)
    outcome: Mapped[str]
    reason: Mapped[str]
    """Mailed to the company when refused; empty when accepted."""
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    decided_at: Mapped[datetime]
    decided_by: Mapped[str]


class CustomerImport(Base):
    """A CSV file of customers: planned portion by portion, looked at, then written as it was shown.

    Its row is written once for each portion and so holds nothing large: SQLite copies a row whole.
    """

    __tablename__ = "customer_import"
    __table_args__ = (
        CheckConstraint(one_of("state", "planning", "ready", "writing", "done"), name="state"),
        {"sqlite_strict": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str]
    state: Mapped[str] = mapped_column(default="planning")
    total_rows: Mapped[int] = mapped_column(default=0)
    done_rows: Mapped[int] = mapped_column(default=0)
    """How far planning or writing has come; whoever moves it on has done those rows, and nobody else."""
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Rows by fate: new, changed, unchanged, refused, and conflict once they are written."""
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    due_at: Mapped[datetime]
    """When the engine takes it up; ahead of now while somebody is at it."""
    finished_at: Mapped[datetime | None]


class ImportFile(Base):
    """The text of an uploaded file, until it is planned."""

    __tablename__ = "import_file"
    __table_args__ = ({"sqlite_strict": True},)

    import_id: Mapped[int] = mapped_column(ForeignKey("customer_import.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """UTF-8, compressed by zlib."""


class ImportPortion(Base):
    """Some rows of a file with what will become, or became, of each; written in one transaction or not at all."""

    __tablename__ = "import_portion"
    __table_args__ = ({"sqlite_strict": True},)

    import_id: Mapped[int] = mapped_column(ForeignKey("customer_import.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    planned: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON, compressed by zlib."""
    written_at: Mapped[datetime | None]
