"""The waiting list under many hands: one offer for a slot and for an entry, one booking for a link."""

from collections import Counter

from sqlalchemy import func, select

from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.context import load_desk
from scheduler.rules.refusals import OfferClosed, SlotTaken
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, SlotOffer
from scheduler.waiting import answering
from tests.services.conftest import PONS, SOL, Bench
from tests.services.waiting_desk import STARTS, asked, fill, free, join, live, sweep
from tests.together import together

SWEEPERS = 4
CLICKS = 20


def offers(bench: Bench) -> list[tuple[int, int]]:
    """Entry and held booking of each open offer."""
    with read(bench.database.sessions) as session:
        query = select(SlotOffer.entry_id, SlotOffer.held_id).where(SlotOffer.state == "open")
        return [(entry, held) for entry, held in session.execute(query)]


def test_workers_that_sweep_at_once_ask_each_once_about_one_slot(bench: Bench) -> None:
    taken = fill(bench)
    entries = [
        join(bench, SOL),
        join(bench, PONS),
        join(bench, SOL, until_on="2026-11-25", from_on="2026-11-24"),
    ]
    for booking_id in (taken[1], taken[8]):
        free(bench, booking_id)

    def work(_number: int) -> str:
        sweep(bench)
        return "done"

    assert Counter(together(SWEEPERS, work)) == {"done": SWEEPERS}
    found = offers(bench)
    # Three wait, two slots are free: in order, each slot for one.
    assert sorted(entry for entry, _ in found) == entries[:2]
    assert len({held for _, held in found}) == 2
    with read(bench.database.sessions) as session:
        held = select(func.count()).select_from(Booking).where(Booking.status == "held")
        assert session.scalar(held) == 2


def test_twenty_clicks_on_one_link_book_once(bench: Bench) -> None:
    taken = fill(bench)
    join(bench, SOL)
    free(bench, taken[1])
    sweep(bench)
    [offer] = asked(bench)

    def click(_number: int) -> str:
        try:
            with write(bench.database.sessions) as session:
                desk = load_desk(session, bench.installation)
                answering.accept(session, desk, bench.now, answering.offer_of(session, offer.token))
        except OfferClosed as closed:
            return closed.state
        return "booked"

    assert Counter(together(CLICKS, click)) == {"booked": 1, "accepted": CLICKS - 1}
    assert [row.status for row in live(bench, STARTS[1]) if row.technician_id == 1] == ["confirmed"]


def test_nobody_comes_between_letting_go_and_booking(bench: Bench) -> None:
    taken = fill(bench)
    join(bench, SOL)
    free(bench, taken[1])
    sweep(bench)
    [offer] = asked(bench)
    with read(bench.database.sessions) as session:
        technician = session.scalars(select(Booking.technician_id).where(Booking.id == taken[1])).one()

    def work(number: int) -> str:
        try:
            with write(bench.database.sessions) as session:
                desk = load_desk(session, bench.installation)
                if number == 0:
                    answering.accept(session, desk, bench.now, answering.offer_of(session, offer.token))
                    return "accepted"
                wish = bench.request(session, PONS, STARTS[1], technician_id=technician)
                bookings.book(session, desk, bench.now, SYSTEM, wish)
        except SlotTaken:
            return "taken"
        return "stolen"

    assert Counter(together(8, work)) == {"accepted": 1, "taken": 7}
