"""What the tests of approvals share: a desk that approves free and bundled sessions, and what became of them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from scheduler.bookings import approving
from scheduler.bookings import booking as bookings
from scheduler.rules.conditions import Approval
from scheduler.store.models import Booking, Notice
from tests.services.conftest import SOL, Bench, at

START = at(25, 11)


def approving_desk(bench: Bench, **changed: Any) -> None:
    """From now on the desk approves sessions under hours and purchases."""
    rules = Approval(**({"needed_for": ("hours", "purchase")} | changed))
    conditions = replace(bench.installation.conditions, approval=rules)
    bench.installation = replace(bench.installation, conditions=conditions)


def ask(bench: Bench, cif: str = SOL, start: datetime = START, **changed: Any) -> int:
    """A customer books."""
    with bench.writing() as (session, desk):
        actor = bench.customer(session, cif)
        return bookings.book(
            session, desk, bench.now, actor, bench.request(session, cif, start, **changed)
        ).id


def row(bench: Bench, booking_id: int) -> Booking:
    """The booking as it stands."""
    with bench.writing() as (session, _):
        found = session.get_one(Booking, booking_id)
        session.expunge_all()
        return found


def mails(bench: Bench, booking_id: int) -> list[str]:
    """Kinds of the mails about a booking, in order."""
    with bench.writing() as (session, _):
        query = select(Notice.kind).where(Notice.booking_id == booking_id).order_by(Notice.id)
        return list(session.scalars(query))


def sweep(bench: Bench) -> None:
    """One round of the engine."""
    approving.decide_overdue(bench.database.sessions, lambda: bench.now, bench.installation)
