"""Pictures of screens, and where a customer has agreed to them."""

import sqlalchemy as sa
from alembic import op

from scheduler.store import types

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("access_point", sa.Column("pictures_agreed_at", types.Instant(), nullable=True))
    op.create_table(
        "picture",
        sa.Column("check_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("access_point_id", sa.Integer(), nullable=False),
        sa.Column("taken_at", types.Instant(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("look", sa.Text(), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(png) BETWEEN 1 AND 300000", name=op.f("ck_picture_png")),
        sa.CheckConstraint("look IN ('', 'black', 'uniform')", name=op.f("ck_picture_look")),
        sa.ForeignKeyConstraint(
            ["check_id"], ["access_check.id"], name=op.f("fk_picture_check_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["access_point_id"],
            ["access_point.id"],
            name=op.f("fk_picture_access_point_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_picture")),
        sqlite_strict=True,
    )
    op.create_index("ix_picture_access_point_id", "picture", ["access_point_id", "taken_at"], unique=False)
    op.create_index("ix_picture_taken_at", "picture", ["taken_at"], unique=False)
