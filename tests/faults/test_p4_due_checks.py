"""`ventana worker` killed −9 amid a hundred due checks of real bookings against a real sshd, and started again.

Each check has one outcome in the end, with its steps, one change of its booking's light and one mail. A worker that
marks a check done before it tries the door must lose some, or this test sees nothing.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fixtures import sshd
from fixtures.databases import Database
from fixtures.served import PROGRAM, Installed, Process
from probes.ladders import steps_for
from probes.target import Depth
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.slots.availability import lead_ledger
from scheduler.store.engines import read, write
from scheduler.store.models import (
    Booking,
    Check,
    CheckStep,
    Notice,
    Technician,
)
from tests.faults.patience import until
from tests.faults.sizes import SHARE
from tests.faults.ssh_desk import desk_at

DUE = 100
HOUR = timedelta(hours=1)
DOORS = 10
"""Far ends: checks of one run one after the other."""
RUNGS = list(steps_for("ssh", Depth.FUNCTION, "asterisk"))
PATIENCE = 30 + 90
"""Seconds: the work of a dead worker is run by others after thirty silent ones."""
WORKER = (*PROGRAM, "worker") if SHARE else ("-m", "tests.faults.programs.watchful_worker")
"""For a release the product as it is, which waits for thirty silent seconds on PostgreSQL."""
MARK_FIRST = ("-m", "tests.faults.programs.mark_first_worker")


@pytest.fixture
def installed(database: Database, server: sshd.Sshd, tmp_path: Path) -> Installed:
    """A desk whose ten customers' PBXs are that server, each at an address of its own."""
    return desk_at(database, server, tmp_path, DOORS, DOORS)


def book_all(installed: Installed) -> None:
    """A hundred bookings, each of which asks for a check at once."""
    service = installed.service()
    try:
        now = service.clock()
        with write(service.sessions) as session:
            desk = service.desk(session)
            first = lead_ledger(desk, "maintenance", now).earliest_at.replace(minute=0)
            for number in range(DUE):
                client = installed.clients[number % DOORS]
                wish = bookings.BookingRequest(
                    access_point_id=client.access_point,
                    entitlement_id=client.entitlement,
                    starts_at=first + (1 + number // DOORS) * HOUR,
                    minutes=60,
                    zone="Europe/Madrid",
                    technician_id=1 + number % DOORS,
                )
                bookings.book(session, desk, now, Actor("dispatcher", 1, "test"), wish)
    finally:
        service.close()


def kill_amid(installed: Installed, database: Database, command: Sequence[str]) -> Process:
    """Start, kill −9 when some checks are done and others run, start again; returns the second worker."""
    first = Process(installed, command)
    try:
        until(lambda: done(database) >= DUE // 5, first, seconds=PATIENCE)
    finally:
        first.kill()
    assert done(database) < DUE * 9 // 10, "killed too late to prove anything"
    return Process(installed, command)


def test_each_due_check_has_one_outcome(installed: Installed, database: Database) -> None:
    book_all(installed)
    before = calendar_revisions(database)
    second = kill_amid(installed, database, WORKER)
    try:
        until(lambda: done(database) == DUE, second, seconds=PATIENCE)
    finally:
        second.stop()
    with read(database.sessions) as session:
        checks = session.scalars(select(Check).where(Check.stage == "booked")).all()
        assert {(check.state, check.verdict, check.code) for check in checks} == {("done", "ready", None)}
        for check in checks:
            assert [step.name for step in check.steps] == RUNGS
            assert [step.position for step in check.steps] == list(range(len(RUNGS)))
        assert {row.sequence for row in session.scalars(select(Booking))} == {1}
        told = session.scalars(select(Notice.key).where(Notice.kind == "light_ok")).all()
        assert len(told) == len({key.split(":")[1] for key in told}) == DUE
    assert calendar_revisions(database) == before + DUE
    assert "Traceback" not in second.log()


@pytest.mark.parametrize(
    "database", ["sqlite"], indirect=True
)  # the fault is the program's, not the database's
def test_a_worker_that_marks_first_loses_some(installed: Installed, database: Database) -> None:
    book_all(installed)
    second = kill_amid(installed, database, MARK_FIRST)
    try:
        until(lambda: done(database) == DUE, second, seconds=PATIENCE)
        until(lambda: untouched(database) <= 16, second, seconds=PATIENCE)
    finally:
        second.stop()
    assert untouched(database) > 0, "the control lost nothing: this test proves nothing"


def done(database: Database) -> int:
    return _count(database, select(func.count()).select_from(Check).where(Check.state == "done"))


def untouched(database: Database) -> int:
    """Checks that are done without any step."""
    steps = select(CheckStep.check_id)
    query = select(func.count()).select_from(Check).where(Check.state == "done", Check.id.not_in(steps))
    return _count(database, query)


def calendar_revisions(database: Database) -> int:
    return _count(database, select(func.sum(Technician.calendar_rev)))


def _count(database: Database, query: object) -> int:
    with read(database.sessions) as session:
        return int(session.scalar(query) or 0)  # type: ignore[call-overload]
