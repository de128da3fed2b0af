"""What one page, one booking and one check cost, measured on this machine on each database for `capacity`.

The web and worker processes are real ones, the PBX is a real sshd on loopback; a booking is made over HTTP with all it
writes. CPU comes from the kernel's accounts, bytes from the database's, syncs of the disk from PostgreSQL's account of
its log and for SQLite from strace, where it is installed.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from sqlalchemy import func, select

from benchmarks.availability import signed_in
from fixtures import sshd
from fixtures.postgres import PostgresCluster
from fixtures.served import Client, Installed, Process
from scheduler.checks.pins import confirm_line
from scheduler.engine import setup
from scheduler.engine.planning import Planner
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint, Check, CustomerKey

CUSTOMERS, BOOKERS, EACH = 200, 8, 20
HOSTS = 40
"""So many far ends that none is logged in to more often than is allowed within a quarter of an hour."""
BOOKINGS = BOOKERS * EACH
FAR_AHEAD = 4 * 48
"""Slots of half an hour to pass over, so that all five checks of a booking are still to come."""
PAGES, PLANNED = 60, 100
EVERYWHERE = {"ListenAddress": "0.0.0.0", "MaxSessions": "50"}  # noqa: S104 - all of 127.0.0.0/8, with a key of its own


SIZES = """SELECT sum(pg_total_relation_size(oid)),
    sum(pg_total_relation_size(oid)) FILTER (WHERE relnamespace = 'dbos'::regnamespace)
    FROM pg_class WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'dbos'::regnamespace)"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Milliseconds of CPU, bytes and syncs for one of each; on SQLite the database works inside our processes."""

    kind: str
    page_ms: float
    page_db_ms: float
    booking_ms: float
    booking_db_ms: float
    booking_syncs: float
    booking_log_bytes: float
    booking_bytes: float
    check_ms: float
    check_db_ms: float
    check_syncs: float
    check_bytes: float
    engine_bytes: float
    """Of a booking's and its first check's bytes: how many are the engine's, which forgets them after three days."""
    customer_bytes: float
    planning_ms: float
    """Wall time in which one check that has come near is planned; one process does it, one after the other."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the database has used so far."""

    cpu_ms: float = 0.0
    log_bytes: int = 0
    syncs: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of all rows and indexes, without what deleted ones have left; and how many of these are the engine's."""

    bytes: int
    engine_bytes: int = 0


def measure_costs(kind: str) -> Costs:
    """Everything, in some two minutes. Raises PostgresUnavailable."""
    with _desk(kind) as (desk, customer_bytes):
        page, page_db = _pages(desk)
        rooms, before = [room(desk)], account(desk)
        booking, booking_db, syncs = _bookings(desk)
        booked = account(desk)
        rooms.append(room(desk))
        began = account(desk)
        check, check_db = _checks(desk)
        checked = account(desk)
        rooms.append(room(desk))
        return Costs(
            kind=kind,
            page_ms=page,
            page_db_ms=page_db,
            booking_ms=booking,
            booking_db_ms=booking_db,
            booking_syncs=syncs or (booked.syncs - before.syncs) / BOOKINGS,
            booking_log_bytes=(booked.log_bytes - before.log_bytes) / BOOKINGS,
            booking_bytes=(rooms[1].bytes - rooms[0].bytes) / BOOKINGS,
            check_ms=check,
            check_db_ms=check_db,
            check_syncs=(checked.syncs - began.syncs) / BOOKINGS,
            check_bytes=(rooms[2].bytes - rooms[1].bytes) / BOOKINGS,
            engine_bytes=(rooms[2].engine_bytes - rooms[0].engine_bytes) / BOOKINGS,
            customer_bytes=customer_bytes,
            planning_ms=_planning(desk),
        )


@contextmanager
def _desk(kind: str) -> Iterator[tuple[Installed, float]]:
    """A desk whose customers' PBXs are one sshd at many loopback addresses, and what a customer takes in bytes."""
    cluster = PostgresCluster() if kind == "postgresql" else None
    with (
        tempfile.TemporaryDirectory(prefix="ventana-bench-") as folder,
        cluster or nullcontext(),
        sshd.Sshd(Path(folder) / "sshd", options=EVERYWHERE) as server,
    ):
        hosts = [f"127.0.0.{number}" for number in range(1, HOSTS + 1)]
        desk = Installed(Path(folder), url=cluster.url() if cluster else "")
        desk.settings = {"VENTANA_LOOPBACK_PORTS": ",".join(f"{host}:{server.port}" for host in hosts)}
        desk.service().close()
        empty = room(desk).bytes
        desk.fill(CUSTOMERS, BOOKERS, host="127.0.0.1", port=server.port, username=server.username)
        _open_doors(desk, server, hosts)
        yield desk, (room(desk).bytes - empty) / CUSTOMERS


def _open_doors(desk: Installed, server: sshd.Sshd, hosts: list[str]) -> None:
    service = desk.service()
    try:
        with write(service.sessions) as session:
            for number, door in enumerate(session.scalars(select(AccessPoint).order_by(AccessPoint.id))):
                door.host = hosts[number % len(hosts)]
                confirm_line(session, door, server.host_key_line(), "benchmark", door.created_at)
            server.authorize(session.scalars(select(CustomerKey.public_key)))
    finally:
        service.close()


def _pages(desk: Installed) -> tuple[float, float]:
    """CPU of the dearest page of a customer's way, the choice of a time: the web's, the database's."""
    cookie, client = signed_in(desk), desk.clients[0]
    page = f"/book/time?entitlement={client.entitlement}&door={client.access_point}"
    with desk.serving("--no-work") as server:
        browser = desk.browser(client.token)
        assert {browser.get(page, Cookie=cookie).status for _ in range(10)} == {200}
        spent, used = server.cpu_seconds(), account(desk).cpu_ms
        for _ in range(PAGES):
            browser.get(page, Cookie=cookie)
        browser.close()
        took = (server.cpu_seconds() - spent) * 1000 / PAGES
        return took, (account(desk).cpu_ms - used) / PAGES


def _bookings(desk: Installed) -> tuple[float, float, float]:
    """CPU of one, the web's and the database's; on SQLite also how often the disk is made to keep something."""
    with desk.serving("--no-work") as server, ThreadPoolExecutor(BOOKERS) as pool:
        first = desk.browser(desk.clients[0].token)
        asked = first.get("/api/v1/slots?technician=1&kind=maintenance&days=31&minutes=30").body["slots"]
        starts = [slot["start_at"] for slot in asked][FAR_AHEAD : FAR_AHEAD + EACH]
        spent, used = server.cpu_seconds(), account(desk).cpu_ms
        with _counted_syncs(desk, server) as counted:
            won = sum(pool.map(partial(_book, desk, starts), range(BOOKERS)))
        took, database = server.cpu_seconds() - spent, account(desk).cpu_ms - used
        assert won == BOOKINGS
    return took * 1000 / BOOKINGS, database / BOOKINGS, (counted[0] if counted else 0) / BOOKINGS


def _book(desk: Installed, starts: list[str], number: int) -> int:
    """One technician's bookings, each by another of the customers."""
    mine = desk.clients[number::BOOKERS]
    return sum(_book_one(desk, mine[at % len(mine)], number + 1, start) for at, start in enumerate(starts))


def _book_one(desk: Installed, client: Client, technician: int, start: str) -> bool:
    wish: dict[str, Any] = {
        "access_point": client.access_point,
        "entitlement": client.entitlement,
        "minutes": 30,
    }
    browser = desk.browser(client.token)
    answer = browser.post("/api/v1/bookings", wish | {"technician": technician, "start_at": start})
    browser.close()
    return answer.status == 201


@contextmanager
def _counted_syncs(desk: Installed, server: Process) -> Iterator[list[int]]:
    """Where strace is installed, and nobody else keeps the account: how often the processes asked the disk to keep."""
    counted: list[int] = []
    if desk.url or not shutil.which("strace"):
        yield counted
        return
    told = desk.folder / "syncs"
    pids = [part for pid in server.pids for part in ("-p", str(pid))]
    command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(told), *pids]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        tracer.stderr.readline()  # "attached": from here on nothing is missed
        yield counted
        tracer.send_signal(signal.SIGINT)
    rows = [line.split() for line in told.read_text().splitlines() if re.search(r" f(data)?sync$", line)]
    counted.append(sum(int(row[3]) for row in rows))


def _checks(desk: Installed) -> tuple[float, float]:
    """CPU of one, the worker's and the database's, between the first fifth and the end of those due at once."""
    worker = desk.working()
    try:
        points = [_when_done(desk, worker, BOOKINGS // 5), _when_done(desk, worker, BOOKINGS)]
    finally:
        worker.stop()
    ((count, cpu, database),) = [[b - a for a, b in zip(*pair, strict=True)] for pair in pairwise(points)]
    return cpu * 1000 / count, database / count


def _when_done(desk: Installed, worker: Process, wanted: int) -> tuple[float, float, float]:
    """How many are done, and the CPU of both by then."""
    service, ends = desk.service(), time.monotonic() + 300
    try:
        while True:
            with read(service.sessions) as session:
                done = (
                    session.scalar(select(func.count()).select_from(Check).where(Check.verdict == "ready"))
                    or 0
                )
            if done >= wanted:
                return done, worker.cpu_seconds(), account(desk).cpu_ms
            assert worker.running and time.monotonic() < ends, worker.log()[-2000:]  # noqa: PT018
            time.sleep(0.2)
    finally:
        service.close()


def _planning(desk: Installed) -> float:
    """Wall milliseconds to plan one of many checks that have come near, as the engine's reconciler does."""
    service = desk.service()
    engine = setup.engine_database(service.database)
    planner = Planner(setup.client(engine), service.works, service.clock)
    try:
        with write(service.sessions) as session:
            rows = session.execute(
                select(Check.id, Check.rev, Check.due_at).where(Check.state == "planned").limit(PLANNED)
            ).all()
        began = time.perf_counter()
        with read(service.sessions) as session:
            for row in rows:
                planner.again(session, "check", row.id, row.rev, row.due_at)
        return (time.perf_counter() - began) * 1000 / len(rows)
    finally:
        engine.dispose()
        service.close()


def account(desk: Installed) -> Account:
    """The server's own account; on SQLite there is no server, and nothing but our processes has worked."""
    if not desk.url:
        return Account()
    with psycopg.connect(desk.url) as connection:
        mine = connection.info.backend_pid
        log, syncs = _one(connection, "SELECT wal_bytes, wal_sync FROM pg_stat_wal")
        return Account(_tree_ms(mine), log, syncs)


def room(desk: Installed) -> Room:
    """Asked of the database once it has cleared away what is dead."""
    if desk.url:
        with psycopg.connect(desk.url, autocommit=True) as connection:
            connection.execute("VACUUM FULL")
            return Room(*_one(connection, SIZES))
    with closing(sqlite3.connect(desk.folder / "ventana.db", timeout=30)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, size = (
            file.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return Room((pages - free) * size)


def _one(connection: psycopg.Connection, question: LiteralString) -> list[int]:
    row = connection.execute(question).fetchone()
    assert row
    return [int(value or 0) for value in row]


def _tree_ms(backend: int) -> float:
    """CPU of the server of this backend: its living processes and, by the kernel's account, those that ended."""
    server = int(_stat(backend)[1])
    children = Path(f"/proc/{server}/task/{server}/children").read_text("ascii").split()
    ticks = sum(int(_stat(server)[place]) for place in (11, 12, 13, 14))
    for child in map(int, children):
        try:
            ticks += sum(int(_stat(child)[place]) for place in (11, 12))
        except FileNotFoundError:
            continue
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
