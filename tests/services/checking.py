"""What the tests of checks share: a booking, a runner, and a probe that says what a test wants."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from probes.report import Report, Step, finding, good
from probes.target import Target
from scheduler.bookings import booking as bookings
from scheduler.checks import running
from scheduler.checks.running import CheckRunner
from scheduler.checks.targets import Doors
from scheduler.store.models import Booking, Check
from tests.services.conftest import NOW, SOL, Bench, at

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII88E9K0qKpWb1X8UlviudsACfe8NSeez5DHqiCaBfY+"
FINGERPRINT = "SHA256:u3YtOcMiv52OXmQo5bo8LimhxX/IlhqN1JAIx2/dYMg"
THURSDAY = at(26, 10)
GREEN = (good("name"), good("port"), good("login"), good("asterisk", {"version": "18.20.0"}))
RED = (good("name"), finding("port", "tcp_refused", {"port": 22}))
YELLOW = (
    good("port"),
    finding("host_key", "hostkey_unknown", {"public_key": HOST_KEY, "fingerprint": FINGERPRINT}),
)
OURS = (good("name"), finding("login", "probe_bug"))


@dataclass
class FakeProbe:
    """Stands in for the probe: reports these steps, and does something in between if asked."""

    steps: tuple[Step, ...] = GREEN
    meanwhile: Callable[[], object] | None = None
    targets: list[Target] = field(default_factory=list)

    def __call__(self, target: Target, *_: object, on_step: Callable[[Step], None], **__: object) -> Report:
        self.targets.append(target)
        for step in self.steps:
            on_step(step)
        if self.meanwhile is not None:
            self.meanwhile()
        now = datetime.now(UTC)
        return Report({}, self.steps, now, now)


@dataclass
class Checking:
    """A bench with a fake probe and a runner."""

    bench: Bench
    probe: FakeProbe

    def runner(self, doors: Doors | None = None) -> CheckRunner:
        bench = self.bench
        return CheckRunner(
            bench.database.sessions,
            lambda: bench.now,
            bench.installation,
            doors or Doors(bench.vault),
            bookings.release_for_red,
        )

    def book(self, cif: str = SOL, start: datetime = THURSDAY, **changed: Any) -> int:
        """A booking, confirmed; its id."""
        with self.bench.writing() as (session, desk):
            actor = self.bench.customer(session, cif)
            wish = self.bench.request(session, cif, start, **changed)
            return bookings.book(session, desk, self.bench.now, actor, wish).id

    def check(self, booking_id: int, stage: str = "booked") -> Check:
        """The booking's check of this stage, at its present revision."""
        with self.bench.writing() as (session, _):
            query = select(Check).where(Check.booking_id == booking_id, Check.stage == stage)
            row = session.scalars(query.order_by(Check.rev.desc())).first()
            assert row is not None
            assert row.steps is not None
            return row

    def run(self, booking_id: int, stage: str = "booked", steps: Iterable[Step] | None = None) -> Check:
        """Run it when due, with these steps."""
        if steps is not None:
            self.probe.steps = tuple(steps)
        check = self.check(booking_id, stage)
        self.bench.now = max(self.bench.now, check.due_at)
        self.runner().run(check.id, check.rev)
        return self.check(booking_id, stage)

    def booking(self, booking_id: int) -> Booking:
        with self.bench.writing() as (session, _):
            return session.get_one(Booking, booking_id)


def make_checking(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Checking:
    """Checks of this bench run against a fake probe."""
    probe = FakeProbe()
    monkeypatch.setattr(running, "run_probe", probe)
    assert bench.now == NOW
    return Checking(bench, probe)
