"""A team's slots: each start once, with the first in the order given who is free, by few queries."""

from datetime import timedelta
from itertools import product

from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.context import DeskContext
from scheduler.rules.intervals import Interval
from scheduler.rules.slots import nearest
from scheduler.slots.availability import BATCH, Offer, alternatives, offers, open_slots
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


def test_the_nearest_are_those_of_the_whole_fortnight(bench: Bench) -> None:
    """Looking close by first finds no other than looking everywhere."""
    wished = [at(25, 10, 30), at(25, 13, 30), at(25, 23), at(27, 17), at(28, 3), at(29, 12)]
    earliest = [at(24, 12), at(26, 9, 40), at(30, 9)]
    with bench.writing() as (session, desk):
        marta = session.get_one(Technician, bench.technician(session).id)
        team, customer = [marta], bench.customer(session, SOL)
        for start in (at(25, 10, 30), at(25, 12), at(27, 12), at(30, 10)):
            taken = bench.request(session, SOL, start, technician_id=marta.id)
            bookings.book(session, desk, NOW, customer, taken)
        for wanted, not_before in product(wished, earliest):
            found = alternatives(session, desk, NOW, team, Interval(wanted, wanted + HOUR), not_before)
            everywhere = Interval(not_before, max(not_before, wanted) + timedelta(days=20))
            whole = offers(session, desk, NOW, team, HOUR, everywhere, not_before)
            expected = [slot.start for slot in nearest([offer.slot for offer in whole], wanted)]
            assert (wanted, not_before, list(found)) == (wanted, not_before, expected)
            assert len(found) == 3
