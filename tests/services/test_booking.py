"""The booking verbs: what each writes, and what each refuses, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from scheduler.audit import first_broken
from scheduler.bookings import booking as bookings
from scheduler.bookings import closing
from scheduler.rules import refusals
from scheduler.store.models import (
    AuditEntry,
    Booking,
    CalendarObject,
    Check,
    Entitlement,
    LedgerEntry,
    Notice,
)
from tests.services.conftest import NOW, PONS, SOL, Bench, at

WEDNESDAY_1030 = at(25, 10, 30)


def test_booking_writes_everything_that_follows(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        row = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030))
        assert (row.status, row.earliest_at, row.technician.name) == (
            "confirmed",
            at(25, 10, 10),
            "Marta Ruiz",
        )
        held = session.scalars(select(LedgerEntry).where(LedgerEntry.booking_id == row.id)).one()
        assert (held.reason, held.minutes) == ("hold", -60)
        assert session.get_one(Entitlement, row.entitlement_id, populate_existing=True).balance_minutes == 540
        stages = session.scalars(
            select(Check.stage).where(Check.booking_id == row.id).order_by(Check.due_at)
        ).all()
        assert stages == ["booked", "h24", "h8", "h2", "m30"]
        assert session.get(CalendarObject, row.id) is not None
        mails = {
            mail.kind: mail for mail in session.scalars(select(Notice).where(Notice.booking_id == row.id))
        }
        assert mails.keys() == {"confirmed", "staff_confirmed"}, (
            "the technician has no calendar that shows it"
        )
        notice = mails["confirmed"]
        assert "miércoles 25 de noviembre, 10:30" in notice.subject
        assert b"DTSTART" in (notice.attachment or b"")
        assert "booking.book" in session.scalars(select(AuditEntry.action)).all()
        assert first_broken(session, desk.installation.keys.audit) is None
    assert {kind for kind, *_ in bench.wakes} == {"check", "notice"}


def test_refused_booking_writes_nothing(bench: Bench) -> None:
    with pytest.raises(refusals.LeadTimeTooShort) as refused, bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        bookings.book(session, desk, NOW, actor, bench.request(session, SOL, at(25, 9, 30)))
    assert refused.value.earliest_at == at(25, 10, 10)
    with bench.writing() as (session, _):
        for table in (Booking, Check, Notice):
            assert session.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    ("start", "refusal"),
    [
        (at(24, 9), refusals.InThePast),
        (at(25, 10), refusals.LeadTimeTooShort),
        (at(25, 10, 40), refusals.OffGrid),
        (at(26, 3), refusals.OutsideHours),
        (at(26, 13, 30), refusals.OutsideHours),
        (at(26, 10) + timedelta(days=90), refusals.BeyondHorizon),
        (at(30, 10) + timedelta(days=8), refusals.OutsideHours),  # 8 December is a holiday in Spain
    ],
)
def test_moments_that_cannot_be_booked(bench: Bench, start: object, refusal: type[refusals.Refusal]) -> None:
    with pytest.raises(refusal), bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        bookings.book(session, desk, NOW, actor, bench.request(session, SOL, start))  # type: ignore[arg-type]


def test_a_taken_slot_offers_the_three_nearest(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        marta = bench.technician(session)
        first, second = (
            bench.request(session, cif, WEDNESDAY_1030, technician_id=marta.id) for cif in (SOL, PONS)
        )
        bookings.book(session, desk, NOW, bench.customer(session, SOL), first)
        with pytest.raises(refusals.SlotTaken) as refused:
            bookings.book(session, desk, NOW, bench.customer(session, PONS), second)
    assert list(refused.value.alternatives) == [at(25, 11, 30), at(25, 12), at(25, 12, 30)]


def test_first_free_goes_to_the_next_technician(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        names = []
        for cif in (SOL, PONS):
            wish = bench.request(session, cif, WEDNESDAY_1030)
            names.append(
                bookings.book(session, desk, NOW, bench.customer(session, cif), wish).technician.name
            )
    assert names == ["Marta Ruiz", "Jordi Soler"]


def test_move_keeps_the_uid_and_plans_anew(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        row = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030))
        uid, rev, sequence = row.uid, row.rev, row.sequence
    with bench.writing() as (session, desk):
        moved = bookings.move(
            session, desk, NOW, actor, row.id, bookings.Move(rev, at(26, 11), "Europe/Madrid")
        )
        assert (moved.uid, moved.starts_at) == (uid, at(26, 11))
        assert moved.rev == rev + 1
        assert moved.sequence > sequence
        states = session.execute(select(Check.rev, Check.state).where(Check.booking_id == row.id)).all()
        assert {(old, state) for old, state in states if old == rev} == {(rev, "dropped")}
        assert {state for new, state in states if new == rev + 1} == {"planned"}
        event = session.get_one(CalendarObject, row.id).vevent
        assert b"DTSTART;TZID=Europe/Madrid:20261126T110000" in event


def test_move_refuses_a_stale_revision(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        row = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030))
    with pytest.raises(refusals.StaleRevision), bench.writing() as (session, desk):
        bookings.move(
            session, desk, NOW, actor, row.id, bookings.Move(row.rev + 5, at(26, 11), "Europe/Madrid")
        )


def test_move_onto_another_booking_is_refused(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        marta = bench.technician(session).id
        first = bookings.book(
            session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030, technician_id=marta)
        )
        wish = bench.request(session, SOL, at(25, 12), technician_id=marta)
        bookings.book(session, desk, NOW, actor, wish)
    with pytest.raises(refusals.SlotTaken), bench.writing() as (session, desk):
        bookings.move(
            session, desk, NOW, actor, first.id, bookings.Move(first.rev, at(25, 12), "Europe/Madrid")
        )


def test_cancel_returns_the_hours_and_frees_the_slot(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        row = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030))
    with bench.writing() as (session, desk):
        cancelled = bookings.cancel(session, desk, NOW, actor, row.id, row.rev)
        assert cancelled.status == "cancelled"
        assert session.get_one(Entitlement, row.entitlement_id).balance_minutes == 600
        assert set(session.scalars(select(Check.state).where(Check.booking_id == row.id))) == {"dropped"}
        assert b"STATUS:CANCELLED" in session.get_one(CalendarObject, row.id).vevent
        again = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030))
        assert again.technician_id == row.technician_id


def test_hold_gives_way_to_its_own_booking_only(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        sol, pons = bench.customer(session, SOL), bench.customer(session, PONS)
        marta = bench.technician(session).id
        wish = bench.request(session, SOL, WEDNESDAY_1030, technician_id=marta)
        held = bookings.hold(session, desk, NOW, sol, wish)
        assert held.held_until == NOW + timedelta(minutes=5)
        rival = bench.request(session, PONS, WEDNESDAY_1030, technician_id=marta)
        with pytest.raises(refusals.SlotTaken):
            bookings.book(session, desk, NOW, pons, rival)
        assert bookings.book(session, desk, NOW, sol, wish).status == "confirmed"


def test_an_expired_hold_no_longer_blocks(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        sol, pons = bench.customer(session, SOL), bench.customer(session, PONS)
        marta = bench.technician(session).id
        bookings.hold(
            session, desk, NOW, sol, bench.request(session, SOL, WEDNESDAY_1030, technician_id=marta)
        )
        later = NOW + timedelta(minutes=6)
        wish = bench.request(session, PONS, at(25, 11), technician_id=marta)
        assert bookings.book(session, desk, later, pons, wish).status == "confirmed"


def test_close_out_settles_the_ledger(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        row = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030))
        marta = bench.technician(session)
        closing.start(session, desk, row.starts_at, marta, row.id, row.rev)
        done = closing.complete(
            session, desk, row.ends_at, marta, row.id, row.rev, closing.Closing(45, "Resuelto.")
        )
        assert (done.status, done.minutes_used) == ("done", 45)
        assert session.get_one(Entitlement, row.entitlement_id, populate_existing=True).balance_minutes == 555


def test_close_out_takes_quarter_hours(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        row = bookings.book(session, desk, NOW, actor, bench.request(session, SOL, WEDNESDAY_1030))
        marta = bench.technician(session)
        closing.start(session, desk, row.starts_at, marta, row.id, row.rev)
        with pytest.raises(refusals.InvalidInput) as refused:
            closing.complete(session, desk, row.ends_at, marta, row.id, row.rev, closing.Closing(50))
    assert refused.value.field == "minutes_used"


def test_customers_are_walls(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        row = bookings.book(
            session, desk, NOW, bench.customer(session, SOL), bench.request(session, SOL, WEDNESDAY_1030)
        )
        with pytest.raises(refusals.NotFound):
            bookings.cancel(session, desk, NOW, bench.customer(session, PONS), row.id, row.rev)
        with pytest.raises(refusals.NotFound):
            bookings.book(
                session, desk, NOW, bench.customer(session, PONS), bench.request(session, SOL, at(26, 10))
            )


def test_only_a_dispatcher_overrides_the_lead_time(bench: Bench) -> None:
    reason = "Centralita caída, autorizado por dirección."
    with bench.writing() as (session, desk):
        wish = bench.request(session, SOL, at(24, 11), override_reason=reason)
        with pytest.raises(refusals.NotAllowed):
            bookings.book(session, desk, NOW, bench.customer(session, SOL), wish)
        from scheduler.actor import Actor

        row = bookings.book(session, desk, NOW, Actor("dispatcher", 3, "Elena"), wish)
        assert row.override_reason == reason


def test_a_remote_tool_in_the_description_is_refused(bench: Bench) -> None:
    with pytest.raises(refusals.ToolNotAccepted), bench.writing() as (session, desk):
        wish = bench.request(session, SOL, WEDNESDAY_1030, description="Entren por TeamViewer 123 456")
        bookings.book(session, desk, NOW, bench.customer(session, SOL), wish)


def test_hours_that_do_not_suffice_are_refused(bench: Bench) -> None:
    with pytest.raises(refusals.HoursExhausted) as refused, bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        for day in (25, 26, 27, 30):
            for hour in (11, 13):
                wish = bench.request(session, SOL, at(day, hour), minutes=120 if hour == 11 else 60)
                bookings.book(session, desk, NOW, actor, wish)
    assert refused.value.left_minutes < refused.value.needed_minutes
