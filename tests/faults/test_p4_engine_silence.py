"""Who counts as dead: judged by change, so that no clock can bury a live worker."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from fixtures.databases import Database
from scheduler.engine.heartbeat import Silence
from scheduler.store.engines import read, write
from scheduler.store.models import Worker

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


class Watch:
    """A monotonic clock set by hand, and one other worker's heartbeat."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.seconds = 0.0
        self.silence = Silence(30, lambda: self.seconds)

    def beat(self, seen_at: datetime, executor: str = "other") -> None:
        with write(self.database.sessions) as session:
            session.execute(delete(Worker).where(Worker.executor == executor))
            session.add(Worker(executor=executor, started_at=NOW, seen_at=seen_at))

    def dead(self, after: float, *running: str) -> set[str]:
        """What looking every five seconds, for so long, finds at last."""
        while after > 5:
            self.look(5, *running)
            after -= 5
        return self.look(after, *running)

    def look(self, after: float, *running: str) -> set[str]:
        self.seconds += after
        with read(self.database.sessions) as session:
            return self.silence.observe(session.connection(), running)


@pytest.fixture
def watch(sqlite_database: Database) -> Watch:
    return Watch(sqlite_database)


def test_an_unchanged_heartbeat_is_silent_after_thirty_seconds_of_watching(watch: Watch) -> None:
    watch.beat(NOW - timedelta(days=1))
    assert watch.dead(0) == set()
    assert watch.dead(29) == set()
    assert watch.dead(1) == {"other"}


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_jumping_clock_buries_nobody(watch: Watch, jump: timedelta) -> None:
    for step in range(20):
        watch.beat(NOW + timedelta(seconds=5 * step) + (jump if step > 10 else timedelta(0)))
        assert watch.dead(5) == set()


def test_a_worker_that_beats_again_lives_again(watch: Watch) -> None:
    watch.beat(NOW)
    watch.dead(0)
    assert watch.dead(30) == {"other"}
    watch.beat(NOW + timedelta(seconds=40))
    assert watch.dead(5) == set()


def test_work_of_a_process_without_a_row_is_taken_over_too(watch: Watch) -> None:
    assert watch.dead(0, "unknown") == set()
    assert watch.dead(30, "unknown") == {"unknown"}
    assert watch.dead(1) == set()


def test_time_in_which_we_could_not_look_says_nothing(watch: Watch) -> None:
    watch.beat(NOW)
    watch.dead(0)
    assert watch.look(3600) == set()
    watch.beat(NOW + timedelta(hours=1))
    assert watch.dead(25) == set()
