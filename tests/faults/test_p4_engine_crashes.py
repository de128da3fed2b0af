"""Workers killed in the midst of their work: each due check still gets exactly one recorded outcome.

The broken control, which marks its rows done before it acts, must lose some: otherwise these tests see nothing.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.databases import Database
from scheduler.engine import Engine, EngineBusy
from tests.faults.patience import until
from tests.faults.programs.desk import FaultDesk, engine_of, soon, started

ROOT = Path(__file__).parents[2]
DUE = 100


class Worker:
    """A worker program and the name under which it executes."""

    def __init__(self, url: str, way: str = "guarded", seconds: float = 0.2) -> None:
        program = "tests.faults.programs.worker"
        self.process = subprocess.Popen(
            [sys.executable, "-m", program, url, way, str(seconds)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()

    def kill(self) -> None:
        """As a power cut or the kernel's memory killer would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=10)

    def end(self) -> str:
        """Ask it to stop, and return what it had to say."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err
        return out + err


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    """Workers of this test; none survives it."""
    started_here: list[Worker] = []
    yield started_here
    for worker in started_here:
        if worker.process.poll() is None:
            worker.kill()


@pytest.fixture
def desk(database: Database) -> FaultDesk:
    """A desk with its engine's tables, planning only."""
    made = FaultDesk(database.engine)
    engine_of(made)
    return made


def url_of(desk: FaultDesk) -> str:
    """With the password."""
    return desk.database.url.render_as_string(hide_password=False)


def test_a_worker_killed_amid_due_checks(desk: FaultDesk, workers: list[Worker]) -> None:
    planned = desk.plan(desk.doors(10) * (DUE // 10), soon())
    workers.append(Worker(url_of(desk)))
    until(lambda: len(desk.outcomes()) >= 10 and desk.begun_by_executor())
    workers[0].kill()
    assert len(desk.outcomes()) < DUE, "killed too late to prove anything"
    workers.append(Worker(url_of(desk)))
    until(lambda: len(desk.outcomes()) == DUE, seconds=90)
    assert desk.outcomes() == dict.fromkeys(planned, 1)
    assert set(desk.states().values()) == {"done"}


def test_the_broken_control_loses_what_was_under_way(desk: FaultDesk, workers: list[Worker]) -> None:
    planned = desk.plan(desk.doors(12), soon())
    workers.append(Worker(url_of(desk), "mark-first", seconds=3))
    until(lambda: "done" in desk.states().values())
    workers[0].kill()
    assert desk.outcomes() == {}, "killed too late to prove anything"
    workers.append(Worker(url_of(desk), "mark-first", seconds=0))
    until(lambda: set(desk.states().values()) == {"done"}, seconds=90)
    workers[1].end()
    assert len(desk.outcomes()) < len(planned)


def test_the_survivor_runs_the_work_of_a_dead_worker(
    postgresql_database: Database, workers: list[Worker]
) -> None:
    desk = FaultDesk(postgresql_database.engine)
    engine_of(desk)
    workers += [Worker(url_of(desk), seconds=1), Worker(url_of(desk), seconds=1)]
    planned = desk.plan(desk.doors(80), soon())
    until(lambda: len(desk.begun_by_executor()) == 2)
    workers[0].kill()
    assert desk.begun_by_executor()[workers[0].said] > 0, "killed too late to prove anything"
    until(lambda: len(desk.outcomes()) == len(planned), seconds=90)
    assert desk.outcomes() == dict.fromkeys(planned, 1)
    assert f"silent processes are run again: {workers[0].said}" in workers[1].end()


def test_a_second_process_is_refused_on_sqlite_until_the_first_is_dead(
    sqlite_database: Database, workers: list[Worker]
) -> None:
    desk = FaultDesk(sqlite_database.engine)
    engine_of(desk)
    workers.append(Worker(url_of(desk)))
    with pytest.raises(EngineBusy, match=f"process {workers[0].process.pid} already runs") as refused:
        Engine(desk.database, ()).start()
    assert refused.value.pid == workers[0].process.pid
    assert "PostgreSQL" in str(refused.value)
    workers[0].kill()
    with started(Engine(desk.database, ())):
        second = Worker(url_of(desk))
        assert second.said.startswith("busy: ")
        second.process.communicate(timeout=10)
        assert second.process.returncode == 3


def test_a_worker_that_ends_well_says_nothing(sqlite_database: Database, workers: list[Worker]) -> None:
    desk = FaultDesk(sqlite_database.engine)
    engine_of(desk)
    desk.plan(desk.doors(5), soon())
    workers.append(Worker(url_of(desk)))
    until(lambda: len(desk.outcomes()) == 5)
    assert workers[0].end() == ""
