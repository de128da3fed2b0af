"""Real workers on machines whose clocks are set under them, or disagree by an hour: each due check has one outcome.

The desk's own clock can be handed to the engine (test_p4_jumping_clock.py); here the library's, the database driver's
and the interpreter's jump with it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from fixtures import sshd
from fixtures.databases import Database
from fixtures.served import Installed, Process
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.store.engines import read, write
from scheduler.store.models import Check, Entitlement, Worker
from tests.faults.conftest import Measured
from tests.faults.faked_clock import MachineClock, machine_clock, worker_by
from tests.faults.patience import until
from tests.faults.sizes import size
from tests.faults.ssh_desk import desk_at
from tests.faults.stages import HOUR, PATIENCE, SECOND, STAGES, done

DOORS = size(4, 40)
WATCHFUL = ("-m", "tests.faults.programs.watchful_worker")


@pytest.fixture
def installed(postgresql_database: Database, server: sshd.Sshd, tmp_path: Path) -> Installed:
    return desk_at(postgresql_database, server, tmp_path, DOORS, DOORS, VENTANA_LOGINS_PER_TARGET="1000")


def book_all(installed: Installed) -> datetime:
    """Each customer books the same hour of the day after tomorrow with a technician of its own; when it begins."""
    service = installed.service()
    now = service.clock()
    start = (now + 50 * HOUR).replace(minute=0, second=0, microsecond=0)
    try:
        with write(service.sessions) as session:
            desk = service.desk(session)
            for client in installed.clients:
                right = session.get_one(Entitlement, client.entitlement)
                door = client.access_point
                wish = bookings.BookingRequest(door, right.id, start, 60, "Europe/Madrid", client.customer)
                bookings.book(session, desk, now, Actor("dispatcher", 1, "test"), wish)
    finally:
        service.close()
    return start


def all_done(database: Database, stage: str) -> Callable[[], bool]:
    """Whether this stage of every booking is done, to wait for."""
    return lambda: done(database.sessions, stage) == DOORS


def beats(database: Database) -> dict[str, datetime]:
    """Each worker's last heartbeat, by its own clock."""
    with read(database.sessions) as session:
        return dict(session.execute(select(Worker.executor, Worker.seen_at)).all())


def until_beaten(database: Database, times: int, *workers: Process) -> None:
    """Wait until every worker has looked so often."""
    for _ in range(times):
        before = beats(database)
        until(lambda before=before: _all_beat(before, beats(database)), *workers, seconds=PATIENCE)  # type: ignore[misc]


def _all_beat(before: dict[str, datetime], after: dict[str, datetime]) -> bool:
    return bool(before) and all(after.get(executor) not in (None, at) for executor, at in before.items())


def wrong(database: Database) -> list[str]:
    """Checks without exactly one outcome."""
    with read(database.sessions) as session:
        checks = session.scalars(select(Check)).all()
        bad = [check for check in checks if (check.state, check.verdict) != ("done", "ready")]
        bad += [check for check in checks if len({step.position for step in check.steps}) != len(check.steps)]
        assert len(checks) == DOORS * (1 + len(STAGES))
        return [
            f"check {check.id} {check.stage}: {check.state} {check.verdict} {check.code}" for check in bad
        ]


def test_a_worker_whose_clock_is_set_runs_each_check_once_and_none_early(
    installed: Installed, postgresql_database: Database, tmp_path: Path, measured: Measured
) -> None:
    """At each stage the clock comes, goes an hour back, and comes again."""
    start, clock = book_all(installed), machine_clock(tmp_path / "clock")
    with worker_by(clock, installed, *WATCHFUL) as worker:
        until(all_done(postgresql_database, "booked"), worker, seconds=PATIENCE)
        for stage, before in STAGES.items():
            clock.jump(start - before - HOUR)
            until_beaten(postgresql_database, 2, worker)
            assert done(postgresql_database.sessions, stage) == 0, f"{stage} an hour early"
            clock.jump(start - before + 2 * SECOND)
            until(all_done(postgresql_database, stage), worker, seconds=PATIENCE)
            clock.jump(start - before - HOUR)
            until_beaten(postgresql_database, 2, worker)
            clock.jump(start - before + HOUR / 4)
            until_beaten(postgresql_database, 1, worker)
        assert_it_believed(clock, postgresql_database)
    assert wrong(postgresql_database) == []
    jumps = 4 * len(STAGES)
    measured("a worker's clock set by libfaketime", "postgresql", faults=jumps, checks=DOORS * 5, wrong=0)


def assert_it_believed(clock: MachineClock, database: Database) -> None:
    """The worker's heartbeat is near the session, which is two days off: the library did its work."""
    (said,) = beats(database).values()
    assert said - datetime.now(UTC) > 40 * HOUR, f"{clock.library} did not set the clock"


def test_workers_whose_clocks_differ_by_an_hour_share_the_work(
    installed: Installed, postgresql_database: Database, tmp_path: Path, measured: Measured
) -> None:
    """Neither calls the other dead, and no check is done by both; each is watched for longer than a dead one is."""
    start = book_all(installed)
    late, early = machine_clock(tmp_path / "late"), machine_clock(tmp_path / "early")
    early.jump(datetime.now(UTC) + HOUR)
    with worker_by(late, installed, *WATCHFUL) as one, worker_by(early, installed, *WATCHFUL) as other:
        until(lambda: len(beats(postgresql_database)) == 2, one, other, seconds=PATIENCE)
        until(all_done(postgresql_database, "booked"), one, other, seconds=PATIENCE)
        executors = set(beats(postgresql_database))
        for stage, before in STAGES.items():
            late.jump(start - before + 2 * SECOND)
            early.jump(start - before + HOUR)
            until(all_done(postgresql_database, stage), one, other, seconds=PATIENCE)
            until_beaten(postgresql_database, 2, one, other)
        assert set(beats(postgresql_database)) == executors, "one was called dead"
        said = sorted(beats(postgresql_database).values())
        assert timedelta(minutes=25) < said[1] - said[0] < timedelta(minutes=65)
        assert not [log for log in (one.log(), other.log()) if "silent" in log]
    assert wrong(postgresql_database) == []
    by_early = sum(after > HOUR / 2 for after in begun_after(postgresql_database))
    assert 0 < by_early < DOORS * 5, "one did all the work"
    counts = {"checks": DOORS * 5, "by_the_early_one": by_early, "wrong": 0}
    measured("two workers an hour apart", "postgresql", **counts)


def begun_after(database: Database) -> list[timedelta]:
    """How long after it was due each check began, by the clock of the worker that ran it."""
    with read(database.sessions) as session:
        rows = session.execute(select(Check.started_at, Check.due_at)).all()
    return [began - due for began, due in rows if began is not None]
