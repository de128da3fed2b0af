"""What the database itself refuses, so that no code path can book twice, overspend hours or rewrite history.

The statements are frozen with the migration that runs them; a change is a new migration that
drops and makes the guard anew, and the new text here. `missing_guards` tells at start when
one is gone: without it everything seems to work until two customers meet in one slot.
"""

from sqlalchemy import Connection

SLOT_CONSTRAINT = "booking_slot_taken"
"""PostgreSQL's exclusion constraint; also the arbiter that INSERT … ON CONFLICT names."""

SLOT_MESSAGE = "slot_taken"
"""What SQLite's triggers raise."""

_LIVE = "('held', 'pending', 'confirmed', 'in_session')"

# A booking lasts at most 24 hours (a CHECK), so the index range on starts_at reaches back one day and no further;
# INDEXED BY makes it an error, not a slow scan, should the index ever be gone.
_OVERLAP = f"""
SELECT RAISE(ABORT, 'slot_taken') WHERE EXISTS (
    SELECT 1 FROM booking INDEXED BY ix_booking_live
    WHERE technician_id = NEW.technician_id AND status IN {_LIVE}
      AND starts_at > NEW.starts_at - 86400 AND starts_at < NEW.ends_at
      AND ends_at > NEW.starts_at {{others}});
"""  # noqa: S608 - made of constants


def _append_only(table: str, verb: str) -> str:
    return f"""
CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table}_append_only'); END
"""


SQLITE = {
    "booking_slot_insert": f"""
CREATE TRIGGER booking_slot_insert BEFORE INSERT ON booking WHEN NEW.status IN {_LIVE}
BEGIN {_OVERLAP.format(others="")} END
""",
    "booking_slot_update": f"""
CREATE TRIGGER booking_slot_update BEFORE UPDATE OF technician_id, starts_at, ends_at, status ON booking
WHEN NEW.status IN {_LIVE}
BEGIN {_OVERLAP.format(others="AND id <> OLD.id")} END
""",
    "ledger_entry_no_update": _append_only("ledger_entry", "UPDATE"),
    "ledger_entry_no_delete": _append_only("ledger_entry", "DELETE"),
    "ledger_entry_balance": """
CREATE TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry
BEGIN
    UPDATE entitlement SET balance_minutes = balance_minutes + NEW.minutes WHERE id = NEW.entitlement_id;
END
""",
    "entitlement_balance_insert": """
CREATE TRIGGER entitlement_balance_insert BEFORE INSERT ON entitlement WHEN NEW.balance_minutes <> 0
BEGIN SELECT RAISE(ABORT, 'balance_not_from_ledger'); END
""",
    "entitlement_balance_update": """
CREATE TRIGGER entitlement_balance_update BEFORE UPDATE OF balance_minutes ON entitlement
WHEN NEW.balance_minutes <>
    (SELECT coalesce(sum(minutes), 0) FROM ledger_entry WHERE entitlement_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'balance_not_from_ledger'); END
""",
    "audit_entry_no_update": _append_only("audit_entry", "UPDATE"),
    "audit_entry_no_delete": _append_only("audit_entry", "DELETE"),
}
"""Trigger name → its CREATE statement."""

_REFUSE = (
    "CREATE TRIGGER {name} BEFORE {verbs} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
)

POSTGRESQL_FUNCTIONS = (
    """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || '_append_only', ERRCODE = 'check_violation';
END $$
""",
    """
CREATE FUNCTION keep_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE entitlement SET balance_minutes = balance_minutes + NEW.minutes WHERE id = NEW.entitlement_id;
    RETURN NULL;
END $$
""",
    """
CREATE FUNCTION require_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.balance_minutes <>
        (SELECT coalesce(sum(minutes), 0) FROM ledger_entry WHERE entitlement_id = NEW.id) THEN
        RAISE EXCEPTION 'balance_not_from_ledger' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
""",
)

POSTGRESQL = {
    SLOT_CONSTRAINT: f"""
ALTER TABLE booking ADD CONSTRAINT {SLOT_CONSTRAINT}
EXCLUDE USING gist (technician_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status IN {_LIVE})
""",
    "ledger_entry_append_only": _REFUSE.format(
        name="ledger_entry_append_only", verbs="UPDATE OR DELETE OR TRUNCATE", table="ledger_entry"
    ),
    "ledger_entry_balance": """
CREATE TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION keep_balance()
""",
    "entitlement_balance_insert": """
CREATE TRIGGER entitlement_balance_insert BEFORE INSERT ON entitlement
FOR EACH ROW WHEN (NEW.balance_minutes <> 0) EXECUTE FUNCTION require_ledger()
""",
    "entitlement_balance_update": """
CREATE TRIGGER entitlement_balance_update BEFORE UPDATE OF balance_minutes ON entitlement
FOR EACH ROW EXECUTE FUNCTION require_ledger()
""",
    "audit_entry_append_only": _REFUSE.format(
        name="audit_entry_append_only", verbs="UPDATE OR DELETE OR TRUNCATE", table="audit_entry"
    ),
}
"""Constraint or trigger name → its statement; the functions come first."""

LEDGER_NOTE = {
    "sqlite": {
        "ledger_note_no_update": _append_only("ledger_note", "UPDATE"),
        "ledger_note_no_delete": _append_only("ledger_note", "DELETE"),
    },
    "postgresql": {
        "ledger_note_append_only": _REFUSE.format(
            name="ledger_note_append_only", verbs="UPDATE OR DELETE OR TRUNCATE", table="ledger_note"
        ),
    },
}
"""The guards of the reasons of corrections, which came with their table."""

# The CHECKs hold a new row to the notice it states. A row that changes its start, or that comes back to life, is judged
# from the moment of that change, which every change must state: what was asked for last month excuses no start today.
_LEAD_AGAIN = """NEW.override_reason IS NULL AND NEW.status IN ('held', 'pending', 'confirmed', 'in_session')
    AND (NEW.starts_at <> OLD.starts_at OR OLD.status IN ('cancelled', 'expired'))
    AND (NEW.changed_at <= OLD.changed_at OR NEW.starts_at < NEW.changed_at + {notice})"""

LEAD_TIME_FUNCTION = """
CREATE FUNCTION refuse_short_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'lead_time_too_short' USING ERRCODE = 'check_violation';
END $$
"""

LEAD_TIME = {
    "sqlite": {
        "booking_lead_time": f"""
CREATE TRIGGER booking_lead_time BEFORE UPDATE OF starts_at, status ON booking
WHEN {_LEAD_AGAIN.format(notice="NEW.lead_minutes * 60")}
BEGIN SELECT RAISE(ABORT, 'lead_time_too_short'); END
""",
    },
    "postgresql": {
        "booking_lead_time": f"""
CREATE TRIGGER booking_lead_time BEFORE UPDATE OF starts_at, status ON booking FOR EACH ROW
WHEN ({_LEAD_AGAIN.format(notice="NEW.lead_minutes * interval '1 minute'")})
EXECUTE FUNCTION refuse_short_notice()
""",
    },
}
"""The guard of the notice of changed bookings."""

_PRESENT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": """
        SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')
            AND tgrelid IN ('booking'::regclass, 'entitlement'::regclass,
                            'ledger_entry'::regclass, 'ledger_note'::regclass, 'audit_entry'::regclass)
        UNION SELECT conname FROM pg_constraint WHERE contype = 'x' AND conrelid = 'booking'::regclass
    """,
}


def missing_guards(connection: Connection) -> list[str]:
    """Names of guards that a migrated database should have and has not, or has switched off."""
    dialect = connection.dialect.name
    wanted = (SQLITE if dialect == "sqlite" else POSTGRESQL) | LEDGER_NOTE[dialect] | LEAD_TIME[dialect]
    present = set(connection.exec_driver_sql(_PRESENT[dialect]).scalars())
    return sorted(set(wanted) - present)
