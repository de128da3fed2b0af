"""Calendars that devices keep in step: app passwords, revisions of events, and what left a calendar."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "calendar_object",
        sa.Column("calendar_rev", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_index(
        "ix_calendar_object_technician_id_calendar_rev", "calendar_object", ["technician_id", "calendar_rev"]
    )
    _calendar_tombstone()
    _app_password()


def _calendar_tombstone() -> None:
    op.create_table(
        "calendar_tombstone",
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("calendar_rev", sa.Integer(), nullable=False),
        sa.Column("left_at", types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.id"], name=op.f("fk_calendar_tombstone_booking_id")
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_calendar_tombstone_technician_id")
        ),
        sa.PrimaryKeyConstraint("technician_id", "booking_id", name=op.f("pk_calendar_tombstone")),
        sqlite_strict=True,
    )
    op.create_index("ix_calendar_tombstone_left_at", "calendar_tombstone", ["left_at"])


def _app_password() -> None:
    op.create_table(
        "app_password",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("revoked_at", types.Instant(), nullable=True),
        sa.Column("last_used_at", types.Instant(), nullable=True),
        sa.Column("last_client", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_app_password_technician_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_password")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_app_password_secret_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_app_password_technician_id", "app_password", ["technician_id"])
