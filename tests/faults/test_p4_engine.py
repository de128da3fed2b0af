"""The engine with its process alive: planning in transactions, moves, retries, limits, a graceful end.

What rests on the database runs on both; what does not, on SQLite alone.
"""

import logging
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.engine import Engine, Every, Work, executing
from scheduler.store.engines import write
from scheduler.store.models import Check, Worker
from scheduler.waking import executor_name, wake
from tests.faults.patience import until
from tests.faults.programs.desk import (
    FaultDesk,
    claim_wake_ups,
    engine_of,
    far_end,
    forget_wake_ups,
    overdue,
    soon,
    started,
    wake_ups,
)


@pytest.fixture
def desk(database: Database) -> FaultDesk:
    """A desk on each database, whose probes take no time."""
    return FaultDesk(database.engine, seconds=0)


@pytest.fixture
def small_desk(sqlite_database: Database) -> FaultDesk:
    """The same on SQLite."""
    return FaultDesk(sqlite_database.engine, seconds=0)


def nothing(_session: Session, _before: datetime) -> list[tuple[int, int, datetime]]:
    """For works without rows."""
    return []


def test_a_commit_runs_and_a_rollback_leaves_nothing(desk: FaultDesk) -> None:
    engine = engine_of(desk)
    (door,) = desk.doors(1)
    with desk.sessions() as session, session.begin() as transaction:
        desk.plan_in(session, [door], soon())
        transaction.rollback()
    assert wake_ups(desk.database) == 0
    (check,) = desk.plan([door], soon())
    assert wake_ups(desk.database) == 1
    with started(engine):
        until(lambda: desk.states() == {check: "done"})
    assert desk.outcomes() == {check: 1}


def test_a_move_makes_the_old_wake_up_end_without_effect(desk: FaultDesk) -> None:
    engine = engine_of(desk)
    (check,) = desk.plan(desk.doors(1), soon(1))
    moved_to = soon(2).replace(microsecond=0)
    with write(desk.sessions) as session:
        session.execute(update(Check).values(rev=2, due_at=moved_to))
        wake(session, "check", check, 2, moved_to)
    with started(engine):
        until(lambda: desk.states() == {check: "done"})
        assert datetime.now(UTC) >= moved_to
    assert [rev for _, rev, _ in desk.acts] == [2]
    assert desk.outcomes() == {check: 1}


def test_asking_twice_wakes_once(small_desk: FaultDesk) -> None:
    engine_of(small_desk)
    due_at = soon(60)
    (check,) = small_desk.plan(small_desk.doors(1), due_at)
    with write(small_desk.sessions) as session:
        wake(session, "check", check, 1, due_at)
    assert wake_ups(small_desk.database) == 1


def test_work_may_ask_for_a_next_try(small_desk: FaultDesk) -> None:
    tries: list[datetime] = []

    def send(_row: int, _rev: int) -> datetime | None:
        tries.append(datetime.now(UTC))
        return soon(1) if len(tries) == 1 else None

    with started(engine_of(small_desk, Work("notice", send, nothing))):
        with write(small_desk.sessions) as session:
            wake(session, "notice", 7, 1, soon())
        until(lambda: len(tries) == 2)
        assert tries[1] - tries[0] >= timedelta(seconds=1)
        until(lambda: set(statuses(small_desk)) == {"SUCCESS"})
    assert len(tries) == 2


def test_work_that_raises_is_logged_and_tried_again(
    small_desk: FaultDesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(executing, "RETRY_AFTER", timedelta(0))
    tries: list[int] = []

    def fail_once(row: int, _rev: int) -> None:
        tries.append(row)
        if len(tries) == 1:
            raise RuntimeError("a fault of ours")

    with started(engine_of(small_desk, Work("notice", fail_once, nothing))):
        with write(small_desk.sessions) as session:
            wake(session, "notice", 7, 1, soon())
        until(lambda: len(tries) == 2)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert "a fault of ours" in str(record.exc_info[1])


def test_one_work_at_a_time_for_each_far_end(desk: FaultDesk) -> None:
    lock = threading.Lock()
    busy: list[str] = []
    seen: list[list[str]] = []

    def probe(row: int, rev: int) -> None:
        with desk.sessions() as session:
            door = far_end(session, row)
        with lock:
            busy.append(door)
            seen.append(list(busy))
        time.sleep(0.3)
        with lock:
            busy.remove(door)
        desk.run(row, rev)

    engine = engine_of(desk, Work("check", probe, overdue, far_end))
    planned = desk.plan(desk.doors(2) * 3, soon())
    with started(engine):
        until(lambda: len(desk.outcomes()) == len(planned))
    assert all(len(doors) == len(set(doors)) for doors in seen)
    assert max(map(len, seen)) == 2


def test_slow_far_ends_do_not_hold_back_a_mail(small_desk: FaultDesk) -> None:
    let_go = threading.Event()
    sent = threading.Event()

    def hang(_row: int, _rev: int) -> None:
        small_desk.acts.append((_row, _rev, 0))
        let_go.wait(30)

    def send(_row: int, _rev: int) -> None:
        sent.set()

    slow, mail = Work("check", hang, nothing, far_end), Work("notice", send, nothing)
    engine = engine_of(small_desk, slow, mail)
    small_desk.plan(small_desk.doors(20), soon())
    with started(engine):
        until(lambda: len(small_desk.acts) == 6)
        with write(small_desk.sessions) as session:
            wake(session, "notice", 7, 1, soon())
        in_time = sent.wait(10)
        let_go.set()
    assert in_time


def test_rows_that_nothing_would_wake_are_planned_again(desk: FaultDesk) -> None:
    engine = engine_of(desk, heartbeat_seconds=0.5)
    doors = desk.doors(10)
    lost = desk.plan(doors, soon())
    forget_wake_ups(desk.database)
    desk.use(lambda *_: None)
    due_at = soon(3).replace(microsecond=0)
    without_engine = desk.plan(doors, due_at)
    with started(engine):
        until(lambda: set(desk.outcomes()) == set(lost))
        assert datetime.now(UTC) < due_at
        until(lambda: len(desk.outcomes()) == 20)
    assert desk.outcomes() == dict.fromkeys(lost + without_engine, 1)


def test_a_row_that_stays_open_is_not_run_at_every_pass(small_desk: FaultDesk) -> None:
    runs: list[int] = []

    def leave_open(row: int, _rev: int) -> None:
        runs.append(row)

    engine = engine_of(small_desk, Work("check", leave_open, overdue), heartbeat_seconds=0.2)
    small_desk.plan(small_desk.doors(1), soon())
    with started(engine):
        until(lambda: len(runs) == 2)
        time.sleep(2)
    assert len(runs) == 2


def test_work_claimed_but_never_begun_is_run_by_its_own_process(desk: FaultDesk) -> None:
    engine = engine_of(desk, heartbeat_seconds=0.3)
    planned = desk.plan(desk.doors(3), soon(3600))
    with started(engine):
        claim_wake_ups(desk.database, executor_name())
        until(lambda: len(desk.outcomes()) == len(planned))
    assert desk.outcomes() == dict.fromkeys(planned, 1)


def test_a_graceful_stop_finishes_what_runs_and_hands_back_the_rest(desk: FaultDesk) -> None:
    desk.seconds = 0.7
    engine = engine_of(desk, silent_seconds=3600)
    planned = desk.plan(desk.doors(60), soon())
    with started(engine):
        until(lambda: desk.acts)
    begun = {check for check, _, _ in desk.acts}
    assert set(desk.outcomes()) == begun
    assert len(begun) < len(planned)
    desk.seconds = 0
    with started(engine):
        until(lambda: len(desk.outcomes()) == len(planned))
    assert desk.outcomes() == dict.fromkeys(planned, 1)
    assert len(desk.acts) == len(planned)


def test_a_live_process_has_a_heartbeat_and_runs_one_engine(desk: FaultDesk) -> None:
    with started(engine_of(desk)):
        with desk.sessions() as session:
            worker = session.get_one(Worker, executor_name())
            assert abs(worker.seen_at - datetime.now(UTC)) < timedelta(seconds=10)
        with pytest.raises(RuntimeError, match="already runs an engine"):
            Engine(desk.database, ()).start()
    with desk.sessions() as session:
        assert session.get(Worker, executor_name()) is None


def test_ended_wake_ups_are_forgotten_after_days(desk: FaultDesk) -> None:
    with started(engine_of(desk)):
        desk.plan(desk.doors(3), soon())
        until(lambda: statuses(desk) == ["SUCCESS"] * 3)
    desk.plan(desk.doors(1), soon(3600))
    with started(Engine(desk.database, (), clock=lambda: soon(2 * 86400))):
        time.sleep(0.5)
        assert wake_ups(desk.database) == 4
    with started(Engine(desk.database, (), clock=lambda: soon(7 * 86400))):
        until(lambda: statuses(desk) == ["DELAYED"])


def test_periodic_work_runs_at_the_start_and_again_even_after_a_fault(small_desk: FaultDesk) -> None:
    runs: list[float] = []

    def expire_holds() -> None:
        runs.append(time.monotonic())
        raise RuntimeError("a fault of ours")

    engine = Engine(small_desk.database, (), [Every("holds", 0.2, expire_holds)])
    engine.prepare()
    with started(engine):
        until(lambda: len(runs) >= 3)


def test_a_naive_instant_and_an_unknown_kind_are_refused(small_desk: FaultDesk) -> None:
    engine_of(small_desk)
    with small_desk.sessions() as session:
        with pytest.raises(ValueError, match="time zone"):
            wake(session, "check", 1, 1, datetime(2026, 11, 24, 10))
        with pytest.raises(KeyError, match="chekc"):
            wake(session, "chekc", 1, 1, soon())


def test_a_session_without_a_waker_plans_nothing(small_desk: FaultDesk) -> None:
    with small_desk.sessions() as session:
        wake(session, "check", 1, 1, soon())
        assert not session.in_transaction()


def test_importing_the_engine_does_not_import_dbos() -> None:
    program = "import sys, scheduler.engine, scheduler.waking; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def statuses(desk: FaultDesk) -> list[str]:
    """DBOS's word for each wake-up."""
    return [status for _, status in desk.flows()]
