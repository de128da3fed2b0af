"""How late checks begin when a thousand are due in one minute, each with a second of network.

One executing process on PostgreSQL. The checks are rows only, as a booking writes those that are hours away: the
engine's look at what comes due finds them. The second of network is a wait; lateness is by the clock, due to begun.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from benchmarks.desks import kinds
from benchmarks.table import Line
from fixtures.databases import Database, Server
from fixtures.postgres import PostgresCluster
from scheduler.engine import Engine
from tests.faults.patience import until
from tests.faults.programs.desk import FaultDesk, soon

CHECKS, MINUTE, NETWORK_SECONDS = 1000, 60.0, 1.0
MOST_SECONDS = 2.0
START_SECONDS = 30
"""The engine has started long before the first is due."""


def measure() -> Iterator[Line]:
    """Median and 99th percentile, in seconds."""
    if "postgresql" not in list(kinds()):
        return
    with _database() as database:
        late = sorted(_late(database))
    yield Line(f"{CHECKS:,} checks in a minute: begun late, median", late[CHECKS // 2], "s")
    yield Line("the same, 99 of 100", late[CHECKS * 99 // 100 - 1], "s", at_most=MOST_SECONDS)


@contextmanager
def _database() -> Iterator[Database]:
    with PostgresCluster() as cluster:
        server = Server(cluster.url())
        server.make_template()
        database = Database("postgresql", server.copy("late"))
        yield database
        database.close()


def _late(database: Database) -> list[float]:
    """Seconds between due and begun, of each check; every one must have begun once."""
    desk = FaultDesk(database.engine, NETWORK_SECONDS)
    engine = Engine(database.engine, (desk.work(per_door=True),))
    engine.prepare()
    due = {}
    first = soon(START_SECONDS)
    for number, door in enumerate(desk.doors(CHECKS)):
        at = (first + timedelta(seconds=number * MINUTE / CHECKS)).replace(microsecond=0)
        (check_id,) = desk.plan([door], at)
        due[check_id] = at
    clock, wall = time.monotonic(), soon()
    engine.start()
    try:
        until(lambda: len(desk.outcomes()) == CHECKS, seconds=10 * MINUTE)
    finally:
        engine.stop(5)
    begun = {check_id: wall + timedelta(seconds=at - clock) for check_id, _, at in desk.acts}
    assert len(desk.acts) == len(begun) == CHECKS
    return [(begun[check_id] - at).total_seconds() for check_id, at in due.items()]
