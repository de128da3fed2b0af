"""Customers searched, let in, brought in from files and merged; notes on corrections of the hour ledger."""

import sqlalchemy as sa
from alembic import op

from scheduler.rules.text import search_key
from scheduler.store import guards, types

revision = "0011"
down_revision = "0010"

_CUSTOMER = sa.table(
    "customer", sa.column("id"), sa.column("company"), sa.column("cif"), sa.column("search_key")
)


def upgrade() -> None:
    _search_key()
    _former_customer()
    _claim_decision()
    _customer_import()
    _ledger_note()
    for statement in guards.LEDGER_NOTE[op.get_bind().dialect.name].values():
        op.get_bind().exec_driver_sql(statement)


def _search_key() -> None:
    op.add_column(
        "customer", sa.Column("search_key", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(_CUSTOMER.c.id, _CUSTOMER.c.company, _CUSTOMER.c.cif)).all()
    fill = sa.update(_CUSTOMER).where(_CUSTOMER.c.id == sa.bindparam("row"))
    keys = [{"row": id_, "key": search_key(company, cif)} for id_, company, cif in rows]
    if keys:
        connection.execute(fill.values(search_key=sa.bindparam("key")), keys)


def _former_customer() -> None:
    op.create_table(
        "former_customer",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("cif", sa.Text(), nullable=False),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("merged_at", types.Instant(), nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_former_customer_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_customer")),
        sa.UniqueConstraint("cif", name=op.f("uq_former_customer_cif")),
        sqlite_strict=True,
    )
    op.create_index("ix_former_customer_customer_id", "former_customer", ["customer_id"], unique=False)


def _claim_decision() -> None:
    op.create_table(
        "claim_decision",
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", types.Instant(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.CheckConstraint("outcome IN ('accepted', 'refused')", name=op.f("ck_claim_decision_outcome")),
        sa.ForeignKeyConstraint(["claim_id"], ["purchase_claim.id"], name=op.f("fk_claim_decision_claim_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_claim_decision_customer_id")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim_decision")),
        sqlite_strict=True,
    )


def _customer_import() -> None:
    op.create_table(
        "customer_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total_rows", sa.Integer(), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("counts", types.Json(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("stale", types.Flag(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("due_at", types.Instant(), nullable=False),
        sa.Column("finished_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('planning', 'ready', 'writing', 'done')", name=op.f("ck_customer_import_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_import")),
        sqlite_strict=True,
    )


def _ledger_note() -> None:
    op.create_table(
        "ledger_note",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("length(text) >= 5", name=op.f("ck_ledger_note_text")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_ledger_note_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_note")),
        sqlite_strict=True,
    )
