"""Answers to invitations, and the mailbox they come from."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0018"
down_revision = "0017"
_UNSIGNED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reply_inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("generation", _UNSIGNED, nullable=False),
        sa.Column("last_number", _UNSIGNED, nullable=False),
        sa.Column("visited_at", types.Instant(), nullable=False),
        sa.Column("good_at", types.Instant(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_reply_inbox_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_inbox")),
        sqlite_strict=True,
    )
    op.create_table(
        "invitation_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("stamped_at", types.Instant(), nullable=False),
        sa.Column("received_at", types.Instant(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "answer IN ('accepted', 'declined', 'tentative')", name=op.f("ck_invitation_answer_answer")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_invitation_answer_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_answer")),
        sa.UniqueConstraint("booking_id", "address", name=op.f("uq_invitation_answer_booking_id_address")),
        sqlite_strict=True,
    )
