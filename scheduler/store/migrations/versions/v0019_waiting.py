"""The waiting list, and the slots that are offered from it."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0019"
down_revision = "0018"
_WAITING = sa.text("state = 'waiting'")
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    _entries()
    _offers()


def _entries() -> None:
    op.create_table(
        "waiting_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("access_point_id", sa.Integer(), nullable=False),
        sa.Column("entitlement_id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("from_at", types.Instant(), nullable=False),
        sa.Column("until_at", types.Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("closed_at", types.Instant(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'booked', 'left', 'removed', 'ended', 'unanswered')",
            name=op.f("ck_waiting_entry_state"),
        ),
        sa.CheckConstraint("until_at > from_at", name=op.f("ck_waiting_entry_range")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_waiting_entry_minutes")),
        sa.CheckConstraint("(state = 'waiting') = (closed_at IS NULL)", name=op.f("ck_waiting_entry_closed")),
        *(
            sa.ForeignKeyConstraint(
                [f"{table}_id"], [f"{table}.id"], name=op.f(f"fk_waiting_entry_{table}_id"), ondelete=gone
            )
            for table, gone in (
                ("customer", None),
                ("contact", "SET NULL"),
                ("access_point", None),
                ("entitlement", None),
                ("technician", "SET NULL"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_entry")),
        sqlite_strict=True,
    )
    op.create_index("ix_waiting_entry_customer_id", "waiting_entry", ["customer_id"], unique=False)
    op.create_index(
        "uq_waiting_entry_open",
        "waiting_entry",
        ["access_point_id", "from_at", "until_at"],
        unique=True,
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def _offers() -> None:
    op.create_table(
        "slot_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("held_id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("offered_at", types.Instant(), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answered_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn')",
            name=op.f("ck_slot_offer_state"),
        ),
        sa.CheckConstraint("state = 'accepted' OR booking_id IS NULL", name=op.f("ck_slot_offer_booking")),
        sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", name=op.f("ck_slot_offer_answered")),
        sa.ForeignKeyConstraint(["entry_id"], ["waiting_entry.id"], name=op.f("fk_slot_offer_entry_id")),
        sa.ForeignKeyConstraint(["held_id"], ["booking.id"], name=op.f("fk_slot_offer_held_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_slot_offer_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_offer")),
        sa.UniqueConstraint("held_id", name=op.f("uq_slot_offer_held_id")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_slot_offer_booking_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_slot_offer_token_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_slot_offer_entry_id", "slot_offer", ["entry_id"], unique=False)
    op.create_index(
        "uq_slot_offer_open",
        "slot_offer",
        ["entry_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
