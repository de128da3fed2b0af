"""The notice of bookings that change their start or come back to life, held by the database."""

from alembic import op

from scheduler.store import guards

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.get_bind().exec_driver_sql(guards.LEAD_TIME_FUNCTION)
    for statement in guards.LEAD_TIME[dialect].values():
        op.get_bind().exec_driver_sql(statement)
