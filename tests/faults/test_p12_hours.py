"""Hours are never overspent: fifty at once on a two-hour bundle, and every order of verbs that a machine thinks of.

A desk that reads the balance and writes it back must overspend, or these tests see nothing.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler import entitlements
from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.bookings import closing
from scheduler.rules.refusals import Refusal
from scheduler.store.engines import read, retrying, write
from scheduler.store.models import Booking, Entitlement, LedgerEntry
from tests.faults.conftest import Measured
from tests.faults.sizes import size
from tests.services.conftest import SOL, Bench, at, make_bench

SPENDERS = 50
ROUNDS = size(2, 100)
BUNDLE_MINUTES = 120
EXAMPLES = size(12, 300)
STEPS = 25
HALF_HOUR = timedelta(minutes=30)


def balances(database: Database, entitlement: int) -> tuple[int, int]:
    """What the entitlement says, and what its ledger adds up to."""
    with read(database.sessions) as session:
        query = select(func.sum(LedgerEntry.minutes)).where(LedgerEntry.entitlement_id == entitlement)
        row = session.get_one(Entitlement, entitlement)
        return row.balance_minutes, session.scalar(query) or 0


def bundle(bench: Bench) -> int:
    """Another two-hour bundle of Sol's; its id."""
    with bench.writing() as (session, _):
        first = session.scalars(select(Entitlement).where(Entitlement.kind == "hours")).first()
        assert first is not None
        row = Entitlement(
            customer_id=first.customer_id,
            kind="hours",
            metered=True,
            valid_from=first.valid_from,
            created_at=bench.now,
        )
        session.add(row)
        session.flush()
        entitlements.grant(session, bench.now, row, BUNDLE_MINUTES, SYSTEM)
        return row.id


def test_fifty_spenders_on_a_two_hour_bundle(database: Database, measured: Measured) -> None:
    """Each wants another half hour of two technicians; the slots suffice for many more than the hours do."""
    bench = make_bench(database)
    for number in range(ROUNDS):
        right = bundle(bench)
        together = threading.Barrier(SPENDERS)

        def spend(spender: int, right: int = right, number: int = number) -> str:
            start = at(26 + number % 2, 9) + spender % 10 * HALF_HOUR
            together.wait(60)  # noqa: B023 - a round ends before the next begins
            return retrying(lambda: book_half_hour(bench, right, start))

        with ThreadPoolExecutor(SPENDERS) as pool:
            won = [said for said in pool.map(spend, range(SPENDERS)) if said == "booked"]
        assert balances(database, right) == (BUNDLE_MINUTES - 30 * len(won),) * 2
        assert len(won) == BUNDLE_MINUTES // 30, (
            "four half hours are two hours, and somebody gets each of them"
        )
        clear(bench)
    measured("spenders at once", database.kind, rounds=ROUNDS, spenders=SPENDERS * ROUNDS, overspent=0)


def book_half_hour(bench: Bench, right: int, start: datetime) -> str:
    """Booked, or the code of the refusal."""
    try:
        with bench.writing() as (session, desk):
            wish = bench.request(session, SOL, start, minutes=30, entitlement_id=right)
            bookings.book(session, desk, bench.now, bench.customer(session, SOL), wish)
    except Refusal as refusal:
        return refusal.code
    return "booked"


def clear(bench: Bench) -> None:
    """Take the round's bookings out of the way without giving their hours back."""
    with write(bench.database.sessions) as session:
        session.execute(text("UPDATE booking SET status = 'cancelled' WHERE status = 'confirmed'"))


def test_who_reads_the_balance_and_writes_it_back_overspends(sqlite_database: Database) -> None:
    """The control: a balance column that programs keep by themselves, as most booking programs do."""
    with write(sqlite_database.sessions) as session:
        session.execute(text("CREATE TABLE bundle (minutes INTEGER)"))
        session.execute(text("INSERT INTO bundle VALUES (120)"))
    together = threading.Barrier(SPENDERS // 5)

    def spend(_: int) -> int:
        with read(sqlite_database.sessions) as session:
            left = session.scalar(text("SELECT minutes FROM bundle")) or 0
        together.wait(60)
        if left < 30:
            return 0
        with write(sqlite_database.sessions) as session:
            session.execute(text("UPDATE bundle SET minutes = :left"), {"left": left - 30})
        return 30

    with ThreadPoolExecutor(SPENDERS // 5) as pool:
        spent = sum(pool.map(spend, range(SPENDERS // 5)))
    assert spent > BUNDLE_MINUTES, "the control did not overspend: this proves nothing"


class Hours(RuleBasedStateMachine):
    """Grants, bookings, moves, cancellations, close-outs and holds in any order, against a model of the balance."""

    bench: Bench
    made: Bundle[int] = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.right = bundle(self.bench)
        self.left = BUNDLE_MINUTES
        self.held: dict[int, int] = {}

    def teardown(self) -> None:
        clear(self.bench)
        with write(self.bench.database.sessions) as session:
            session.execute(text("UPDATE booking SET status = 'done' WHERE status = 'in_session'"))
            session.execute(text("UPDATE booking SET status = 'expired' WHERE status = 'held'"))

    @rule(minutes=st.sampled_from([0, 15, 60]))
    def grant(self, minutes: int) -> None:
        def verb(session: Session) -> None:
            row = session.get_one(Entitlement, self.right)
            entitlements.grant(session, self.bench.now, row, minutes, SYSTEM)

        if self._done(verb):
            self.left += minutes

    @rule(target=made, place=st.integers(0, 9), minutes=st.sampled_from([30, 60, 90]))
    def book(self, place: int, minutes: int) -> int | MultipleResults[int]:
        found: list[int] = []

        def verb(session: Session) -> None:
            wish = self.bench.request(
                session, SOL, at(26, 9) + place * HALF_HOUR, minutes=minutes, entitlement_id=self.right
            )
            actor = self.bench.customer(session, SOL)
            found.append(bookings.book(session, self.desk, self.bench.now, actor, wish).id)

        enough = self.left >= minutes
        if not self._done(verb):
            return multiple()
        assert enough, "booked with hours that were not there"
        self.left -= minutes
        self.held[found[0]] = minutes
        return found[0]

    @rule(place=st.integers(0, 9))
    def hold(self, place: int) -> None:
        """A slot kept for a moment costs nothing."""

        def verb(session: Session) -> None:
            wish = self.bench.request(
                session, SOL, at(26, 9) + place * HALF_HOUR, minutes=30, entitlement_id=self.right
            )
            actor = self.bench.customer(session, SOL)
            bookings.hold(session, self.desk, self.bench.now, actor, wish)

        self._done(verb)

    @rule(booking=made)
    def cancel(self, booking: int) -> None:
        def verb(session: Session) -> None:
            rev = session.get_one(Booking, booking).rev
            bookings.cancel(session, self.desk, self.bench.now, SYSTEM, booking, rev)

        if self._done(verb):
            self.left += self.held.pop(booking)

    @rule(booking=made, used=st.sampled_from([0, 15, 60, 180, -15, 7]))
    def close(self, booking: int, used: int) -> None:
        def verb(session: Session) -> None:
            actor = self.bench.technician(session)
            rev = session.get_one(Booking, booking).rev
            row = closing.start(session, self.desk, self.bench.now, actor, booking, rev)
            closing.complete(
                session, self.desk, self.bench.now, actor, booking, row.rev, closing.Closing(used)
            )

        if self._done(verb):
            assert used in (0, 15, 60, 180)
            self.left += self.held.pop(booking) - used

    @invariant()
    def the_balance_is_the_models_and_the_ledgers(self) -> None:
        assert balances(self.bench.database, self.right) == (self.left, self.left)
        assert self.left >= 0

    def _done(self, verb: Callable[[Session], None]) -> bool:
        try:
            with self.bench.writing() as (session, desk):
                self.desk = desk
                verb(session)
        except Refusal:
            return False
        return True


def test_every_order_of_verbs_keeps_the_balance(database: Database, measured: Measured) -> None:
    machine = type("HoursHere", (Hours,), {"bench": make_bench(database)})
    run_state_machine_as_test(machine, settings=within(EXAMPLES))
    measured("orders of verbs", database.kind, examples=EXAMPLES, steps=STEPS, overspent=0)


def test_the_machine_finds_a_cancellation_that_keeps_the_hours(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entitlements, "release", lambda *_: None)
    machine = type("Forgetful", (Hours,), {"bench": make_bench(sqlite_database)})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=within(60))


def within(examples: int) -> settings:
    """A run that is the same each time and judges no slow machine."""
    unhealthy = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=unhealthy,
    )
