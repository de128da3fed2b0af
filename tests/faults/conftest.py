"""What every fault suite has: a place to say what it did, printed at the end and kept where a release is proven."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.sizes import SHARE

RESULTS = Path(__file__).parents[2] / "var" / "fault-results.jsonl"
SAID = pytest.StashKey[list[str]]()
Measured = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    """A list for the run."""
    config.stash[SAID] = []


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Call it with what was done and found; at release size it is also appended to var/fault-results.jsonl."""
    began = time.monotonic()
    promise = Path(str(request.node.path)).name.split("_")[1].upper()

    def say(what: str, database: str = "", **counts: float) -> None:
        counts["seconds"] = round(time.monotonic() - began, 1)
        facts = "  ".join(f"{name} {value:,}" for name, value in counts.items())
        request.config.stash[SAID].append(f"{promise:4}{what} {database}: {facts}")
        if SHARE:
            RESULTS.parent.mkdir(exist_ok=True)
            row = {"promise": promise, "what": what, "database": database, "at": time.strftime("%F %R")}
            with RESULTS.open("a") as file:
                file.write(json.dumps(row | counts) + "\n")

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the suites did, beside how many passed."""
    for line in config.stash[SAID]:
        terminalreporter.write_line(line)
