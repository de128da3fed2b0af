"""One-time links by which people of the desk set their password."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "password_link",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("expires_at", types.Instant(), nullable=False),
        sa.Column("used_at", types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_password_link_technician_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_link")),
        sqlite_strict=True,
    )
    op.create_index("ix_password_link_technician_id", "password_link", ["technician_id"], unique=False)
