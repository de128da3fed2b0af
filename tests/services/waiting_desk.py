"""What the tests of the waiting list share: a full Wednesday, customers who wait for it, and who is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.slots.placing import insert
from scheduler.store.models import Booking, Notice, SlotOffer, WaitingEntry
from scheduler.waiting import answering, joining, offering
from scheduler.waiting.joining import WaitingForm
from scheduler.waiting.telling import offer_token
from tests.services.conftest import PONS, SOL, Bench, at

STARTS = [at(25, hour, minute) for hour, minute in ((10, 30), (11, 30), (12, 30), (15, 0), (16, 0), (17, 0))]
"""Every hour of Wednesday 25 November after the notice; half an hour before the lunch stays, too short for anybody."""


@dataclass
class Asked:
    """An offer as the tests read it."""

    id: int
    entry: int
    start: datetime
    state: str
    until: datetime
    token: str


THURSDAY = [at(26, hour) for hour in (9, 10, 11, 12, 13, 15, 16, 17)]


def fill(bench: Bench, starts: Sequence[datetime] = STARTS) -> list[int]:
    """Book the whole day with both technicians; returns the bookings."""
    made = []
    with bench.writing() as (session, desk):
        for name in ("Marta Ruiz", "Jordi Soler"):
            person = bench.technician(session, name).id
            for start in starts:
                wish = bench.request(session, PONS, start, technician_id=person)
                made.append(insert(session, desk, bench.now, SYSTEM, wish, status="confirmed").id)
    return made


def form(bench: Bench, cif: str = SOL, **changed: Any) -> WaitingForm:
    """A wish of an hour on Wednesday."""
    with bench.writing() as (session, _):
        wish = bench.request(session, cif, bench.now)
    values: dict[str, Any] = {
        "access_point_id": wish.access_point_id,
        "entitlement_id": wish.entitlement_id,
        "minutes": 60,
        "zone": "Europe/Madrid",
        "from_on": "2026-11-25",
        "until_on": "2026-11-25",
    }
    return WaitingForm(**(values | changed))


def join(bench: Bench, cif: str = SOL, **changed: Any) -> int:
    """Wait; returns the entry."""
    asked = form(bench, cif, **changed)
    with bench.writing() as (session, desk):
        return joining.join(session, desk, bench.now, bench.customer(session, cif), asked).id


def free(bench: Bench, booking_id: int) -> None:
    """Somebody cancels."""
    with bench.writing() as (session, desk):
        row = session.get_one(Booking, booking_id)
        bookings.cancel(session, desk, bench.now, SYSTEM, row.id, row.rev)


def sweep(bench: Bench) -> None:
    """One round of the engine."""
    offering.sweep(bench.database.sessions, lambda: bench.now, bench.installation)


def asked(bench: Bench) -> list[Asked]:
    """Every offer, in time order."""
    with bench.writing() as (session, _):
        rows = session.scalars(select(SlotOffer).order_by(SlotOffer.id))
        return [
            Asked(
                row.id,
                row.entry_id,
                row.held.starts_at,
                row.state,
                row.expires_at,
                offer_token(bench.installation, row.held.uid),
            )
            for row in rows
        ]


def state(bench: Bench, entry_id: int) -> str:
    """Where an entry stands."""
    with bench.writing() as (session, _):
        return session.get_one(WaitingEntry, entry_id).state


def mails(bench: Bench, kind: str) -> list[Notice]:
    """The mails of a kind, in order."""
    with bench.writing() as (session, _):
        return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))


def live(bench: Bench, start: datetime) -> list[Booking]:
    """What occupies somebody at that start."""
    with bench.writing() as (session, _):
        query = select(Booking).where(
            Booking.starts_at == start, Booking.status.in_(("held", "pending", "confirmed"))
        )
        return list(session.scalars(query))


def accept(bench: Bench, token: str) -> int:
    """Take the slot of this link; returns the booking."""
    with bench.writing() as (session, desk):
        return answering.accept(session, desk, bench.now, answering.offer_of(session, token)).id
