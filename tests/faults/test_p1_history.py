"""Fifty clients book, move, cancel and hold at random over HTTP; everything they were told must be true together.

Bookings wait for the desk, whose people approve and refuse among them.

The checker sees answers and the table only. A server that looks first and inserts then must be found out by it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.databases import Database
from fixtures.served import ROOT, Installed
from tests.faults.conftest import Measured
from tests.faults.crowd import Crowd, Place, in_brief, sessions_for, table
from tests.faults.history import Event, Row, judge
from tests.faults.sizes import FIRST_ROUND, SHARE, size

CLIENTS = 50
TECHNICIANS = 3
STARTS = 8
"""Half hours of one day that all fifty want: two of three attempts are refused, as each must be for a reason."""
ROUND = 10_000
"""Requests for one server and one table; a release runs as many rounds as it takes."""
ATTEMPTS = size(300, 500_000)
"""On each database."""
BUSY = 0.01 if SHARE else 0
"""The part that may be told to try again (503), as who waits for a lock for three seconds is: over hours on a machine
that does other work as well it comes to pass. The checker takes it for possible that it was done, and that not."""
NAIVE_ATTEMPTS = 200
NAIVE = ("-m", "tests.faults.programs.naive_server")


@pytest.fixture
def installed(database: Database, tmp_path: Path) -> Installed:
    """A desk of three technicians and twenty-five customers with two people each, on each database."""
    database.close()
    processes = "1" if database.kind == "sqlite" else "2"
    conditions = tmp_path / "conditions.toml"
    shipped = (ROOT / "scheduler" / "conditions.toml").read_text("utf-8")
    conditions.write_text(shipped.replace("needed_for = []", 'needed_for = ["maintenance"]'), "utf-8")
    settings = {"VENTANA_PROCESSES": processes, "VENTANA_CONDITIONS_FILE": str(conditions)}
    made = Installed(tmp_path, url=database.url, settings=settings)
    made.fill(CLIENTS // 2, TECHNICIANS)
    return made


@pytest.fixture
def crowds(installed: Installed) -> Callable[[int], Crowd]:
    """The same fifty clients, each time on other days."""
    cookies, began_at = sessions_for(installed), datetime.now(UTC)
    desk = installed.dispatcher_token()

    def crowd(number: int) -> Crowd:
        return Crowd(
            installed,
            Place(TECHNICIANS, number, began_at, STARTS),
            CLIENTS,
            number,
            cookies=cookies,
            deciding=desk,
        )

    return crowd


def test_what_fifty_clients_were_told_is_true_together(
    installed: Installed, database: Database, crowds: Callable[[int], Crowd], measured: Measured
) -> None:
    asked = 0
    with installed.serving("--no-work") as server:
        for number in range(-(-ATTEMPTS // ROUND)):
            crowd = crowds(FIRST_ROUND + number)
            events = crowd.run(min(ROUND, ATTEMPTS - asked))
            found = judge(events, rows_of(crowd.place, database))
            assert not found.wrong, (found.wrong[:5], found.answers, server.log()[-2000:])
            assert not unheard(events), (unheard(events)[:5], found.answers, server.log()[-2000:])
            assert {"book 201", "book 409 slot_taken", "approve 200", "refuse 200"} <= found.answers.keys()
            counts = in_brief(events)
            measured("history of 50 clients over HTTP", database.kind, **counts, wrong=len(found.wrong))
            asked += counts["attempts"]
        assert "Traceback" not in server.log()


def test_the_checker_finds_a_server_that_checks_first(
    installed: Installed, database: Database, crowds: Callable[[int], Crowd]
) -> None:
    with installed.serving(program=NAIVE):
        crowd = crowds(0)
        events = crowd.run(NAIVE_ATTEMPTS)
    assert judge(events, rows_of(crowd.place, database)).double, "the control never double-booked"


def unheard(events: Sequence[Event]) -> list[Event]:
    """What had no answer, or an error's; and more who were told to try again than may be."""
    told = [event for event in events if event.status == 503]
    others = [event for event in events if event.unknown and event.status != 503]
    return others + (told if len(told) > BUSY * len(events) else [])


def rows_of(place: Place, database: Database) -> list[Row]:
    """The table, as far as this crowd could write it."""
    return [row for row in table(database) if place.holds(row.span)]
