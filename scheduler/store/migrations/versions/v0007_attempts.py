"""Logins tried at customers' doors, so that nobody is locked out by too many."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types
from scheduler.store.columns import one_of

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=True),
        sa.Column("executor", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("guessable", types.Flag(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.CheckConstraint(
            one_of("ending", "accepted", "refused", "withdrawn"), name=op.f("ck_login_attempt_ending")
        ),
        sa.ForeignKeyConstraint(["check_id"], ["access_check.id"], name=op.f("fk_login_attempt_check_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
        sqlite_strict=True,
    )
    op.create_index("ix_login_attempt_address_port", "login_attempt", ["address", "port", "started_at"])
    op.create_index("ix_login_attempt_check_id", "login_attempt", ["check_id"])
