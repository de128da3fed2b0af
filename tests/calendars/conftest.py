"""A desk behind a real port, and the programs of other people that read its calendars."""

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from fixtures.databases import Database
from fixtures.environments import Unavailable, node_folder_of, python_of
from scheduler.calendars.secrets import create_feed, feed_secret, feed_url
from scheduler.rules.secret import Secret
from scheduler.store.engines import write
from tests.calendars import every_kind
from tests.unit.calendars.desk import ANA, BASE, NOW
from tests.web.dav_client import DavDesk, make_desk
from web.app import create_app

HERE = Path(__file__).parent
KEY = Secret("f0" * 32)


class Quiet(WSGIRequestHandler):
    """Writes no line per request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@dataclass
class Served:
    """The desk, where it answers, and the app password of Ana's."""

    desk: DavDesk
    url: str
    user: str
    password: str

    @property
    def credentials(self) -> tuple[str, str, str]:
        """What a CalDAV client is told."""
        return f"{self.url}/dav/", self.user, self.password

    def feed(self, scope: str = "interventions") -> str:
        """The address of a new feed of Ana's."""
        with write(self.desk.sessions) as session:
            path = feed_url(BASE, feed_secret(KEY, create_feed(session, KEY, ANA, scope, NOW))).removeprefix(
                BASE
            )
        return self.url + path


@pytest.fixture
def served(sqlite_database: Database) -> Iterator[Served]:
    """A desk with an event of every kind."""
    desk = make_desk(sqlite_database)
    every_kind.fill(desk)
    server = make_server("127.0.0.1", 0, create_app(desk), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(desk, f"http://127.0.0.1:{server.server_port}", *desk.password())
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Python:
    """The environment of the Python clients."""

    interpreter: Path

    def run(self, script: str, *arguments: str) -> Any:
        """What one of our programs in it says, from JSON."""
        return json.loads(_said([str(self.interpreter), str(HERE / "programs" / script), *arguments]))

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
