"""Files of customers in portions, so that none is written or compared inside one long transaction."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "import_file",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["customer_import.id"], name=op.f("fk_import_file_import_id")),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import_file")),
        sqlite_strict=True,
    )
    op.create_table(
        "import_portion",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("planned", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["customer_import.id"], name=op.f("fk_import_portion_import_id")
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_portion")),
        sqlite_strict=True,
    )
    # A preview that nobody confirmed yet is planned anew; nothing of it had been written.
    op.execute("INSERT INTO import_file SELECT id, content FROM customer_import WHERE state <> 'done'")
    op.execute(
        "UPDATE customer_import SET state = 'planning', done_rows = 0, counts = '{}' WHERE state <> 'done'"
    )
    for column in ("content", "plan_hash", "stale"):
        op.drop_column("customer_import", column)
