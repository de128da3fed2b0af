"""The waiting list: in order, half an hour of attention each, by mail; accepted, declined, unanswered, ended."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.customers import keeping, ledger, merging
from scheduler.rules.refusals import (
    HoursExhausted,
    NotAllowed,
    NotFound,
    OfferClosed,
    SlotTaken,
)
from scheduler.store.models import (
    Absence,
    AuditEntry,
    Booking,
    Contact,
    Entitlement,
    LedgerEntry,
    WaitingEntry,
)
from scheduler.team import people as team
from scheduler.waiting import answering, joining
from tests.services.conftest import LUZ, NOW, PONS, SOL, Bench, at
from tests.services.customer_desk import ELENA, id_of, right_of
from tests.services.waiting_desk import (
    STARTS,
    THURSDAY,
    accept,
    asked,
    fill,
    free,
    join,
    live,
    mails,
    state,
    sweep,
)


def decline(bench: Bench, token: str) -> None:
    with bench.writing() as (session, desk):
        answering.decline(session, desk, bench.now, answering.offer_of(session, token))


def test_a_released_slot_is_kept_for_the_first_and_offered_by_mail(bench: Bench) -> None:
    taken = fill(bench)
    first, second = join(bench, SOL), join(bench, PONS)
    sweep(bench)
    assert asked(bench) == []
    free(bench, taken[1])
    sweep(bench)
    [offer] = asked(bench)
    assert (offer.entry, offer.start, offer.state) == (first, STARTS[1], "open")
    assert offer.until == NOW + timedelta(minutes=30)
    [mail] = mails(bench, "waiting_offer")
    assert mail.to_address == f"a@{SOL.lower()}.example"
    assert "11:30" in mail.subject
    assert f"https://soporte.example/waiting/offer/{offer.token}" in mail.text
    assert f'href="https://soporte.example/waiting/offer/{offer.token}"' in mail.html
    assert mail.stop_url is not None
    assert mail.stop_url.startswith(f"https://soporte.example/waiting/leave/{first}-")
    assert [row.status for row in live(bench, STARTS[1]) if row.created_by == f"waiting:{first}"] == ["held"]
    with pytest.raises(SlotTaken), bench.writing() as (session, desk):
        person = bench.technician(session).id
        wish = bench.request(session, PONS, STARTS[1], technician_id=person)
        bookings.book(session, desk, NOW, SYSTEM, wish)
    assert state(bench, second) == "waiting"


def test_accepting_books_with_everything_a_booking_has_and_only_once(bench: Bench) -> None:
    taken = fill(bench)
    entry = join(bench, SOL, description="Sin tono en la 204")
    free(bench, taken[1])
    sweep(bench)
    [offer] = asked(bench)
    booking_id = accept(bench, offer.token)
    with bench.writing() as (session, _):
        row = session.get_one(Booking, booking_id)
        assert (row.status, row.starts_at, row.description) == ("confirmed", STARTS[1], "Sin tono en la 204")
        assert row.created_by == str(bench.customer(session, SOL))
        held = select(LedgerEntry.minutes).where(LedgerEntry.booking_id == booking_id)
        assert session.scalars(held).all() == [-60]
    assert state(bench, entry) == "booked"
    assert len(mails(bench, "confirmed")) >= 1
    with pytest.raises(OfferClosed) as again:
        accept(bench, offer.token)
    assert again.value.state == "accepted"
    with pytest.raises(OfferClosed):
        decline(bench, offer.token)
    sweep(bench)
    assert [each.state for each in asked(bench)] == ["accepted"]


def test_a_declined_or_unanswered_slot_goes_to_the_next_and_never_comes_back(bench: Bench) -> None:
    taken = fill(bench)
    first, second, third = join(bench, SOL), join(bench, PONS), join(bench, LUZ, topic="dial")
    free(bench, taken[2])
    sweep(bench)
    decline(bench, asked(bench)[0].token)
    # 13:00 would fit into the gap as well, but it is the next one's turn.
    sweep(bench)
    assert [each.entry for each in asked(bench)] == [first, second]
    bench.now = asked(bench)[1].until - timedelta(seconds=1)
    sweep(bench)
    assert asked(bench)[1].state == "open"
    bench.now += timedelta(seconds=1)
    with pytest.raises(OfferClosed) as late:
        accept(bench, asked(bench)[1].token)
    assert late.value.state == "expired"
    sweep(bench)
    assert [(each.entry, each.state) for each in asked(bench)] == [
        (first, "declined"),
        (second, "expired"),
        (third, "open"),
    ]
    decline(bench, asked(bench)[2].token)
    sweep(bench)
    assert len(asked(bench)) == 3
    assert len(live(bench, STARTS[2])) == 1
    assert [state(bench, each) for each in (first, second, third)] == ["waiting"] * 3


def test_the_night_does_not_count_and_the_notice_holds_until_the_last_minute(bench: Bench) -> None:
    """Late on Tuesday: half an hour of attention ends on Wednesday morning, and no start is nearer than its notice."""
    taken = fill(bench, THURSDAY)
    waiting = join(bench, SOL, from_on="2026-11-26", until_on="2026-11-26")
    bench.now = at(24, 22)
    free(bench, taken[0])
    free(bench, taken[-1])
    sweep(bench)
    [offer] = asked(bench)
    assert (offer.entry, offer.until) == (waiting, at(25, 9, 30))
    # 8 h of attention after 9:30 on Wednesday end at 9:30 on Thursday; 9:00 could have been booked when it was offered.
    assert offer.start == at(26, 17)
    bench.now = offer.until - timedelta(seconds=1)
    booking_id = accept(bench, offer.token)
    with bench.writing() as (session, _):
        row = session.get_one(Booking, booking_id)
        assert row.earliest_at <= row.starts_at
        assert row.override_reason is None


def test_who_never_answers_is_asked_three_times(bench: Bench) -> None:
    taken = fill(bench, THURSDAY)
    entry = join(bench, SOL, from_on="2026-11-26", until_on="2026-11-26")
    for booking_id in (taken[2], taken[4], taken[6], taken[7]):
        free(bench, booking_id)
    for turn in range(4):
        sweep(bench)
        bench.now += timedelta(minutes=30)
        assert len(asked(bench)) == min(turn + 1, 3)
    assert state(bench, entry) == "unanswered"
    [mail] = mails(bench, "waiting_ended")
    assert "sin tener respuesta" in mail.text
    assert [row for row in live(bench, THURSDAY[7]) if row.status == "held"] == []


def test_the_wait_ends_when_nothing_of_the_range_can_come_any_more(bench: Bench) -> None:
    fill(bench)
    entry = join(bench, SOL)
    bench.now = at(24, 16)
    sweep(bench)
    assert state(bench, entry) == "waiting"
    bench.now = at(25, 9)
    sweep(bench)
    sweep(bench)
    assert state(bench, entry) == "ended"
    [mail] = mails(bench, "waiting_ended")
    assert "No ha quedado libre" in mail.text
    assert "miércoles 25 de noviembre" in mail.text


def test_the_wished_technician_is_waited_for_and_others_are_no_reason_to_refuse(bench: Bench) -> None:
    taken = fill(bench)
    with bench.writing() as (session, _):
        jordi = bench.technician(session, "Jordi Soler").id
    free(bench, taken[1])
    entry = join(bench, SOL, technician_id=jordi)
    sweep(bench)
    assert asked(bench) == []
    free(bench, taken[7])
    sweep(bench)
    [offer] = asked(bench)
    assert offer.entry == entry
    with bench.writing() as (session, _):
        held = session.scalars(select(Booking).where(Booking.status == "held")).one()
        assert held.technician_id == jordi


def test_two_slots_go_to_two_customers_and_each_is_asked_about_one(bench: Bench) -> None:
    taken = fill(bench)
    first, second = join(bench, SOL), join(bench, PONS)
    for booking_id in taken[1:4]:
        free(bench, booking_id)
    sweep(bench)
    sweep(bench)
    assert [(each.entry, each.start) for each in asked(bench)] == [(first, STARTS[1]), (second, STARTS[2])]


def spend(bench: Bench, hours: int) -> None:
    """A dispatcher takes hours off Sol's bundle."""
    right_id = right_of(bench, SOL)
    with bench.writing() as (session, desk):
        right = session.get_one(Entitlement, right_id)
        ledger.correct(session, desk, NOW, ELENA, right, -60 * hours, "Corregido a mano")


def test_a_right_that_no_longer_covers_it_is_passed_over(bench: Bench) -> None:
    taken = fill(bench)
    spent, next_one = join(bench, SOL), join(bench, PONS)
    spend(bench, 10)
    free(bench, taken[1])
    sweep(bench)
    assert [each.entry for each in asked(bench)] == [next_one]
    assert state(bench, spent) == "waiting"


def test_a_right_spent_meanwhile_is_refused_at_acceptance_and_the_slot_stays_kept(bench: Bench) -> None:
    taken = fill(bench)
    entry = join(bench, SOL)
    free(bench, taken[1])
    sweep(bench)
    spend(bench, 10)
    [offer] = asked(bench)
    with pytest.raises(HoursExhausted):
        accept(bench, offer.token)
    assert (asked(bench)[0].state, state(bench, entry)) == ("open", "waiting")
    assert [row.status for row in live(bench, STARTS[1])].count("held") == 1


def test_leaving_and_being_removed_let_the_slot_go(bench: Bench) -> None:
    taken = fill(bench)
    first, second, third = join(bench, SOL), join(bench, PONS), join(bench, LUZ, topic="dial")
    free(bench, taken[1])
    sweep(bench)
    with bench.writing() as (session, desk):
        joining.leave(session, desk, NOW, bench.customer(session, SOL), first)
    with bench.writing() as (session, desk):
        joining.leave(session, desk, NOW, bench.customer(session, SOL), first)
    sweep(bench)
    with pytest.raises(NotAllowed), bench.writing() as (session, desk):
        joining.remove(session, desk, NOW, bench.customer(session, PONS), second, "No quiero")
    with bench.writing() as (session, desk):
        joining.remove(session, desk, NOW, ELENA, second, "Pedido por teléfono")
    sweep(bench)
    assert [(each.entry, each.state) for each in asked(bench)] == [
        (first, "withdrawn"),
        (second, "withdrawn"),
        (third, "open"),
    ]
    assert [state(bench, each) for each in (first, second, third)] == ["left", "removed", "waiting"]
    [mail] = mails(bench, "waiting_ended")
    assert "Pedido por teléfono" in mail.text
    with pytest.raises(OfferClosed) as gone:
        accept(bench, asked(bench)[1].token)
    assert gone.value.state == "withdrawn"
    with bench.writing() as (session, _):
        told = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"waiting:{second}"))
        assert list(told) == ["waiting.join", "waiting.offer", "waiting.remove"]


def test_nobody_sees_or_leaves_anothers_entry(bench: Bench) -> None:
    fill(bench)
    entry = join(bench, SOL)
    with pytest.raises(NotFound), bench.writing() as (session, desk):
        joining.leave(session, desk, NOW, bench.customer(session, PONS), entry)
    pons = id_of(bench, PONS)
    with bench.writing() as (session, _):
        assert joining.queue(session, pons) == []


def test_a_merged_customer_keeps_its_place_and_its_link(bench: Bench) -> None:
    taken = fill(bench)
    entry = join(bench, SOL)
    free(bench, taken[1])
    sweep(bench)
    source, target = id_of(bench, SOL), id_of(bench, PONS)
    with bench.writing() as (session, desk):
        merging.merge(session, desk, bench.vault, NOW, ELENA, source, target)
    booking_id = accept(bench, asked(bench)[0].token)
    with bench.writing() as (session, _):
        assert session.get_one(Booking, booking_id).customer_id == target
    assert state(bench, entry) == "booked"


def test_a_contact_who_has_gone_is_replaced_by_their_company(bench: Bench) -> None:
    taken = fill(bench)
    entry = join(bench, SOL)
    with bench.writing() as (session, desk):
        gone = bench.customer(session, SOL)
        session.add(Contact(customer_id=gone.customer_id, name="Otra", email="otra@sol.example"))
        session.flush()
        keeping.remove_contact(session, desk, NOW, ELENA, gone.id)
    free(bench, taken[1])
    sweep(bench)
    assert [mail.to_address for mail in mails(bench, "waiting_offer")] == ["otra@sol.example"]
    accept(bench, asked(bench)[0].token)
    assert state(bench, entry) == "booked"


def test_a_technician_who_is_forgotten_is_waited_for_no_longer(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        form = team.TechnicianForm("Nuria", "nuria@levantia.example", skills=("asterisk",))
        nuria = team.add_technician(session, desk, NOW, ELENA, form).id
        day = (at(25, 0), at(26, 0))
        session.add(Absence(technician_id=nuria, starts_at=day[0], ends_at=day[1], reason="x"))
    fill(bench)
    entry = join(bench, SOL, technician_id=nuria)
    with bench.writing() as (session, desk):
        team.delete_technician(session, desk, NOW, ELENA, nuria)
    with bench.writing() as (session, _):
        assert session.get_one(WaitingEntry, entry).technician_id is None
