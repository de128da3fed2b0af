"""Closings that can be taken back: each is a row, and the ledger counts in rounds."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import guards, types

revision = "0015"
down_revision = "0014"

_COLUMNS = "id, entitlement_id, booking_id, reason, minutes, at, by"
_GUARDS = (
    "ledger_entry_no_update",
    "ledger_entry_no_delete",
    "ledger_entry_balance",
    "entitlement_balance_insert",
    "entitlement_balance_update",
)
_REASON = "reason IN ('grant', 'hold', 'consume', 'release', 'reverse')"
_SIGN = (
    "(reason IN ('grant', 'release', 'reverse') AND minutes > 0)"
    " OR (reason IN ('hold', 'consume') AND minutes < 0)"
)


def upgrade() -> None:
    _close_out()
    if op.get_bind().dialect.name == "sqlite":
        _ledger_anew()
    else:
        _ledger_widened()


def _close_out() -> None:
    op.create_table(
        "close_out",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("minutes_used", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("follow_up_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", types.Instant(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("undone_at", types.Instant(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('done', 'no_show')", name=op.f("ck_close_out_status")),
        sa.CheckConstraint("minutes_used >= 0", name=op.f("ck_close_out_minutes_used")),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name=op.f("ck_close_out_undone")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_close_out_booking_id")),
        sa.ForeignKeyConstraint(["follow_up_id"], ["booking.id"], name=op.f("fk_close_out_follow_up_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_close_out")),
        sa.UniqueConstraint("booking_id", "round", name=op.f("uq_close_out_booking_id_round")),
        sqlite_strict=True,
    )


def _ledger_anew() -> None:
    """SQLite changes no constraint of a table: another one takes its place, with the guards put back on it."""
    connection = op.get_bind()
    for name in _GUARDS:
        # They name the table, and SQLite renames nothing under a trigger that would lose its footing.
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    op.drop_index("ix_ledger_entry_entitlement_id", "ledger_entry")
    op.rename_table("ledger_entry", "ledger_entry_before")
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entitlement_id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(_REASON, name=op.f("ck_ledger_entry_reason")),
        sa.CheckConstraint(_SIGN, name=op.f("ck_ledger_entry_sign")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_ledger_entry_booking_id")),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name=op.f("fk_ledger_entry_entitlement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint(
            "booking_id", "reason", "round", name=op.f("uq_ledger_entry_booking_id_reason_round")
        ),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO ledger_entry ({_COLUMNS}) SELECT {_COLUMNS} FROM ledger_entry_before")  # noqa: S608
    _notes_anew()
    op.drop_table("ledger_entry_before")
    op.create_index("ix_ledger_entry_entitlement_id", "ledger_entry", ["entitlement_id"], unique=False)
    for name in _GUARDS:
        connection.exec_driver_sql(guards.SQLITE[name])


def _notes_anew() -> None:
    """SQLite has led the notes' foreign key after the renamed table: another table points to the new one."""
    connection = op.get_bind()
    for name in guards.LEDGER_NOTE["sqlite"]:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    op.rename_table("ledger_note", "ledger_note_before")
    op.create_table(
        "ledger_note",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("length(text) >= 5", name=op.f("ck_ledger_note_text")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_ledger_note_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_note")),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO ledger_note (entry_id, text) SELECT entry_id, text FROM ledger_note_before")
    op.drop_table("ledger_note_before")
    for statement in guards.LEDGER_NOTE["sqlite"].values():
        connection.exec_driver_sql(statement)


def _ledger_widened() -> None:
    op.add_column(
        "ledger_entry", sa.Column("round", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.drop_constraint("uq_ledger_entry_booking_id_reason", "ledger_entry", type_="unique")
    op.create_unique_constraint(
        op.f("uq_ledger_entry_booking_id_reason_round"), "ledger_entry", ["booking_id", "reason", "round"]
    )
    for name, condition in (("ck_ledger_entry_reason", _REASON), ("ck_ledger_entry_sign", _SIGN)):
        op.drop_constraint(op.f(name), "ledger_entry", type_="check")
        op.create_check_constraint(op.f(name), "ledger_entry", condition)
