"""The drill: a backup taken while customers book restores whole, with everything acknowledged before it was begun.

A plain copy of the live file must fail the same drill, or it proves nothing.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.databases import Database, Server
from fixtures.postgres import find_binaries
from fixtures.served import PROGRAM, ROOT, Installed
from scheduler.store.engines import read
from tests.faults.conftest import Measured
from tests.faults.crowd import Crowd, in_brief, table
from tests.faults.halves import halves
from tests.faults.history import Event, judge
from tests.faults.sizes import size
from tests.faults.test_p2_kills import crowd_at_work, installed_on, until_more

DRILLS = size(1, 24)


@pytest.fixture
def new_database(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], str]]:
    """Makes URLs of empty databases of the same kind."""
    made: list[str] = []
    server: Server | None = None
    if database.kind == "postgresql":
        server = request.getfixturevalue("postgres_server")

    def make() -> str:
        name = f"restored_{len(made)}"
        made.append(name)
        return server.copy(name, "template0") if server else f"sqlite:///{tmp_path / name}.db"

    yield make
    for name in made:
        if server:
            server.drop(name)


def ventana(installed: Installed, *arguments: str) -> str:
    """A command of the product beside the running server; what it printed."""
    path = f"{find_binaries()}:{installed.environment['PATH']}"
    done = subprocess.run(
        [sys.executable, *PROGRAM, *arguments],
        cwd=ROOT,
        env=installed.environment | {"PATH": path, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def known_at(events: list[Event], began: float, ended: float) -> list[Event]:
    """What had been answered when the backup began; of what came during it nothing is known."""
    return [
        event if event.ended <= began else replace(event, status=0, got=None, code="")
        for event in events
        if event.begun < ended
    ]


def test_a_backup_under_load_restores_whole(
    database: Database, tmp_path: Path, new_database: Callable[[], str], measured: Measured
) -> None:
    installed = installed_on(database, tmp_path)
    taken: list[tuple[Path, float, float]] = []
    with installed.serving("--no-work"), crowd_at_work(installed) as crowd:
        for number in range(DRILLS):
            until_more(crowd, 5)
            file, began = tmp_path / f"backup{number}", time.monotonic()
            ventana(installed, "backup", str(file))
            taken.append((file, began, time.monotonic()))
    for file, began, ended in taken:
        url = new_database()
        said = ventana(installed, "restore", str(file), "--to", url, "--verify")
        assert "is restored and whole" in said
        restored = Database(database.kind, url)
        assert lost_or_half(restored, crowd, known_at(crowd.events, began, ended)) == []
        restored.close()
        assert file.stat().st_mode & 0o077 == 0
    measured("restored under load", database.kind, backups=DRILLS, **in_brief(crowd.events), lost=0, half=0)


def lost_or_half(restored: Database, crowd: Crowd, events: list[Event]) -> list[str]:
    """What is missing in a restored database."""
    with read(restored.sessions) as session:
        missing = halves(session)
    rows = [row for row in table(restored) if crowd.place.holds(row.span)]
    return judge(events, rows).wrong + missing


def test_a_plain_copy_of_the_live_file_loses_some(sqlite_database: Database, tmp_path: Path) -> None:
    installed = installed_on(sqlite_database, tmp_path)
    with installed.serving("--no-work"), crowd_at_work(installed) as crowd:
        until_more(crowd, 5)
        began = time.monotonic()
        shutil.copyfile(tmp_path / "ventana.db", tmp_path / "copied.db")
        ended = time.monotonic()
    copied = Database("sqlite", f"sqlite:///{tmp_path / 'copied.db'}")
    assert lost_or_half(copied, crowd, known_at(crowd.events, began, ended)), "the control lost nothing"
    copied.close()
