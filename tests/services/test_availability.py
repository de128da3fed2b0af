"""A team's slots: each start once, with the first in the order given who is free, by few queries."""

from datetime import timedelta

from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.context import DeskContext
from scheduler.rules.intervals import Interval
from scheduler.slots.availability import BATCH, Offer, offers, open_slots
from scheduler.store.models import Absence, Technician
from tests.services.conftest import NOW, SOL, Bench, at

HOUR = timedelta(hours=1)
WEEK = Interval(at(25, 0), at(29, 0))


def add_team(session: Session, size: int) -> list[Technician]:
    """So many technicians who take Asterisk, each with another buffer, hours or absence."""
    for number in range(size):
        each = Technician(
            name=f"T{number}", email=f"t{number}@levantia.example", zone="Europe/Madrid", skills=["asterisk"]
        )
        each.buffer_minutes = (0, 30)[number % 2]
        each.weekly_hours = ({"3": [["09:00", "12:00"]]}, None, None)[number % 3]
        each.calendar_changed_at = NOW
        session.add(each)
        session.flush()
        session.add(
            Absence(technician_id=each.id, starts_at=at(26, 9 + number % 5), ends_at=at(26, 17), reason="x")
        )
    session.flush()
    query = select(Technician).where(Technician.name.startswith("T")).order_by(Technician.id)
    return list(session.scalars(query))


def one_by_one(session: Session, desk: DeskContext, team: list[Technician]) -> dict[object, int]:
    """What the team offers, found without the team's search."""
    found: dict[object, int] = {}
    for each in team:
        for slot in open_slots(session, desk, NOW, each, HOUR, WEEK, at(25, 10, 10)):
            found.setdefault(slot, each.id)
    return found


def searched(session: Session, desk: DeskContext, team: list[Technician]) -> tuple[Offer, ...]:
    return offers(session, desk, NOW, team, HOUR, WEEK, at(25, 10, 10))


def test_a_team_offers_what_its_members_offer_one_by_one(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        team = add_team(session, BATCH + 3)
        customer = bench.customer(session, SOL)
        for hour in (10, 11, 12):
            wish = bench.request(session, SOL, at(25, hour, 30), technician_id=team[2].id)
            bookings.book(session, desk, NOW, customer, wish)
        found = searched(session, desk, team)
        expected = one_by_one(session, desk, team)
    assert {offer.slot: offer.technician_id for offer in found} == expected
    assert list(found) == sorted(found, key=lambda offer: offer.slot.start)
    assert len({offer.technician_id for offer in found}) > 2


def test_a_team_costs_few_queries_and_none_for_members_nobody_needs(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        team = add_team(session, 3 * BATCH)
        session.execute(delete(Absence))
        seen: list[str] = []
        event.listen(session.get_bind(), "before_cursor_execute", lambda _c, _k, text, *_: seen.append(text))
        searched(session, desk, team)
    assert len(seen) <= 2, "the first batch is free at every start that the desk allows"
