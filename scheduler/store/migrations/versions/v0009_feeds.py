"""Calendars for customers, the team and free/busy: owners, settings and further faces of each event."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column(
        "customer", sa.Column("calendar_rev", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("customer", sa.Column("calendar_changed_at", types.Instant(), nullable=True))
    op.add_column("calendar_object", sa.Column("vevent_busy", sa.LargeBinary(), nullable=True))
    op.add_column("calendar_object", sa.Column("vevent_customer", sa.LargeBinary(), nullable=True))
    op.add_column(
        "calendar_object", sa.Column("serialiser", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.create_index("ix_calendar_object_ends_at", "calendar_object", ["ends_at"], unique=False)
    _remake_feed_secret()


def _remake_feed_secret() -> None:
    """Made anew with its few rows: SQLite can neither drop a NOT NULL nor change a CHECK."""
    before = op.get_bind().execute(sa.text("SELECT * FROM feed_secret ORDER BY id")).mappings().all()
    op.drop_index("ix_feed_secret_technician_id", "feed_secret")
    op.drop_table("feed_secret")
    table = _feed_secret()
    op.create_index("ix_feed_secret_technician_id", "feed_secret", ["technician_id"], unique=False)
    op.create_index("ix_feed_secret_contact_id", "feed_secret", ["contact_id"], unique=False)
    names = [column.name for column in table.columns]
    for row in before:
        values: dict[str, Any] = {name: row[name] for name in names if name in row}
        values |= {
            "detail": "host" if row["with_host"] else "full",
            "changed_at": row["created_at"],
            "left_out": 0,
        }
        marks = ", ".join(f":{name}" for name in values)
        # Column names are this file's own; the values go as they came, in the database's own types.
        op.get_bind().execute(
            sa.text(f"INSERT INTO feed_secret ({', '.join(values)}) VALUES ({marks})"),  # noqa: S608
            values,
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval('feed_secret_id_seq', (SELECT coalesce(max(id), 1) FROM feed_secret))")


def _feed_secret() -> sa.Table:
    return op.create_table(
        "feed_secret",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("technician_id", sa.Integer(), nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("alarm_minutes", sa.Integer(), nullable=True),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("changed_at", types.Instant(), nullable=False),
        sa.Column("revoked_at", types.Instant(), nullable=True),
        sa.Column("last_read_at", types.Instant(), nullable=True),
        sa.Column("last_reader", sa.Text(), nullable=True),
        sa.Column("left_out", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "scope IN ('interventions', 'slots', 'team', 'customer', 'freebusy')",
            name=op.f("ck_feed_secret_scope"),
        ),
        sa.CheckConstraint("detail IN ('busy', 'full', 'host')", name=op.f("ck_feed_secret_detail")),
        sa.CheckConstraint("alarm_minutes BETWEEN 0 AND 1440", name=op.f("ck_feed_secret_alarm_minutes")),
        sa.CheckConstraint(
            "(technician_id IS NULL) <> (contact_id IS NULL)", name=op.f("ck_feed_secret_one_owner")
        ),
        sa.CheckConstraint(
            "(contact_id IS NULL) = (scope <> 'customer')", name=op.f("ck_feed_secret_owner_of_scope")
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_feed_secret_technician_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_feed_secret_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_secret")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_feed_secret_secret_hash")),
        sqlite_strict=True,
    )
