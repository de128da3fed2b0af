"""Reminders that a contact may do without, and the address in a mail's header that ends them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column(
        "contact", sa.Column("reminders", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("notice", sa.Column("stop_url", sa.Text(), nullable=True))
    op.create_index("ix_notice_booking_id", "notice", ["booking_id"])
