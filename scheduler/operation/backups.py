"""Copies of the whole database that restore: taken while the desk works, proven when they come back.

SQLite is copied by its own backup API (a plain copy of a live file is often torn), PostgreSQL by pg_dump. The keys are
not in a backup: whoever finds one must not be able to open the credentials in it. Nor are the pictures of screens:
backups are kept longer than customers agreed to.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.store.engines import open_engine, sessions
from scheduler.store.migrations import require_current, schema_state
from scheduler.store.models import AuditEntry, Base, Booking, Picture
from scheduler.store.vault import Vault, openable_values

SQLITE_HEADER = b"SQLite format 3\x00"
PICTURES = Picture.__tablename__
PAGES_AT_ONCE = 2000
"""The backup lets writers in between so many pages, and takes along what they write."""


class BackupFailed(Exception):
    """The backup was not made or not restored; nothing existing was changed. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a restored database was found to hold."""

    bookings: int
    credentials: int
    audit_entries: int
    last_change: str


def back_up(database: Engine, file: Path) -> int:
    """Write a backup to a new file, readable by its owner only; returns its bytes. Raises BackupFailed."""
    if file.exists():
        raise BackupFailed(f"{file} exists; a backup never overwrites another")
    if not file.absolute().parent.is_dir():
        raise BackupFailed(f"the folder {file.absolute().parent} does not exist; create it")
    handle, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
    os.close(handle)
    part = Path(name)
    try:
        if database.dialect.name == "sqlite":
            _back_up_sqlite(Path(database.url.database or ""), part)
        else:
            _program(
                "pg_dump",
                database.url,
                ["--format=custom", f"--file={part}", f"--exclude-table-data={PICTURES}"],
            )
        _to_disk(part)
        os.link(part, file)  # fails where another backup took the name meanwhile
    except OSError as error:
        raise BackupFailed(f"{file}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, target_url: str) -> None:
    """Fill an empty database from a backup of the same kind, whose pages are checked first.

    Raises BackupFailed, StoreUnusable.
    """
    is_sqlite = _is_sqlite(file)
    target = open_engine(target_url)
    try:
        if is_sqlite != (target.dialect.name == "sqlite"):
            kinds = ("SQLite", "PostgreSQL") if is_sqlite else ("PostgreSQL", "SQLite")
            raise BackupFailed(
                f"{file} is a backup of {kinds[0]} and the target is {kinds[1]}; restore it into its own kind, "
                "then use ventana db copy"
            )
        if not _is_bare(target):
            raise BackupFailed("the target is not empty; restore into a new database, then switch to it")
    finally:
        target.dispose()
    if is_sqlite:
        _restore_sqlite(file, Path(target.url.database or ""))
    else:
        options = ["--exit-on-error", "--single-transaction", "--no-owner", str(file)]
        _program("pg_restore", target.url, options)


def verify(database: Engine, vault: Vault, audit_key: bytes) -> Verified:
    """Prove a restored database: its schema and guards, every credential, the whole audit chain.

    Raises BackupFailed naming what is wrong, StoreUnusable, VaultError.
    """
    require_current(database)
    with sessions(database)() as session:
        credentials = openable_values(session, vault)
        broken = audit.first_broken(session, audit_key)
        if broken is not None:
            raise BackupFailed(f"the audit log was altered before entry {broken}; take another backup")
        return _found(session, credentials)


def _found(session: Session, credentials: int) -> Verified:
    entries = session.scalar(select(func.count()).select_from(AuditEntry)) or 0
    last = session.scalar(select(func.max(AuditEntry.at)))
    bookings = session.scalar(select(func.count()).select_from(Booking)) or 0
    return Verified(
        bookings, credentials, entries, "never" if last is None else f"{last:%Y-%m-%d %H:%M:%S} UTC"
    )


def _back_up_sqlite(source: Path, part: Path) -> None:
    if not source.exists():
        raise BackupFailed(f"there is no database {source} yet")
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(part)) as copy:
        live.backup(copy, pages=PAGES_AT_ONCE)
        _leave_out_pictures(copy)
        copy.execute("PRAGMA journal_mode = delete")  # one file, without a log beside it
    _check_pages(part, "the database")


def _leave_out_pictures(copy: sqlite3.Connection) -> None:
    known = copy.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (PICTURES,)).fetchone()
    left_out = copy.execute(f"DELETE FROM {PICTURES}").rowcount if known else 0  # noqa: S608 - our own table's name
    copy.commit()
    if left_out:
        copy.execute("VACUUM")  # written anew: a deleted row's bytes would stay in the file


def _check_pages(file: Path, what: str) -> None:
    try:
        with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as opened:
            said = opened.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise BackupFailed(f"{what} is damaged: {said}; keep it and use an older backup")


def _restore_sqlite(file: Path, target: Path) -> None:
    _check_pages(file, str(file))
    for leftover in (target, target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-shm")):
        leftover.unlink(missing_ok=True)  # an empty file of ours at most: everything else was refused
    shutil.copyfile(file, target)
    target.chmod(0o600)
    _to_disk(target)


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(len(SQLITE_HEADER))
    except OSError as error:
        raise BackupFailed(f"{file}: {error.strerror}") from None
    if head != SQLITE_HEADER and not head.startswith(b"PGDMP"):
        raise BackupFailed(f"{file} is not a backup of Ventana")
    return head == SQLITE_HEADER


def _is_bare(target: Engine) -> bool:
    return schema_state(target) == "empty" and not set(inspect(target).get_table_names()) & set(
        Base.metadata.tables
    )


def _program(name: str, url: URL, options: list[str]) -> None:
    """Run PostgreSQL's own program; the password goes by the environment, where other users do not see it."""
    where = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    environment = os.environ | {key: str(value) for key, value in where.items() if value is not None}
    target = ["--dbname", url.database or ""] if name == "pg_restore" else [url.database or ""]
    try:
        done = subprocess.run(
            [name, *target, *options], env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise BackupFailed(f"{name} is not installed (Debian: postgresql-client)") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise BackupFailed(f"{name}: {said[0]}")


def _to_disk(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
