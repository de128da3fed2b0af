"""Bookings that wait for the desk: the slot and the hours are held, checks run, and somebody or the clock decides."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.actor import SYSTEM
from scheduler.bookings import approving
from scheduler.bookings import booking as bookings
from scheduler.context import load_desk
from scheduler.rules.refusals import (
    InvalidInput,
    NotAllowed,
    NotFound,
    Refusal,
    SlotTaken,
    StaleRevision,
    TransitionNotAllowed,
)
from scheduler.store.engines import write
from scheduler.store.models import (
    AuditEntry,
    BookingDecision,
    CalendarObject,
    Check,
    Entitlement,
    LedgerEntry,
    Notice,
)
from tests.services.approval_desk import START, approving_desk, ask, mails, row, sweep
from tests.services.conftest import LUZ, NOW, PONS, SOL, Bench, at
from tests.services.customer_desk import ELENA
from tests.services.waiting_desk import accept, asked, fill, free, join
from tests.services.waiting_desk import sweep as offer
from tests.together import together

SEEN = 1
"""The revision that the page showed: nobody has touched the booking since it was asked for."""


def approve(bench: Bench, booking_id: int) -> None:
    with bench.writing() as (session, desk):
        approving.approve(session, desk, bench.now, ELENA, booking_id, SEEN)


def refuse(bench: Bench, booking_id: int, reason: str = "Ese día no hay nadie") -> None:
    with bench.writing() as (session, desk):
        approving.refuse(session, desk, bench.now, ELENA, booking_id, SEEN, reason)


def ledger(bench: Bench, booking_id: int) -> list[tuple[str, int]]:
    with bench.writing() as (session, _):
        query = select(LedgerEntry.reason, LedgerEntry.minutes).where(LedgerEntry.booking_id == booking_id)
        return [(reason, minutes) for reason, minutes in session.execute(query.order_by(LedgerEntry.id))]


def event(bench: Bench, booking_id: int) -> str:
    with bench.writing() as (session, _):
        return session.get_one(CalendarObject, booking_id).vevent.decode()


def checks(bench: Bench, booking_id: int) -> Counter[tuple[str, int]]:
    with bench.writing() as (session, _):
        found = session.scalars(select(Check).where(Check.booking_id == booking_id))
        return Counter((check.state, check.rev) for check in found)


def test_a_customers_booking_waits_with_slot_hours_calendar_and_checks(bench: Bench) -> None:
    approving_desk(bench)
    waits = ask(bench)
    assert row(bench, waits).status == "pending"
    assert ledger(bench, waits) == [("hold", -60)]
    assert "STATUS:TENTATIVE" in event(bench, waits)
    assert checks(bench, waits)["planned", 1] > 1
    assert mails(bench, waits) == ["pending", "approval_asked"]
    with bench.writing() as (session, _):
        told = session.scalars(select(Notice).where(Notice.kind == "pending")).one()
        desk_mail = session.scalars(select(Notice).where(Notice.kind == "approval_asked")).one()
    assert "miércoles 25 de noviembre, 09:00" in told.text
    assert told.calendar_method is None
    assert desk_mail.to_address == "soporte@levantia.example"
    assert "https://soporte.example/approvals" in desk_mail.text
    with pytest.raises(SlotTaken), bench.writing() as (session, desk):
        wish = bench.request(session, PONS, START, technician_id=bench.technician(session).id)
        bookings.book(session, desk, NOW, SYSTEM, wish)


def test_others_and_the_desks_own_bookings_need_no_approval(bench: Bench) -> None:
    approving_desk(bench)
    assert row(bench, ask(bench, PONS, at(25, 12))).status == "confirmed"
    with bench.writing() as (session, desk):
        wish = bench.request(session, SOL, at(26, 11))
        made = bookings.book(session, desk, NOW, ELENA, wish)
        assert made.status == "confirmed"


def test_approving_confirms_tells_and_tests_anew(bench: Bench) -> None:
    approving_desk(bench)
    waits = ask(bench)
    approve(bench, waits)
    found = row(bench, waits)
    assert (found.status, found.rev, found.sequence) == ("confirmed", 2, 1)
    assert mails(bench, waits)[2:] == ["confirmed", "staff_confirmed"]
    assert "STATUS:CONFIRMED" in event(bench, waits)
    assert ledger(bench, waits) == [("hold", -60)]
    after = checks(bench, waits)
    assert after["planned", 2] > 1
    assert not after["planned", 1]
    with bench.writing() as (session, _):
        decision = session.get_one(BookingDecision, waits)
        assert (decision.outcome, decision.decided_by, decision.reason) == ("approved", "dispatcher:3", "")
        told = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"booking:{waits}"))
        assert list(told) == ["booking.book", "booking.approve"]


def test_refusing_gives_slot_and_hours_back_and_says_why(bench: Bench) -> None:
    approving_desk(bench)
    waits = ask(bench)
    refuse(bench, waits)
    assert row(bench, waits).status == "cancelled"
    assert ledger(bench, waits) == [("hold", -60), ("release", 60)]
    assert "STATUS:CANCELLED" in event(bench, waits)
    assert set(checks(bench, waits)) == {("dropped", 1)}
    with bench.writing() as (session, _):
        told = session.scalars(select(Notice).where(Notice.kind == "refused")).one()
        right = session.scalars(select(Entitlement).where(Entitlement.kind == "hours")).one()
        assert right.balance_minutes == 600
    assert "Ese día no hay nadie" in told.text
    assert "Saldo: 10 h" in told.text
    assert row(bench, ask(bench)).status == "pending"


def test_only_a_dispatcher_decides_once_and_on_what_was_seen(bench: Bench) -> None:
    approving_desk(bench)
    waits = ask(bench)
    with bench.writing() as (session, _):
        others = [bench.customer(session, SOL), bench.technician(session)]
    for actor in others:
        with pytest.raises(NotAllowed), bench.writing() as (session, desk):
            approving.approve(session, desk, NOW, actor, waits, 1)
        with pytest.raises(NotAllowed), bench.writing() as (session, desk):
            approving.refuse(session, desk, NOW, actor, waits, 1, "No puede ser")
    for reason in ("", "   "):
        with pytest.raises(InvalidInput) as empty:
            refuse(bench, waits, reason)
        assert (empty.value.field, empty.value.problem) == ("reason", "required")
    with pytest.raises(StaleRevision), bench.writing() as (session, desk):
        approving.approve(session, desk, NOW, ELENA, waits, 7)
    with pytest.raises(NotFound), bench.writing() as (session, desk):
        approving.approve(session, desk, NOW, ELENA, 999, 1)
    approve(bench, waits)
    for again in (approve, refuse):
        with pytest.raises(TransitionNotAllowed):
            again(bench, waits)
    assert row(bench, waits).status == "confirmed"


def test_the_customer_moves_and_cancels_what_waits(bench: Bench) -> None:
    approving_desk(bench)
    waits = ask(bench)
    with bench.writing() as (session, desk):
        actor = bench.customer(session, SOL)
        to = bookings.Move(1, at(26, 11), "Europe/Madrid")
        assert bookings.move(session, desk, NOW, actor, waits, to).status == "pending"
        bookings.cancel(session, desk, NOW, actor, waits, 2)
    assert row(bench, waits).status == "cancelled"
    assert ledger(bench, waits) == [("hold", -60), ("release", 60)]
    sweep(bench)
    with bench.writing() as (session, _):
        assert session.get(BookingDecision, waits) is None


@pytest.mark.parametrize(("policy", "status"), [("release", "expired"), ("confirm", "confirmed")])
def test_what_nobody_decides_on_follows_the_conditions(bench: Bench, policy: str, status: str) -> None:
    approving_desk(bench, unanswered=policy)
    waits, later = ask(bench), ask(bench, LUZ, at(25, 15), topic="dial")
    bench.now = START - timedelta(minutes=120, seconds=1)
    sweep(bench)
    assert row(bench, waits).status == "pending"
    bench.now = START - timedelta(minutes=120)
    sweep(bench)
    sweep(bench)
    assert (row(bench, waits).status, row(bench, later).status) == (status, "pending")
    told = mails(bench, waits)[2:]
    if policy == "release":
        assert told == ["undecided", "staff_cancelled"]
        assert ledger(bench, waits) == [("hold", -60), ("release", 60)]
        assert "STATUS:CANCELLED" in event(bench, waits)
    else:
        assert told == ["confirmed", "staff_confirmed"]
        assert ledger(bench, waits) == [("hold", -60)]


def test_approve_refuse_cancel_and_the_clock_at_once_decide_once(bench: Bench) -> None:
    approving_desk(bench)
    waits = ask(bench)
    bench.now = START - timedelta(minutes=120)

    def act(number: int) -> str:
        try:
            if number % 4 == 3:
                sweep(bench)
                return "swept"
            with write(bench.database.sessions) as session:
                desk = load_desk(session, bench.installation)
                if number % 4 == 0:
                    approving.approve(session, desk, bench.now, ELENA, waits, 1)
                elif number % 4 == 1:
                    approving.refuse(session, desk, bench.now, ELENA, waits, 1, "No puede ser")
                else:
                    bookings.cancel(session, desk, bench.now, SYSTEM, waits, 1)
        except Refusal:
            return "late"
        return "did"

    did = Counter(together(8, act))
    assert did["did"] <= 1
    found = row(bench, waits)
    assert found.rev == 2
    assert found.status in ("confirmed", "cancelled", "expired")
    held = sum(minutes for _, minutes in ledger(bench, waits))
    assert held == (-60 if found.status == "confirmed" else 0)


def test_a_slot_from_the_waiting_list_waits_for_approval_too(bench: Bench) -> None:
    taken = fill(bench)
    approving_desk(bench)
    join(bench, SOL)
    free(bench, taken[1])
    offer(bench)
    made = accept(bench, asked(bench)[0].token)
    assert row(bench, made).status == "pending"
    assert mails(bench, made) == ["pending", "approval_asked"]
