"""The database goes away while checks are due, and comes back: each has one outcome, and nothing needs a restart.

PostgreSQL is stopped and started as soon as the worker has begun, while it runs checks, and again near the end; SQLite
is locked, for a release longer than anybody waits for it. A worker that finds no database at its start says so and
ends.
"""

import signal
import sqlite3
import time
from pathlib import Path

from sqlalchemy import func, select

from fixtures import sshd
from fixtures.databases import Database
from fixtures.postgres import PostgresCluster
from fixtures.served import PROGRAM, Installed, Process
from scheduler.store.engines import read
from scheduler.store.models import Booking, Check, Notice, Worker
from tests.faults.conftest import Measured
from tests.faults.patience import until
from tests.faults.sizes import SHARE
from tests.faults.ssh_desk import desk_at
from tests.faults.test_p4_due_checks import DOORS, DUE, PATIENCE, RUNGS, book_all, done

AWAY_SECONDS = 2.0
LOCKED_SECONDS = 7.0 if SHARE else 3.0
"""For a release longer than any writer waits (busy_timeout, 5 s); what failed is then tried again a minute later."""


def test_postgresql_away_in_each_phase(
    mortal_database: Database,
    own_cluster: PostgresCluster,
    server: sshd.Sshd,
    tmp_path: Path,
    measured: Measured,
) -> None:
    installed = desk_at(mortal_database, server, tmp_path, DOORS, DOORS)
    book_all(installed)
    worker = Process(installed, [*PROGRAM, "worker"])
    try:
        until(lambda: begun(mortal_database), worker, seconds=PATIENCE)
        for share in (0.0, 0.2, 0.7):
            until(lambda share=share: done(mortal_database) >= share * DUE, worker, seconds=PATIENCE)  # type: ignore[misc]
            mortal_database.close()
            own_cluster.stop(signal.SIGINT)
            time.sleep(AWAY_SECONDS)  # the length of the outage
            own_cluster.start()
        until(lambda: done(mortal_database) == DUE, worker, seconds=PATIENCE)
    finally:
        worker.stop()
    assert_one_outcome_each(mortal_database)
    measured("PostgreSQL away while checks are due", "postgresql", faults=3, checks=DUE)


def test_sqlite_locked_while_checks_are_due(
    sqlite_database: Database, server: sshd.Sshd, tmp_path: Path, measured: Measured
) -> None:
    installed = desk_at(sqlite_database, server, tmp_path, DOORS, DOORS)
    book_all(installed)
    worker = Process(installed, [*PROGRAM, "worker"])
    try:
        until(lambda: done(sqlite_database) >= DUE // 5, worker, seconds=PATIENCE)
        hold_the_lock(installed)
        assert done(sqlite_database) < DUE, "locked too late to prove anything"
        until(lambda: done(sqlite_database) == DUE, worker, seconds=PATIENCE)
    finally:
        worker.stop()
    assert_one_outcome_each(sqlite_database)
    measured("SQLite locked while checks are due", "sqlite", faults=1, checks=DUE)


def begun(database: Database) -> bool:
    """Whether an executing process has given its first sign of life."""
    with read(database.sessions) as session:
        return session.scalar(select(Worker.executor).limit(1)) is not None


def hold_the_lock(installed: Installed) -> None:
    """Keep every writer out, as a careless backup or somebody's console would."""
    path = installed.url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(LOCKED_SECONDS)  # the length of the fault
    connection.execute("ROLLBACK")
    connection.close()


def assert_one_outcome_each(database: Database) -> None:
    """One light with the steps of one run, one change of the booking, one mail."""
    with read(database.sessions) as session:
        checks = session.scalars(select(Check).where(Check.stage == "booked")).all()
        assert len(checks) == DUE
        for check in checks:
            assert (check.state, check.verdict, check.code) == ("done", "ready", None)
            assert [step.name for step in check.steps] == RUNGS
        assert set(session.scalars(select(Booking.sequence))) == {1}
        mails = select(func.count(), func.count(Notice.booking_id.distinct())).where(
            Notice.kind == "light_ok"
        )
        assert session.execute(mails).one() == (DUE, DUE)
