"""Databases for every suite: each test its own, migrated, on SQLite and on PostgreSQL alike.

One PostgreSQL server serves the whole run, however many workers pytest-xdist starts. It is kept
by a process of its own that ends with the run, even when the run is killed.
"""

import contextlib
import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import databases
from fixtures.databases import Database, Server

RUN_FOLDER = "VENTANA_TEST_RUN"
ROOT = Path(__file__).parent.parent
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """The first process of the run makes the folder in which the workers meet."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="ventana-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process ends the server, if a test has started one."""
    if hasattr(config, "workerinput") or RUN_FOLDER not in os.environ:
        return
    folder = Path(os.environ.pop(RUN_FOLDER))
    with contextlib.suppress(FileNotFoundError):
        _end(int((folder / "keeper.pid").read_text()))
    shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that tests have recorded, whichever worker ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "table" and report.when == "call":
                    terminalreporter.section(report.nodeid)
                    terminalreporter.write_line(str(value))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The run's PostgreSQL server with the migrated template in it; skips where none is installed."""
    folder = Path(os.environ[RUN_FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "answer").exists():
            (folder / "answer").write_text(_start_server(folder))
        answer = (folder / "answer").read_text()
    if not answer.startswith("postgresql://"):
        pytest.skip(answer)
    server = Server(answer)
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    return databases.make_file(tmp_path_factory.mktemp("template") / "ventana.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of this test alone, once per kind."""
    made: Database = request.getfixturevalue(f"{request.param}_database")
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table, once per kind."""
    if request.param == "sqlite":
        empty = Database("sqlite", f"sqlite:///{tmp_path / 'empty.db'}")
        yield empty
        empty.close()
    else:
        with _on_server(request.getfixturevalue("postgres_server"), "template0") as empty:
            yield empty


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database of this test alone."""
    made = Database("sqlite", databases.copy_file(sqlite_template, tmp_path / "ventana.db"))
    yield made
    made.close()


@pytest.fixture
def postgresql_database(postgres_server: Server) -> Iterator[Database]:
    """A migrated PostgreSQL database of this test alone."""
    with _on_server(postgres_server, databases.TEMPLATE) as made:
        yield made


@contextlib.contextmanager
def _on_server(server: Server, template: str) -> Iterator[Database]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_{worker}_{next(_numbers)}"
    made = Database("postgresql", server.copy(name, template))
    try:
        yield made
    finally:
        made.close()
        server.drop(name)


def _start_server(folder: Path) -> str:
    """The server's URL, or why there is none."""
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    with (folder / "keeper.log").open("w+") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "fixtures.postgres", str(owner)],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": fast_folder()},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        (folder / "keeper.pid").write_text(str(keeper.pid))
        assert keeper.stdout
        with keeper.stdout:
            url = keeper.stdout.readline().strip()
        if not url:
            keeper.wait()
            log.seek(0)
            return f"PostgreSQL: {log.read().strip()[-400:]}"
    keeper.returncode = 0  # the run's first process ends it; this object shall not wonder about it
    server = Server(url)
    server.make_template()
    server.close()
    return url


def fast_folder() -> str:
    """Memory where there is plenty: each test's own database costs several waits for a disk otherwise."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3
    return str(memory) if roomy else tempfile.gettempdir()


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    for _ in range(300):
        with contextlib.suppress(ChildProcessError):  # ours only when no worker started it
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
