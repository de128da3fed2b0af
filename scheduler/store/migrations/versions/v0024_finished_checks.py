"""Finished checks by when, for the metrics of the last hour."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    done = sa.text("state = 'done'")
    op.create_index(
        "ix_access_check_finished_at",
        "access_check",
        ["finished_at"],
        sqlite_where=done,
        postgresql_where=done,
    )
