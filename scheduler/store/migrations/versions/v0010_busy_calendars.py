"""Technicians' own calendars and the times in which they keep somebody busy."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _busy_calendar()
    _busy_time()


def _busy_calendar() -> None:
    op.create_table(
        "busy_calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("address_gen", sa.Integer(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("due_at", types.Instant(), nullable=False),
        sa.Column("tried_at", types.Instant(), nullable=True),
        sa.Column("good_at", types.Instant(), nullable=True),
        sa.Column("known_until", types.Instant(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_facts", types.Json(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_busy_calendar_technician_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busy_calendar")),
        sqlite_strict=True,
    )
    op.create_index("ix_busy_calendar_technician_id", "busy_calendar", ["technician_id"], unique=False)
    op.create_index("ix_busy_calendar_due_at", "busy_calendar", ["due_at"], unique=False)


def _busy_time() -> None:
    op.create_table(
        "busy_time",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.Column("seen_at", types.Instant(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_busy_time_order")),
        sa.ForeignKeyConstraint(["calendar_id"], ["busy_calendar.id"], name=op.f("fk_busy_time_calendar_id")),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_busy_time_technician_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busy_time")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_busy_time_technician_id_ends_at", "busy_time", ["technician_id", "ends_at"], unique=False
    )
    op.create_index("ix_busy_time_calendar_id", "busy_time", ["calendar_id"], unique=False)
