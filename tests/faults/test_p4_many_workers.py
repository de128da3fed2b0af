"""Two web processes and three workers on PostgreSQL; one worker is killed −9 every two seconds while customers book.

Every due check has exactly one outcome, with its steps, and one mail about its light. How late they were is printed.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import quantiles

import pytest
from sqlalchemy import func, select

from fixtures import sshd
from fixtures.databases import Database
from fixtures.served import PROGRAM, Installed, Process
from probes.ladders import steps_for
from probes.target import Depth
from scheduler.store.engines import read
from scheduler.store.models import Booking, Check, Notice
from tests.faults.conftest import Measured
from tests.faults.sizes import SHARE, size
from tests.faults.ssh_desk import desk_at

WORKERS, CLIENTS = 3, 8
SECONDS = size(8, 300)
PACE_SECONDS = 4.0 if SHARE else 0.8
"""Between two bookings of one client. Over minutes fewer: three workers of which one is always starting and one about
to die do little, and a backlog that grows as long as it is watched would prove nothing more."""
RUNGS = list(steps_for("ssh", Depth.FUNCTION, "asterisk"))
WORKER = (*PROGRAM, "worker") if SHARE else ("-m", "tests.faults.programs.watchful_worker")
SILENT_SECONDS = 30


@pytest.fixture
def installed(postgresql_database: Database, server: sshd.Sshd, tmp_path: Path) -> Installed:
    """Eight customers and technicians; many logins at one address are expected here."""
    settings = {"VENTANA_PROCESSES": "2", "VENTANA_LOGINS_PER_TARGET": "1000"}
    return desk_at(postgresql_database, server, tmp_path, CLIENTS, CLIENTS, **settings)


@contextmanager
def customers_booking(installed: Installed) -> Iterator[list[int]]:
    """Each books one hour after the other over HTTP until the end of the block; the ids of what was booked."""
    ended, booked = threading.Event(), list[int]()
    first = (datetime.now(UTC) + timedelta(hours=30)).replace(minute=0, second=0, microsecond=0)
    threads = [
        threading.Thread(target=_book_on, args=(installed, number, first, booked, ended))
        for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield booked
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _book_on(
    installed: Installed, number: int, first: datetime, booked: list[int], ended: threading.Event
) -> None:
    client = installed.clients[number]
    browser = installed.browser(client.token)
    wish = {"access_point": client.access_point, "entitlement": client.entitlement, "minutes": 60}
    for turn in count():
        if ended.wait(PACE_SECONDS):
            break
        start = (first + timedelta(hours=turn)).isoformat()
        answer = browser.post(
            "/api/v1/bookings", wish | {"start_at": start, "technician": number + 1, "description": "x"}
        )
        if answer.status == 201:
            booked.append(answer.body["id"])
    browser.close()


def kill_one_every_two_seconds(installed: Installed, workers: list[Process], seconds: float) -> int:
    """In turn, and each time another one is started; how many were killed."""
    kills, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(2)  # the pace of the fault
        workers.pop(0).kill()
        workers.append(Process(installed, WORKER))
        kills += 1
    return kills


def test_every_due_check_has_one_outcome_whatever_workers_die(
    installed: Installed, postgresql_database: Database, measured: Measured
) -> None:
    workers = [Process(installed, WORKER) for _ in range(WORKERS)]
    try:
        with installed.serving("--no-work") as web, customers_booking(installed) as booked:
            assert len(web.pids) >= 3, "one parent and two web processes"
            kills = kill_one_every_two_seconds(installed, workers, SECONDS)
        drain(postgresql_database, workers)
    finally:
        for worker in workers:
            worker.stop()
    late = lateness(postgresql_database)
    assert len(late) == len(booked) > kills
    assert twice_or_never(postgresql_database) == []
    hundredths = quantiles(late, n=100, method="inclusive")
    measured(
        "3 workers, one killed each 2 s", "postgresql",
        faults=kills, checks=len(late), late_p50=round(hundredths[49], 1), late_p99=round(hundredths[98], 1),
    )  # fmt: skip


def open_checks(database: Database) -> int:
    """Checks that are due and have no outcome yet."""
    with read(database.sessions) as session:
        due = Check.state.in_(("planned", "running")), Check.due_at <= datetime.now(UTC)
        return session.scalar(select(func.count()).select_from(Check).where(*due)) or 0


def lateness(database: Database) -> list[float]:
    """Seconds between when each due check should have begun and when the run that counts did."""
    with read(database.sessions) as session:
        done = session.execute(
            select(Check.started_at, Check.due_at).where(Check.stage == "booked", Check.state == "done")
        )
        return [(began - due).total_seconds() for began, due in done if began is not None]


def twice_or_never(database: Database) -> list[str]:
    """What does not have exactly one outcome: a green light, the steps of one run, one change, one mail."""
    wrong: list[str] = []
    with read(database.sessions) as session:
        for check in session.scalars(select(Check).where(Check.stage == "booked")):
            steps = [(step.position, step.name) for step in check.steps]
            if (check.state, check.verdict) != ("done", "ready") or steps != list(enumerate(RUNGS)):
                wrong.append(f"check {check.id}: {check.state} {check.verdict} {check.code} {steps}")
        changes = session.execute(select(Booking.id, Booking.sequence)).all()
        wrong += [f"booking {id_} changed {times}×" for id_, times in changes if times != 1]
        mails = session.scalars(select(Notice.key).where(Notice.kind == "light_ok")).all()
        told = [key.split(":")[1] for key in mails]
        wrong += ["a mail too many"] if len(told) != len(set(told)) else []
        wrong += [] if len(set(told)) == len(changes) else ["a mail is missing"]
    return wrong


def drain(database: Database, workers: Sequence[Process], seconds: float = SILENT_SECONDS + 120) -> None:
    """Wait until no due check is open; fail, with what the workers said, when none was done for so long."""
    left, ends = open_checks(database), time.monotonic() + seconds
    while left:
        time.sleep(0.25)
        if (now_left := open_checks(database)) < left:
            left, ends = now_left, time.monotonic() + seconds
        assert time.monotonic() < ends, [worker.log()[-1000:] for worker in workers]
