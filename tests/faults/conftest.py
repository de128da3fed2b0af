"""What every fault suite has: a place to say what it did, printed at the end and kept where a release is proven."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures import sshd
from fixtures.databases import Database, Server
from fixtures.postgres import PostgresCluster, PostgresUnavailable
from tests.conftest import fast_folder
from tests.faults.sizes import SHARE

RESULTS = Path(__file__).parents[2] / "var" / "fault-results.jsonl"
Measured = Callable[..., None]
NUMBERS = itertools.count(1)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Call it with what was done and found since the last time; a release's are kept in var/fault-results.jsonl."""
    began = time.monotonic()
    promise = Path(str(request.node.path)).name.split("_")[1].upper()

    def say(what: str, database: str = "", **counts: float) -> None:
        nonlocal began
        counts["seconds"], began = round(time.monotonic() - began, 1), time.monotonic()
        facts = "  ".join(f"{name} {value:,}" for name, value in counts.items())
        request.node.user_properties.append(("measured", f"{promise:4}{what} {database}: {facts}"))
        if SHARE:
            RESULTS.parent.mkdir(exist_ok=True)
            row = {"promise": promise, "what": what, "database": database, "at": time.strftime("%F %R")}
            with RESULTS.open("a") as file:
                file.write(json.dumps(row | counts) + "\n")

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the suites did, beside how many passed, whichever worker ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "measured" and report.when == "call":
                    terminalreporter.write_line(str(value))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[sshd.Sshd]:
    """A real sshd that listens on every loopback address, so that it is many far ends."""
    if (reason := sshd.missing()) is not None:
        pytest.skip(reason)
    options = {"ListenAddress": "0.0.0.0", "MaxSessions": "50", "MaxStartups": "200"}
    with sshd.Sshd(tmp_path / "sshd", options=options) as running:
        yield running


@pytest.fixture(scope="session")
def own_cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL server that may be killed, with the migrated template in it; the run's other tests use another."""
    try:
        # In memory where there is room: a recovery syncs every file, and killed processes leave memory as it is.
        cluster = PostgresCluster(parent=fast_folder())
    except PostgresUnavailable as problem:
        pytest.skip(str(problem))
    with cluster:
        server = Server(cluster.url())
        server.make_template()
        server.close()
        yield cluster


@pytest.fixture
def mortal_database(own_cluster: PostgresCluster) -> Iterator[Database]:
    """A database of this test alone on the server that may be killed; the server runs again afterwards."""
    server = Server(own_cluster.url())
    made = Database("postgresql", server.copy(name := f"mortal_{next(NUMBERS)}"))
    server.close()
    yield made
    made.close()
    server = Server(own_cluster.url())
    server.drop(name)
    server.close()
