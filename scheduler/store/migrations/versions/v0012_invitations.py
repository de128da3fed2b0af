"""Mails that invite: which method their calendar object has."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("notice", sa.Column("calendar_method", sa.Text(), nullable=True))
