"""The power fails while customers book on SQLite: whatever was acknowledged is there, whole, when it comes back.

Only what was synced survives, in half of the cuts together with some sectors that nobody had asked the disk to keep.
A server with synchronous=NORMAL must lose some, or this test sees nothing.
"""

import random
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fixtures.databases import Database
from fixtures.served import PROGRAM, Installed
from scheduler.store.engines import read
from tests.faults.conftest import Measured
from tests.faults.crowd import Crowd, Place, in_brief, table
from tests.faults.halves import halves
from tests.faults.history import Event, judge
from tests.faults.powercut import Disk, build_disk
from tests.faults.sizes import size

CLIENTS = 8
CUTS = size(12, 700)
CUTS_OF_ONE_DISK = 35
"""A cut copies all that was ever booked on its disk: a release begins a new disk now and then."""
NORMAL = ("-m", "tests.faults.programs.normal_sync_server")


@dataclass(frozen=True)
class Cut:
    """What survived in `folder`, and between which moments the power failed."""

    folder: Path
    began: float
    ended: float

    def known(self, events: Sequence[Event]) -> list[Event]:
        """What clients knew then; of what was under way they know nothing."""
        return [
            event if event.ended <= self.began else replace(event, status=0, got=None, code="")
            for event in events
            if event.begun < self.ended
        ]


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    """A desk on SQLite in a folder of its own."""
    return installed_in(tmp_path)


@pytest.fixture
def disk(installed: Installed, tmp_path: Path) -> Disk:
    return build_disk(installed.folder, tmp_path)


def installed_in(folder: Path) -> Installed:
    """A desk whose database lies alone in a folder, as on a disk."""
    live = folder / "live"
    live.mkdir(parents=True)
    made = Installed(live)
    made.fill(CLIENTS, technicians=2)
    return made


def cut_while_booking(
    installed: Installed, disk: Disk, cuts: int, program: Sequence[str] = PROGRAM
) -> tuple[list[Event], list[Cut]]:
    """Let clients book, and cut the power again and again, each time when some more were answered."""
    installed.settings = disk.environment
    ended = threading.Event()
    crowd = Crowd(installed, Place(2), CLIENTS, keep_on=lambda: not ended.is_set())
    made: list[Cut] = []
    options = ("--no-work",) if program == PROGRAM else ()
    with installed.serving(*options, program=program):
        clients = threading.Thread(target=crowd.run, args=(1,))
        clients.start()
        try:
            for number in range(cuts):
                _until_more(crowd.events, 5, clients)
                torn = random.Random(number) if number % 2 else None  # noqa: S311 - a repeatable test
                folder = disk.safe.parent / f"cut{number}"
                made.append(Cut(folder, *disk.cut(folder, torn)))
        finally:
            ended.set()
            clients.join()
    return crowd.events, made


def _until_more(events: Sequence[Event], more: int, clients: threading.Thread) -> None:
    """Wait until so many more changes were acknowledged."""
    wanted, ends = in_brief(events)["done"] + more, time.monotonic() + 60
    while in_brief(events)["done"] < wanted:
        assert clients.is_alive(), "nobody books any more"
        assert time.monotonic() < ends, "nobody is answered any more"
        time.sleep(0.01)


def what_is_wrong(cut: Cut, events: Sequence[Event]) -> list[str]:
    """Lost, double or half bookings, and a damaged file, after the power is back."""
    survivor = Database("sqlite", f"sqlite:///{cut.folder / 'ventana.db'}")
    try:
        with read(survivor.sessions) as session:
            whole = session.connection().exec_driver_sql("PRAGMA integrity_check").scalar_one()
            missing = halves(session)
        return judge(cut.known(events), table(survivor)).wrong + missing + [whole] * (whole != "ok")
    finally:
        survivor.close()


def test_what_was_acknowledged_survives_every_power_cut(tmp_path: Path, measured: Measured) -> None:
    for first in range(0, CUTS, CUTS_OF_ONE_DISK):
        folder = tmp_path / f"disk{first}"
        installed = installed_in(folder)
        disk, wanted = build_disk(installed.folder, folder), min(CUTS_OF_ONE_DISK, CUTS - first)
        events, cuts = cut_while_booking(installed, disk, wanted)
        assert [wrong for cut in cuts for wrong in what_is_wrong(cut, events)] == []
        measured("power cuts", "sqlite", faults=len(cuts), **in_brief(events), lost=0, half=0)
        shutil.rmtree(folder)


def test_a_server_serves_on_from_what_survived(installed: Installed, disk: Disk) -> None:
    events, (*_, last) = cut_while_booking(installed, disk, 2)
    (last.folder / "vault.key").write_bytes((installed.folder / "vault.key").read_bytes())
    (last.folder / "secret.key").write_bytes((installed.folder / "secret.key").read_bytes())
    for name in ("vault.key", "secret.key"):
        (last.folder / name).chmod(0o400)
    again = Installed(last.folder, clients=installed.clients)
    known = last.known(events)
    with again.serving("--no-work"):
        later = Crowd(again, Place(2), CLIENTS, seed=1).run(30)
    survivor = Database("sqlite", f"sqlite:///{last.folder / 'ventana.db'}")
    assert judge([*known, *later], table(survivor)).wrong == []
    survivor.close()


def test_a_server_that_does_not_wait_for_its_disk_loses_some(installed: Installed, disk: Disk) -> None:
    events, cuts = cut_while_booking(installed, disk, 3, NORMAL)
    assert any(what_is_wrong(cut, events) for cut in cuts), (
        "the control lost nothing: this test proves nothing"
    )
