"""kill −9 of the server and of PostgreSQL while customers book: nothing acknowledged is lost, nothing is half there.

A server that answers before it commits must lose some, or these tests see nothing.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.databases import Database
from fixtures.postgres import PostgresCluster
from fixtures.served import PROGRAM, Installed, Process
from scheduler.store.engines import read
from tests.faults.conftest import Measured
from tests.faults.crowd import Crowd, Place, in_brief, table
from tests.faults.halves import halves
from tests.faults.history import judge
from tests.faults.sizes import size

CLIENTS = 8
TECHNICIANS = 3
KILLS = size(2, 100)
"""Of the server on each database; PostgreSQL itself is killed as often again."""
HASTY = ("-m", "tests.faults.programs.hasty_server")


def installed_on(database: Database, folder: Path) -> Installed:
    """A desk for the crowd."""
    database.close()
    made = Installed(folder, url=database.url)
    made.fill(CLIENTS, TECHNICIANS)
    return made


@contextmanager
def crowd_at_work(installed: Installed, place: int = 0) -> Iterator[Crowd]:
    """Clients who go on asking whatever happens, until the end of the block."""
    ended = threading.Event()
    crowd = Crowd(installed, Place(TECHNICIANS, place), CLIENTS, place, keep_on=lambda: not ended.is_set())
    clients = threading.Thread(target=crowd.run, args=(1,))
    clients.start()
    try:
        yield crowd
    finally:
        ended.set()
        clients.join()


def until_more(crowd: Crowd, more: int, seconds: float = 60) -> None:
    """Wait until so many more changes were acknowledged."""
    wanted, ends = in_brief(crowd.events)["done"] + more, time.monotonic() + seconds
    while in_brief(crowd.events)["done"] < wanted:
        assert time.monotonic() < ends, "nobody is answered any more"
        time.sleep(0.01)


def assert_nothing_lost(installed: Installed, crowd: Crowd, database: Database) -> None:
    """All that was said is true, and every booking is whole."""
    service = installed.service()
    try:
        with read(service.sessions) as session:
            assert halves(session, service.installation.keys.audit) == []
    finally:
        service.close()
    rows = [row for row in table(database) if crowd.place.holds(row.span)]
    assert judge(crowd.events, rows).wrong == []


def test_a_killed_server_loses_nothing(database: Database, tmp_path: Path, measured: Measured) -> None:
    installed = installed_on(database, tmp_path)
    server = serve(installed)
    try:
        with crowd_at_work(installed) as crowd:
            for number in range(KILLS):
                until_more(crowd, 3)
                if number % 2 == 0:
                    server.kill()
                    server = serve(installed)
                else:
                    kill_child(server)
            until_more(crowd, 1)
    finally:
        server.stop()
    assert_nothing_lost(installed, crowd, database)
    measured("kill −9 of the server", database.kind, faults=KILLS, **in_brief(crowd.events), lost=0, half=0)


def test_a_killed_postgresql_loses_nothing(
    mortal_database: Database, own_cluster: PostgresCluster, tmp_path: Path, measured: Measured
) -> None:
    installed = installed_on(mortal_database, tmp_path)
    kills: list[Callable[[], None]] = [lambda: _crash(own_cluster), lambda: _die(own_cluster)]
    with installed.serving("--no-work"), crowd_at_work(installed) as crowd:
        for number in range(KILLS):
            until_more(crowd, 3)
            kills[number % 2]()
        until_more(crowd, 1)
    assert_nothing_lost(installed, crowd, mortal_database)
    counts = in_brief(crowd.events)
    measured("kill −9 of PostgreSQL", "postgresql", faults=KILLS, **counts, lost=0, half=0)


def test_a_server_that_answers_before_it_commits_loses_some(
    sqlite_database: Database, tmp_path: Path
) -> None:
    installed = installed_on(sqlite_database, tmp_path)
    server = serve(installed, HASTY)
    try:
        with crowd_at_work(installed) as crowd:
            until_more(crowd, 1)
            server.kill()  # what was answered is committed half a minute later: it cannot have been
    finally:
        server.stop()
    assert judge(crowd.events, table(sqlite_database)).lost, (
        "the control lost nothing: this test proves nothing"
    )


def serve(installed: Installed, program: tuple[str, ...] = PROGRAM) -> Process:
    """A server that answers; the caller ends it."""
    options = ("serve", "--no-work") if program == PROGRAM else ()
    process = Process(installed, [*program, *options])
    process.until_it_answers(installed.port)
    return process


def kill_child(server: Process) -> None:
    """Kill the process that serves; its parent starts another."""
    pids = server.pids
    assert len(pids) > 1, server.log()
    os.kill(pids[-1], signal.SIGKILL)


def _crash(cluster: PostgresCluster) -> None:
    cluster.crash()
    cluster.until_it_answers()


def _die(cluster: PostgresCluster) -> None:
    cluster.stop(signal.SIGKILL)
    cluster.start()
