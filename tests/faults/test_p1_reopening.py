"""A session closed by mistake takes its time back while ten others want it: one of them has it, whoever was first.

Of all verbs only this one makes a final booking live again, so no slot search ever sees it coming. Without the
database's guard both sides must get it, or this test sees nothing.
"""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from fixtures.databases import Database
from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.bookings import closing
from scheduler.bookings.closing import Closing
from scheduler.rules.refusals import Refusal
from scheduler.store import booking_rows
from scheduler.store.engines import read, retrying
from scheduler.store.models import LIVE_STATUSES, Booking
from tests.faults.conftest import Measured
from tests.faults.sizes import size
from tests.services.conftest import NOW, PONS, Bench, at, make_bench
from tests.store.rows import overlaps
from tests.together import together
from tests.unguarded import drop_slot_guard, insert_anyhow

ROUNDS = size(6, 200)
RIVALS = 10
MINUTE = timedelta(minutes=1)
WHY = {"override_reason": "Centralita parada, lo pide el cliente."}


def closed(bench: Bench, start: datetime) -> tuple[int, int]:
    """A session of an hour that was closed after a quarter: booking and technician."""
    with bench.writing() as (session, desk):
        marta = bench.technician(session)
        wish = bench.request(session, PONS, start, technician_id=marta.id, **WHY)
        row = bookings.book(session, desk, NOW, SYSTEM, wish)
        closing.start(session, desk, start, marta, row.id, row.rev)
        closing.complete(session, desk, start + 15 * MINUTE, marta, row.id, row.rev, Closing(0))
        return row.id, marta.id


def reopen(bench: Bench, start: datetime, row_id: int) -> str:
    """Five minutes after it was closed."""
    with bench.writing() as (session, desk):
        row = session.get_one(Booking, row_id)
        closing.undo(session, desk, start + 20 * MINUTE, bench.technician(session), row_id, row.rev)
    return "reopened"


def take(bench: Bench, start: datetime, technician: int) -> str:
    """Half an hour of the time that was freed, by a dispatcher."""
    with bench.writing() as (session, desk):
        wish = bench.request(session, PONS, start + 30 * MINUTE, minutes=30, technician_id=technician, **WHY)
        bookings.book(session, desk, NOW, SYSTEM, wish)
    return "taken"


def race(bench: Bench, number: int) -> Counter[str]:
    """One takes back and ten take; what became of each."""
    start = at(26, 9) + number * timedelta(hours=2)
    row_id, technician = closed(bench, start)

    def act(which: int) -> str:
        try:
            if which == number % (RIVALS + 1):
                return retrying(lambda: reopen(bench, start, row_id))
            return retrying(lambda: take(bench, start, technician))
        except Refusal as refusal:
            return refusal.code

    return Counter(together(RIVALS + 1, act))


def doubled(database: Database) -> int:
    """How many live bookings overlap another of the same technician."""
    with read(database.sessions) as session:
        return len(overlaps(session.query(Booking).all(), LIVE_STATUSES))


def test_a_reopened_session_and_a_new_booking_never_share_a_technician(
    database: Database, measured: Measured
) -> None:
    bench, winners = make_bench(database), Counter[str]()
    for number in range(ROUNDS):
        told = race(bench, number)
        assert told["slot_taken"] == RIVALS, told
        winners += Counter({won: count for won, count in told.items() if won != "slot_taken"})
    assert winners.total() == ROUNDS
    assert doubled(database) == 0
    measured(
        "closed sessions opened again", database.kind, attempts=ROUNDS * (RIVALS + 1), **winners, wrong=0
    )


def test_without_the_guard_both_have_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench(database)
    drop_slot_guard(database.engine)
    monkeypatch.setattr(booking_rows, "insert_booking", insert_anyhow)
    told = race(bench, 0)
    assert told == {"reopened": 1, "taken": RIVALS}
    assert doubled(database) > 0
