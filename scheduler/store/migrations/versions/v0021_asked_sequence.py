"""The version of a booking's event about which people were last asked: a light makes a version, and asks nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column(
        "booking", sa.Column("asked_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    # Of bookings made before nobody knows; what was answered about them as they stand goes on to count.
    op.execute("UPDATE booking SET asked_sequence = sequence")
