"""A session's end, on both databases: hours, follow-up, no-show, and an undo that leaves the ledger honest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler import entitlements
from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.bookings import closing
from scheduler.bookings.closing import Closing
from scheduler.context import DeskContext
from scheduler.rules import refusals
from scheduler.rules.conditions import NoShowPolicy
from scheduler.store.models import AuditEntry, Booking, CloseOut, Entitlement, LedgerEntry, Notice
from tests.services.conftest import NOW, PONS, SOL, Bench, at

START = at(26, 10)
Moves = list[tuple[str, int, int]]


def booked(bench: Bench, cif: str = SOL, start: datetime = START, minutes: int = 60) -> int:
    with bench.writing() as (session, desk):
        request = bench.request(session, cif, start, minutes=minutes)
        return bookings.book(session, desk, NOW, bench.customer(session, cif), request).id


def started(bench: Bench, row_id: int, when: datetime = START) -> int:
    return act(bench, when, row_id, closing.start)


Verb = Callable[..., Booking]


def act(bench: Bench, when: datetime, row_id: int, verb: Verb, *more: object) -> int:
    """Marta does something to the booking as it is; returns its new revision."""
    with bench.writing() as (session, desk):
        row = session.get_one(Booking, row_id)
        return verb(session, desk, when, bench.technician(session), row_id, row.rev, *more).rev


def ledger(bench: Bench, row_id: int) -> Moves:
    with bench.writing() as (session, _):
        rows = session.scalars(
            select(LedgerEntry).where(LedgerEntry.booking_id == row_id).order_by(LedgerEntry.id)
        )
        return [(row.reason, row.minutes, row.round) for row in rows]


def balance(bench: Bench) -> int:
    with bench.writing() as (session, _):
        right = session.scalars(select(Entitlement).where(Entitlement.kind == "hours")).one()
        total = session.scalar(
            select(func.sum(LedgerEntry.minutes)).where(LedgerEntry.entitlement_id == right.id)
        )
        assert right.balance_minutes == total
        return right.balance_minutes


def mails(bench: Bench, row_id: int) -> list[tuple[str, str]]:
    with bench.writing() as (session, _):
        rows = session.scalars(select(Notice).where(Notice.booking_id == row_id).order_by(Notice.id))
        return [(row.kind, row.text) for row in rows]


def actions(bench: Bench) -> list[str]:
    with bench.writing() as (session, _):
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def row_of(bench: Bench, row_id: int) -> Booking:
    with bench.writing() as (session, _):
        return session.get_one(Booking, row_id)


def closed(bench: Bench, minutes: int = 45) -> int:
    """A session of one hour, closed at 10:40; its id."""
    row_id = booked(bench)
    started(bench, row_id)
    act(bench, at(26, 10, 40), row_id, closing.complete, Closing(minutes, "Era el router."))
    return row_id


def test_an_undo_reverses_the_ledger_by_entries_of_its_own(bench: Bench) -> None:
    row_id = closed(bench)
    assert balance(bench) == 555
    act(bench, at(26, 10, 45), row_id, closing.undo)
    row = row_of(bench, row_id)
    assert (row.status, row.minutes_used, row.session_note) == ("in_session", None, None)
    assert row.session_started_at == START
    assert balance(bench) == 540
    act(bench, at(26, 11), row_id, closing.complete, Closing(30, "Y el cable."))
    assert balance(bench) == 570
    assert ledger(bench, row_id) == [
        ("hold", -60, 1),
        ("release", 60, 1),
        ("consume", -45, 1),
        ("reverse", 45, 1),
        ("hold", -60, 2),
        ("release", 60, 2),
        ("consume", -30, 2),
    ]
    with bench.writing() as (session, _):
        kept = session.scalars(select(CloseOut).order_by(CloseOut.round)).all()
        assert [(one.round, one.minutes_used, one.note, one.undone_by is not None) for one in kept] == [
            (1, 45, "Era el router.", True),
            (2, 30, "Y el cable.", False),
        ]
    assert actions(bench)[-3:] == ["booking.complete", "booking.reopen", "booking.complete"]


def test_the_first_mail_is_corrected_by_a_second(bench: Bench) -> None:
    row_id = closed(bench)
    act(bench, at(26, 10, 45), row_id, closing.undo)
    act(bench, at(26, 11), row_id, closing.complete, Closing(30))
    kinds = [kind for kind, _ in mails(bench, row_id)]
    assert kinds[-3:] == ["completed", "reopened", "completed"]
    texts = dict(mails(bench, row_id))
    assert "lo que decía aquel correo ya no vale" in texts["reopened"]
    assert "Saldo de su bono sin ellas: 9 h" in texts["reopened"]


def test_an_undo_may_be_done_again_and_again_within_its_minutes(bench: Bench) -> None:
    row_id = closed(bench)
    for turn in range(3):
        act(bench, at(26, 10, 41 + turn), row_id, closing.undo)
        act(bench, at(26, 10, 42 + turn), row_id, closing.complete, Closing(15))
    assert balance(bench) == 585
    assert [round_ for reason, _, round_ in ledger(bench, row_id) if reason == "consume"] == [1, 2, 3, 4]


def test_a_session_closed_without_hours_can_be_opened_again_too(bench: Bench) -> None:
    row_id = closed(bench, 0)
    assert balance(bench) == 600
    act(bench, at(26, 10, 45), row_id, closing.undo)
    assert balance(bench) == 540
    act(bench, at(26, 10, 50), row_id, closing.complete, Closing(60))
    assert balance(bench) == 540


def test_after_ten_minutes_nothing_is_undone(bench: Bench) -> None:
    row_id = closed(bench)
    before = ledger(bench, row_id)
    with pytest.raises(refusals.UndoExpired):
        act(bench, at(26, 10, 50) + timedelta(seconds=1), row_id, closing.undo)
    assert (row_of(bench, row_id).status, ledger(bench, row_id)) == ("done", before)


def test_an_undo_sets_aside_only_what_others_left(bench: Bench) -> None:
    row_id = closed(bench, 0)
    with bench.writing() as (session, _):
        right = session.scalars(select(Entitlement).where(Entitlement.kind == "hours")).one()
        spent = LedgerEntry(entitlement_id=right.id, reason="consume", minutes=-580, at=NOW, by="system")
        session.add(spent)
    act(bench, at(26, 10, 45), row_id, closing.undo)
    assert balance(bench) == 0
    assert ledger(bench, row_id)[-1] == ("hold", -20, 2)
    with pytest.raises(refusals.HoursExhausted):
        act(bench, at(26, 10, 50), row_id, closing.complete, Closing(30))
    act(bench, at(26, 10, 50), row_id, closing.complete, Closing(15))
    assert balance(bench) == 5


def test_a_time_given_away_meanwhile_is_not_taken_back(bench: Bench) -> None:
    row_id = closed(bench)
    with bench.writing() as (session, desk):
        reason = {"override_reason": "Centralita parada, lo pide el cliente."}
        person = session.get_one(Booking, row_id).technician_id
        wish = bench.request(session, PONS, at(26, 10, 30), minutes=30, technician_id=person, **reason)
        bookings.book(session, desk, NOW, SYSTEM, wish)
    before = ledger(bench, row_id)
    with pytest.raises(refusals.SlotTaken):
        act(bench, at(26, 10, 45), row_id, closing.undo)
    assert (row_of(bench, row_id).status, ledger(bench, row_id)) == ("done", before)


def test_the_database_still_takes_each_reason_once_in_a_round(bench: Bench) -> None:
    row_id = closed(bench)
    with pytest.raises(IntegrityError, match=r"ledger_entry"), bench.writing() as (session, _):
        row = session.get_one(Booking, row_id)
        entitlements.settle(session, NOW, row, 15, SYSTEM)
    assert balance(bench) == 555
    with pytest.raises(refusals.TransitionNotAllowed):
        act(bench, at(26, 10, 41), row_id, closing.complete, Closing(15))


def test_only_the_desk_closes_misses_and_undoes(bench: Bench) -> None:
    row_id = closed(bench)

    def as_customer(verb: Verb, *more: object) -> None:
        with bench.writing() as (session, desk):
            row = session.get_one(Booking, row_id)
            verb(session, desk, at(26, 10, 45), bench.customer(session, SOL), row_id, row.rev, *more)

    for verb, more in (
        (closing.undo, ()),
        (closing.miss, ()),
        (closing.start, ()),
        (closing.complete, (Closing(0),)),
    ):
        with pytest.raises(refusals.NotAllowed):
            as_customer(verb, *more)
    with pytest.raises(refusals.StaleRevision), bench.writing() as (session, desk):
        closing.undo(session, desk, at(26, 10, 45), bench.technician(session), row_id, 1)


def with_no_show(bench: Bench, policy: NoShowPolicy) -> None:
    conditions = bench.installation.conditions
    changed = replace(conditions, no_show=MappingProxyType({**conditions.no_show, "hours": policy}))
    bench.installation = replace(bench.installation, conditions=changed)


@pytest.mark.parametrize(
    ("policy", "left", "said"),
    [
        ("consume", 540, "se descuentan las horas reservadas: 1 h"),
        ("release", 600, "vuelven a su bono. Saldo: 10 h"),
    ],
)
@pytest.mark.parametrize("under_way", [True, False])
def test_a_missed_session_costs_what_the_conditions_say(
    bench: Bench, policy: NoShowPolicy, left: int, said: str, under_way: bool
) -> None:
    with_no_show(bench, policy)
    row_id = booked(bench)
    if under_way:
        started(bench, row_id)
    act(bench, at(26, 10, 15), row_id, closing.miss, "Llamé tres veces.")
    assert (row_of(bench, row_id).status, balance(bench)) == ("no_show", left)
    kind, text = mails(bench, row_id)[-1]
    assert kind == "missed"
    assert said in text
    assert "Llamé tres veces." in text
    assert actions(bench)[-1] == "booking.no_show"
    act(bench, at(26, 10, 20), row_id, closing.undo)
    assert (row_of(bench, row_id).status, balance(bench)) == ("in_session", 540)


def test_nobody_is_missed_before_the_grace_is_over(bench: Bench) -> None:
    row_id = booked(bench)
    with pytest.raises(refusals.TooEarly) as refused:
        act(bench, at(26, 10, 14), row_id, closing.miss)
    assert refused.value.facts == {"from_at": at(26, 10, 15)}
    assert (row_of(bench, row_id).status, balance(bench)) == ("confirmed", 540)


def test_where_minutes_are_not_counted_a_missed_session_costs_none(bench: Bench) -> None:
    row_id = booked(bench, PONS)
    act(bench, at(26, 10, 15), row_id, closing.miss)
    row = row_of(bench, row_id)
    assert (row.status, row.minutes_used, ledger(bench, row_id)) == ("no_show", 0, [])
    act(bench, at(26, 10, 20), row_id, closing.undo)
    assert ledger(bench, row_id) == []


def follow_up(bench: Bench, session: Session, row_id: int, start: datetime) -> bookings.BookingRequest:
    row = session.get_one(Booking, row_id)
    return bench.request(session, SOL, start, technician_id=row.technician_id)


def test_the_next_session_is_booked_with_the_closing(bench: Bench) -> None:
    row_id = booked(bench)
    started(bench, row_id)
    with bench.writing() as (session, _):
        wish = follow_up(bench, session, row_id, at(30, 10))
    act(bench, at(26, 10, 40), row_id, closing.complete, Closing(45, "", wish))
    with bench.writing() as (session, _):
        kept = session.scalars(select(CloseOut)).one()
        assert kept.follow_up_id is not None
        next_one = session.get_one(Booking, kept.follow_up_id)
        assert (next_one.starts_at, next_one.status) == (at(30, 10), "confirmed")
    assert balance(bench) == 600 - 45 - 60


def test_what_this_session_leaves_over_pays_the_next(bench: Bench) -> None:
    row_id = booked(bench)
    with bench.writing() as (session, _):
        right = session.scalars(select(Entitlement).where(Entitlement.kind == "hours")).one()
        spent = LedgerEntry(entitlement_id=right.id, reason="consume", minutes=-510, at=NOW, by="system")
        session.add(spent)
    started(bench, row_id)
    with bench.writing() as (session, _):
        wish = replace(follow_up(bench, session, row_id, at(30, 10)), minutes=60)
    act(bench, at(26, 10, 40), row_id, closing.complete, Closing(30, "", wish))
    assert balance(bench) == 0


def test_a_next_session_that_cannot_be_leaves_this_one_open(bench: Bench) -> None:
    row_id = booked(bench)
    started(bench, row_id)
    for start, refusal in ((at(26, 12), refusals.LeadTimeTooShort), (at(28, 10), refusals.OutsideHours)):
        with bench.writing() as (session, _):
            wish = follow_up(bench, session, row_id, start)
        with pytest.raises(refusal):
            act(bench, at(26, 10, 40), row_id, closing.complete, Closing(45, "", wish))
    assert row_of(bench, row_id).status == "in_session"
    assert balance(bench) == 540


def test_three_times_to_go_on_are_offered_that_do_not_overlap(bench: Bench) -> None:
    from scheduler.slots.follow_up import next_slots

    row_id = booked(bench)
    booked(bench, PONS, at(27, 12))

    def offered(session: Session, desk: DeskContext) -> list[datetime]:
        row = session.get_one(Booking, row_id)
        return [slot.start for slot in next_slots(session, desk, at(26, 10, 40), row)]

    with bench.writing() as (session, desk):
        # Eight hours of attention from Thursday 10:40: 3 h 20 + 3 h, and 1 h 40 of Friday.
        assert offered(session, desk) == [at(27, 11), at(27, 13), at(27, 14)]
