"""Carry a whole desk from one database to another: how a desk moves from SQLite to PostgreSQL, or back.

Every table that the models know is copied as it stands, with its numbers, so that links, calendar UIDs, sealed
credentials and the audit chain stay what they were. What only the running processes need stays behind: the engine's own
tables and heartbeats. So do the pictures of screens, which were agreed to for a few days in one place. The engine finds
the open rows and plans them anew.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    RowMapping,
    Table,
    and_,
    case,
    func,
    inspect,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.engine import table_names
from scheduler.store.migrations import migrate, require_current, schema_state
from scheduler.store.models import AuditEntry, Base, Entitlement, LedgerEntry, Picture, Worker
from scheduler.store.vault import Vault, openable_values

BATCH = 1000
LEFT_BEHIND = frozenset({Worker.__tablename__, Picture.__tablename__, "alembic_version"})
Progress = Callable[[str, int, int], None]
"""Told the table, how many of its rows are there by now, and of how many."""


class CopyRefused(Exception):
    """The copy was not made and the target was left as it was; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows by table, sealed credentials that open on the target, and entries of its audit chain."""

    tables: Mapping[str, int]
    credentials: int
    audit_entries: int

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self.tables.values())


def plan_copy(source: Engine, target: Engine) -> dict[str, int]:
    """How many rows each table has that would be copied; looks at both sides and writes nothing.

    Raises CopyRefused for a target that holds anything or a source with tables that nobody knows, and what
    `require_current` raises for a source that is not of this version.
    """
    require_current(source)
    _refuse_unknown_tables(source)
    _refuse_filled(target)
    with source.connect() as connection:
        return {table.name: _count(connection, table) for table in _tables()}


def copy_desk(
    source: Engine, target: Engine, vault: Vault, audit_key: bytes, progress: Progress = lambda *_: None
) -> Copied:
    """Copy everything in one transaction of the target, prove it equal, and only then commit.

    The source is locked against writers meanwhile. Raises what `plan_copy` raises, and CopyRefused naming the table
    when the two sides differ, a credential does not open or the audit chain is broken.
    """
    plan_copy(source, target)
    migrate(target)
    with source.connect() as reading, target.begin() as writing:
        _freeze(reading)
        if writing.dialect.name == "postgresql":
            writing.execute(text("SET LOCAL statement_timeout = 0"))
        counts = {table.name: _copy_table(reading, writing, table, progress) for table in _tables()}
        _set_sequences(writing)
        _prove_equal(reading, writing)
        credentials, entries = _prove_secrets(writing, vault, audit_key)
    return Copied(counts, credentials, entries)


def _tables() -> list[Table]:
    """Ours, each after those it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_BEHIND]


def _refuse_unknown_tables(source: Engine) -> None:
    known = {table.name for table in Base.metadata.sorted_tables} | LEFT_BEHIND | table_names()
    unknown = set(inspect(source).get_table_names()) - known
    if unknown:
        raise CopyRefused(
            f"the source has tables that this version does not know and would lose: {', '.join(sorted(unknown))}"
        )


def _refuse_filled(target: Engine) -> None:
    state = schema_state(target)
    if state == "empty":
        return
    if state != "current":
        raise CopyRefused("the target holds a desk of another version; give an empty database")
    with target.connect() as connection:
        filled = [table.name for table in _tables() if _count(connection, table)]
    if filled:
        raise CopyRefused(
            f"the target is not empty ({', '.join(filled[:3])} …); give an empty database, nothing is overwritten"
        )


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _freeze(source: Connection) -> None:
    """Keep writers out until the copy is made: what they wrote now would be missing on the other side."""
    if source.dialect.name == "postgresql":
        names = ", ".join(source.dialect.identifier_preparer.format_table(table) for table in _tables())
        source.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
        return
    source.execute(text("SELECT 1"))  # begins, as every transaction here that may write: IMMEDIATE


def _copy_table(reading: Connection, writing: Connection, table: Table, progress: Progress) -> int:
    total, done = _count(reading, table), 0
    for rows in _batches(reading, table):
        writing.execute(table.insert(), [_values(table, row) for row in rows])
        done += len(rows)
        progress(table.name, done, total)
    return done


def _values(table: Table, row: RowMapping) -> dict[str, Any]:
    values: dict[str, Any] = {column.name: row[column] for column in table.columns}
    if table.name == Entitlement.__tablename__:
        values["balance_minutes"] = 0  # the ledger's entries make it again, under the database's own guard
    return values


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[RowMapping]]:
    """All rows by primary key, a batch at a time, whatever the key's columns are."""
    order: list[Any] = list(table.primary_key.columns)
    if table.name == LedgerEntry.__tablename__:
        # What fills before what spends: an entry's number says when it was begun, not when it was committed.
        order.insert(0, case((table.c.minutes > 0, 0), else_=1))
        rows = connection.execute(select(table).order_by(*order)).mappings().all()
        yield from (rows[at : at + BATCH] for at in range(0, len(rows), BATCH))
        return
    last: RowMapping | None = None
    while True:
        query = select(table).order_by(*order).limit(BATCH)
        if last is not None:
            query = query.where(_after(order, [last[column] for column in order]))
        rows = connection.execute(query).mappings().all()
        if not rows:
            return
        yield rows
        last = rows[-1]


def _after(columns: Sequence[Column[Any]], values: Sequence[Any]) -> Any:
    """Say "later in the order of these columns than these values" in words of both databases."""
    return or_(
        *(
            and_(*(columns[i] == values[i] for i in range(at)), columns[at] > values[at])
            for at in range(len(columns))
        )
    )


def _set_sequences(target: Connection) -> None:
    """Let PostgreSQL count on after the numbers that were copied; SQLite looks by itself."""
    if target.dialect.name != "postgresql":
        return
    for table in _tables():
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = target.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": target.dialect.identifier_preparer.format_table(table), "column": column.name},
        )
        highest = target.scalar(select(func.max(column)))
        if sequence is not None and highest is not None:
            target.execute(text("SELECT setval(:sequence, :value)"), {"sequence": sequence, "value": highest})


def _prove_equal(reading: Connection, writing: Connection) -> None:
    for table in _tables():
        if _digest(reading, table) != _digest(writing, table):
            raise CopyRefused(
                f"{table.name} differs between source and target after the copy; nothing was kept"
            )


def _digest(connection: Connection, table: Table) -> str:
    """A hash of all rows as Python sees them, the same on both databases."""
    found = hashlib.sha256()
    for rows in _batches(connection, table):
        for row in rows:
            found.update(json.dumps(list(row.values()), sort_keys=True, default=_plain).encode())
    return found.hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} in a table")


def _prove_secrets(target: Connection, vault: Vault, audit_key: bytes) -> tuple[int, int]:
    with Session(bind=target, join_transaction_mode="create_savepoint") as session:
        credentials = openable_values(session, vault)
        broken = audit.first_broken(session, audit_key)
        if broken is not None:
            raise CopyRefused(f"the audit log was altered before entry {broken}; compare with a backup first")
        return credentials, session.scalar(select(func.count()).select_from(AuditEntry)) or 0
