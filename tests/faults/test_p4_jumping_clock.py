"""Real checks of a closed door, with the engine at work and its clock jumping: to each stage, back, and over the nights
on which clocks change.

Two hours before the start free support gives the hour back and says so; paid support keeps it and warns.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from fixtures import sshd
from fixtures.served import Installed
from scheduler import bootstrap
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.bootstrap import Service, build
from scheduler.engine import Engine
from scheduler.settings import read_settings
from scheduler.slots.availability import lead_ledger
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Check, Entitlement, Notice, Worker
from tests.faults.conftest import Measured
from tests.faults.patience import until
from tests.faults.stages import HOUR, MINUTE, PATIENCE, SECOND, STAGES, done

MADRID = ZoneInfo("Europe/Madrid")


class Jumping:
    """The desk's clock: the machine's, set ahead by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self.ahead

    def jump(self, to: datetime) -> None:
        """It is this moment now, and goes on from there."""
        self.ahead = to - datetime.now(UTC)


@pytest.fixture
def clock() -> Jumping:
    return Jumping()


@pytest.fixture
def service(tmp_path: Path, clock: Jumping, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A desk of three customers whose doors are closed, with its engine executing and looking every second."""
    monkeypatch.setattr(bootstrap, "Engine", partial(Engine, heartbeat_seconds=1.0))
    port = sshd.free_port()
    made = Installed(tmp_path)
    made.fill(3, 3, host="127.0.0.1", port=port, username="soporte")
    settings = read_settings(folder=tmp_path, loopback_ports=f"127.0.0.1:{port}")
    running = build(settings, clock)
    running.engine.start()
    yield running
    running.close()


def book(service: Service, customer: int, kind: str) -> tuple[int, datetime]:
    """A booking for the day after tomorrow by this customer's right of this kind: its id and start."""
    now = service.clock()
    with write(service.sessions) as session:
        desk = service.desk(session)
        right = session.scalars(select(Entitlement).where(Entitlement.customer_id == customer)).one()
        if kind == "purchase":
            right.kind, right.serial, right.bought_on = "purchase", f"GX-{customer}", desk.today(now)
            right.valid_from, right.valid_until = desk.today(now), desk.today(now) + timedelta(days=30)
            session.flush()
        start = lead_ledger(desk, kind, now).earliest_at.replace(minute=0) + 30 * HOUR
        wish = bookings.BookingRequest(
            customer, right.id, start, 60, "Europe/Madrid", customer, "installation"
        )
        row = bookings.book(session, desk, now, Actor("dispatcher", 1, "test"), wish)
        return row.id, start


def row(service: Service, number: int) -> Booking:
    with read(service.sessions) as session:
        return session.get_one(Booking, number)


def mails(service: Service, number: int) -> list[str]:
    with read(service.sessions) as session:
        return list(session.scalars(select(Notice.kind).where(Notice.booking_id == number)))


def test_a_closed_door_frees_the_hour_of_free_support_and_warns_paid_support(
    service: Service, clock: Jumping
) -> None:
    free, start = book(service, 1, "purchase")
    paid, _ = book(service, 2, "maintenance")
    until(lambda: done(service.sessions, "booked") == 2, seconds=PATIENCE)
    assert {(row(service, number).status, row(service, number).verdict) for number in (free, paid)} == {
        ("confirmed", "not_ready")
    }
    clock.jump(start - 2 * HOUR + MINUTE)
    until(lambda: done(service.sessions, "h2") == 2, seconds=PATIENCE)
    released, kept = row(service, free), row(service, paid)
    assert (released.status, released.verdict_code) == ("cancelled", "tcp_refused")
    assert (kept.status, kept.verdict, kept.verdict_code) == ("confirmed", "not_ready", "tcp_refused")
    assert "released" in mails(service, free)
    assert "released" not in mails(service, paid)
    assert any(kind.startswith("light_") for kind in mails(service, paid))
    with read(service.sessions) as session:
        left = select(Check.state).where(Check.booking_id == free, Check.stage == "m30")
        assert session.scalars(left).all() == ["dropped"]


def test_an_hour_that_was_freed_can_be_booked_again_at_once(service: Service, clock: Jumping) -> None:
    free, start = book(service, 1, "purchase")
    until(lambda: done(service.sessions, "booked") == 1, seconds=PATIENCE)
    clock.jump(start - 2 * HOUR + MINUTE)
    until(lambda: row(service, free).status == "cancelled", seconds=PATIENCE)
    reason = "el cliente estaba en espera y el hueco se ha liberado"
    with write(service.sessions) as session:
        right = session.scalars(select(Entitlement).where(Entitlement.customer_id == 2)).one()
        wish = bookings.BookingRequest(2, right.id, start, 60, "Europe/Madrid", 1, override_reason=reason)
        again = bookings.book(session, service.desk(session), clock(), Actor("dispatcher", 1, "test"), wish)
        assert again.status == "confirmed"


@pytest.mark.parametrize("night", [date(2027, 3, 28), date(2027, 10, 31)])
def test_each_check_has_one_outcome_through_a_night_that_changes_the_clock(
    service: Service, clock: Jumping, night: date, measured: Measured
) -> None:
    """At each stage the clock comes, goes an hour back, and comes again; nothing runs early, twice or never."""
    clock.jump(datetime.combine(night - timedelta(days=3), clock_time(12), MADRID).astimezone(UTC))
    start = datetime.combine(night, clock_time(6), MADRID).astimezone(UTC)
    number = book_at(service, 3, start)
    until(lambda: done(service.sessions, "booked") == 1, seconds=PATIENCE)
    for stage, before in STAGES.items():
        due = start - before
        clock.jump(due - HOUR)
        nothing_runs(service, stage)
        clock.jump(due + 2 * SECOND)
        until(lambda stage=stage: done(service.sessions, stage) == 1, seconds=PATIENCE)  # type: ignore[misc]
        clock.jump(due - HOUR)
        clock.jump(due + HOUR / 4)
    with read(service.sessions) as session:
        rows = session.scalars(select(Check).where(Check.booking_id == number).order_by(Check.due_at)).all()
        assert [(check.stage, check.state, check.verdict) for check in rows] == [
            (stage, "done", "not_ready") for stage in ("booked", *STAGES)
        ]
        assert [start - check.due_at for check in rows[1:]] == [*STAGES.values()]
        late = [(check.started_at - check.due_at).total_seconds() for check in rows[1:] if check.started_at]
        assert all(seconds >= 0 for seconds in late), late
        assert all(len(check.steps) == len({step.position for step in check.steps}) > 0 for check in rows)
    assert [kind for kind in mails(service, number) if kind.startswith("light_")] == ["light_fail"]
    measured(
        "stages of a night that changes the clock", "sqlite", checks=len(rows), jumps=4 * len(STAGES) + 1
    )


def nothing_runs(service: Service, stage: str) -> None:
    """An hour before it is due the engine has looked, and left it."""
    with read(service.sessions) as session:
        seen = session.scalars(select(Worker.seen_at)).one()

    def beaten() -> bool:
        with read(service.sessions) as session:
            return session.scalars(select(Worker.seen_at)).one() != seen

    until(beaten, seconds=PATIENCE)
    assert done(service.sessions, stage) == 0


def book_at(service: Service, customer: int, start: datetime) -> int:
    """A confirmed booking by paid support."""
    with write(service.sessions) as session:
        right = session.scalars(select(Entitlement).where(Entitlement.customer_id == customer)).one()
        wish = bookings.BookingRequest(customer, right.id, start, 60, "Europe/Madrid", customer)
        actor = Actor("dispatcher", 1, "test")
        return bookings.book(session, service.desk(session), service.clock(), actor, wish).id
