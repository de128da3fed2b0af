"""A desk behind a real port, and the programs of other people that read its calendars."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.databases import Database
from fixtures.environments import Unavailable, node_folder_of, python_of
from tests.calendars.serving import Served, serve

HERE = Path(__file__).parent


@pytest.fixture
def served(sqlite_database: Database) -> Iterator[Served]:
    """A desk with an event of every kind."""
    yield from serve(sqlite_database)


@dataclass(frozen=True)
class Python:
    """The environment of the Python clients."""

    interpreter: Path

    def run(self, script: str, *arguments: str) -> Any:
        """What one of our programs in it says, from JSON."""
        return json.loads(_said([str(self.interpreter), str(HERE / script), *arguments]))

    def tool(self, name: str, *arguments: str, **options: Any) -> str:
        """What one of its commands prints."""
        return _said([str(self.interpreter.with_name(name)), *arguments], **options)


@dataclass(frozen=True)
class Node:
    """The folder of the JavaScript clients."""

    folder: Path

    def run(self, script: str, *arguments: str) -> Any:
        """What one of our programs in it says, from JSON."""
        return json.loads(_said(["node", script, *arguments], cwd=self.folder))


def _said(command: list[str], **options: Any) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)
    assert run.returncode == 0, f"{run.stdout[-2000:]}\n{run.stderr[-4000:]}"
    said: str = run.stdout
    return said


@pytest.fixture(scope="session")
def python_clients() -> Python:
    """vdirsyncer, python-caldav, khal, ics.py and icalendar."""
    try:
        return Python(python_of(HERE / "clients.lock", "calendar-clients"))
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def node_clients() -> Node:
    """tsdav, ical.js and ts-ics."""
    try:
        return Node(node_folder_of(HERE / "node", "calendar-node"))
    except Unavailable as reason:
        pytest.skip(str(reason))
