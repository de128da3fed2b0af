"""Decisions on bookings that wait for the desk's approval."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0022"
down_revision = "0021"
_PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    op.create_table(
        "booking_decision",
        sa.Column("booking_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", types.Instant(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('approved', 'refused', 'undecided')", name=op.f("ck_booking_decision_outcome")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_decision_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_booking_decision")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_booking_pending",
        "booking",
        ["starts_at"],
        unique=False,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
