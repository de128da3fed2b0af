"""Checks: planned with the booking, run once, and what follows from each verdict."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from scheduler.bookings import booking as bookings
from scheduler.checks import pins, planning
from scheduler.rules import refusals
from scheduler.rules.intervals import Interval
from scheduler.slots.attendance import busy_intervals
from scheduler.store.models import (
    AccessPoint,
    Booking,
    CalendarObject,
    Check,
    CheckStep,
    Entitlement,
    Notice,
    PinnedIdentity,
    Technician,
)
from tests.services.checking import FINGERPRINT, GREEN, HOST_KEY, OURS, RED, YELLOW, Checking, make_checking
from tests.services.conftest import LUZ, NOW, PONS, SOL, Bench, at


@pytest.fixture
def checking(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Checking:
    """A bench whose probe says what the test wants."""
    return make_checking(bench, monkeypatch)


def mails(checking: Checking, *kinds: str) -> list[Notice]:
    with checking.bench.writing() as (session, _):
        return list(session.scalars(select(Notice).where(Notice.kind.in_(kinds)).order_by(Notice.id)))


def event(checking: Checking, booking_id: int) -> bytes:
    with checking.bench.writing() as (session, _):
        body = session.get_one(CalendarObject, booking_id).vevent
        return body.replace(b"\r\n ", b"")


# Planning


def test_checks_are_planned_a_day_eight_two_hours_and_half_an_hour_before(checking: Checking) -> None:
    booked = checking.book(start=at(26, 10))
    with checking.bench.writing() as (session, _):
        rows = session.scalars(select(Check).where(Check.booking_id == booked).order_by(Check.due_at)).all()
        assert [(row.stage, row.due_at) for row in rows] == [
            ("booked", NOW),
            ("h24", at(25, 10)),
            ("h8", at(26, 2)),
            ("h2", at(26, 8)),
            ("m30", at(26, 9, 30)),
        ]
        assert {(row.state, row.rev, row.verdict) for row in rows} == {("planned", 1, "unknown")}


def test_only_what_is_due_soon_is_woken_at_once(checking: Checking) -> None:
    booked = checking.book()
    first = checking.check(booked)
    assert [asked for asked in checking.bench.wakes if asked[0] == "check"] == [
        ("check", first.id, 1, first.due_at)
    ]


def test_what_comes_due_is_found_by_its_rows(checking: Checking) -> None:
    booked = checking.book()
    with checking.bench.writing() as (session, _):
        before = {row[0] for row in planning.overdue(session, at(25, 10) - timedelta(seconds=1))}
        due = {row[0] for row in planning.overdue(session, at(25, 10))}
    assert due - before == {checking.check(booked, "h24").id}


def test_a_check_on_demand_is_asked_once_at_a_time(checking: Checking) -> None:
    booked = checking.book()
    with checking.bench.writing() as (session, _):
        row = session.get_one(Booking, booked)
        actor = checking.bench.customer(session, SOL)
        first = planning.ask(session, NOW, actor, row.access_point, row)
        assert planning.ask(session, NOW, actor, row.access_point, row) is first
        assert planning.latest(session, row.access_point_id) is first
        assert planning.ask(session, NOW, actor, row.access_point) is not first


def test_a_door_is_tried_on_demand_twenty_times_an_hour(checking: Checking) -> None:
    with checking.bench.writing() as (session, _):
        point = session.scalars(select(AccessPoint)).first()
        actor = checking.bench.customer(session, SOL)
        assert point is not None
        for number in range(20):
            planning.ask(session, NOW + timedelta(minutes=number), actor, point).state = "dropped"
        with pytest.raises(refusals.TooManyTries) as refused:
            planning.ask(session, NOW + timedelta(minutes=30), actor, point)
        assert refused.value.facts["retry_at"] == NOW + timedelta(hours=1)
        planning.ask(session, NOW + timedelta(hours=1), actor, point)


# Running


def test_a_green_check_is_recorded_with_its_steps(checking: Checking) -> None:
    booked = checking.book()
    done = checking.run(booked)
    assert (done.state, done.verdict, done.code, done.finished_at) == ("done", "ready", None, NOW)
    assert [(s.position, s.name, s.outcome) for s in done.steps] == [
        (number, step.name, "ok") for number, step in enumerate(GREEN)
    ]
    assert done.steps[-1].facts == {"version": "18.20.0"}
    row = checking.booking(booked)
    assert (row.verdict, row.verdict_code, row.checked_at, row.rev) == ("ready", None, NOW, 1)


@pytest.mark.parametrize(
    ("steps", "verdict", "code"),
    [
        (RED, "not_ready", "tcp_refused"),
        (YELLOW, "at_risk", "hostkey_unknown"),
        (OURS, "unknown", "probe_bug"),
        ((), "unknown", None),
    ],
)
def test_other_verdicts(
    checking: Checking, steps: tuple[object, ...], verdict: str, code: str | None
) -> None:
    booked = checking.book()
    done = checking.run(booked, steps=steps)  # type: ignore[arg-type]
    assert (done.state, done.verdict, done.code) == ("done", verdict, code)
    assert checking.booking(booked).verdict == verdict


def test_a_check_is_run_once(checking: Checking) -> None:
    booked = checking.book()
    checking.run(booked)
    checking.run(booked, steps=RED)
    assert len(checking.probe.targets) == 1
    assert checking.booking(booked).verdict == "ready"


def test_a_check_of_another_revision_is_not_run(checking: Checking) -> None:
    check = checking.check(checking.book())
    checking.runner().run(check.id, check.rev + 1)
    checking.runner().run(check.id + 999, 1)
    assert checking.probe.targets == []


def move(checking: Checking, booking_id: int) -> None:
    with checking.bench.writing() as (session, desk):
        to = bookings.Move(session.get_one(Booking, booking_id).rev, at(27, 10), "Europe/Madrid")
        bookings.move(
            session, desk, checking.bench.now, checking.bench.customer(session, SOL), booking_id, to
        )


def test_the_checks_of_a_moved_booking_do_nothing(checking: Checking) -> None:
    booked = checking.book()
    old = checking.check(booked)
    move(checking, booked)
    checking.runner().run(old.id, old.rev)
    assert checking.probe.targets == []
    assert checking.check(booked).rev == 2
    assert checking.run(booked).state == "done"


def test_a_booking_that_moves_while_it_is_checked_keeps_its_own_light(checking: Checking) -> None:
    booked = checking.book()
    old = checking.check(booked)
    checking.probe.meanwhile = lambda: move(checking, booked)
    checking.runner().run(old.id, old.rev)
    with checking.bench.writing() as (session, _):
        assert session.get_one(Check, old.id).state == "dropped"
    assert (checking.booking(booked).verdict, checking.booking(booked).checked_at) == ("unknown", None)


def test_a_cancelled_booking_is_not_tried(checking: Checking) -> None:
    booked = checking.book()
    check = checking.check(booked, "h2")
    with checking.bench.writing() as (session, desk):
        bookings.cancel(session, desk, NOW, checking.bench.customer(session, SOL), booked, 1)
    checking.runner().run(check.id, check.rev)
    assert checking.probe.targets == []


def test_a_check_taken_over_records_the_second_outcome_alone(checking: Checking) -> None:
    booked = checking.book()
    check = checking.check(booked)

    def second() -> None:
        checking.probe.meanwhile, checking.probe.steps = None, RED
        checking.runner().run(check.id, check.rev)

    checking.probe.meanwhile = second
    checking.runner().run(check.id, check.rev)
    done = checking.check(booked)
    assert (done.state, done.verdict) == ("done", "not_ready")
    assert [step.name for step in done.steps] == ["name", "port"]
    assert len(mails(checking, "light_ok", "light_fail")) == 1


def test_steps_are_seen_while_they_come(checking: Checking) -> None:
    booked = checking.book()
    seen: list[int | None] = []

    def look() -> None:
        with checking.bench.writing() as (session, _):
            seen.append(session.scalar(select(func.count()).select_from(CheckStep)))

    checking.probe.meanwhile = look
    checking.run(booked)
    assert seen == [len(GREEN)]


def test_a_seen_host_key_is_kept_unconfirmed_and_confirmed_by_a_person(checking: Checking) -> None:
    booked = checking.book()
    checking.run(booked, steps=YELLOW)
    checking.run(booked, "h24", steps=YELLOW)
    with checking.bench.writing() as (session, _):
        pin = session.scalars(select(PinnedIdentity)).one()
        assert (pin.state, pin.fingerprint) == ("seen", FINGERPRINT)
        point = session.get_one(AccessPoint, pin.access_point_id)
        actor = checking.bench.customer(session, SOL)
        with pytest.raises(refusals.NotFound):
            pins.confirm(session, point, "SHA256:other", actor, NOW)
        assert pins.confirm(session, point, FINGERPRINT, actor, NOW).confirmed_by == str(actor)
    checking.run(booked, "h8", steps=GREEN)
    assert checking.probe.targets[-1].pins == {HOST_KEY}
    assert checking.probe.targets[0].pins == frozenset()


# What follows


def test_a_new_light_is_mailed_once_with_the_one_remedy(checking: Checking) -> None:
    booked = checking.book()
    checking.run(booked, steps=RED)
    checking.run(booked, "h24", steps=RED)
    (mail,) = mails(checking, "light_fail")
    assert "Todavía no podemos entrar en PBX" in mail.subject
    assert "22" in mail.text
    assert "Qué hacer:" in mail.text
    checking.run(booked, "h8", steps=GREEN)
    assert len(mails(checking, "light_ok")) == 1


def test_a_changed_light_changes_the_calendar(checking: Checking) -> None:
    booked = checking.book()
    before = event(checking, booked)
    person = checking.booking(booked).technician_id
    with checking.bench.writing() as (session, _):
        rev = session.get_one(Technician, person).calendar_rev
    checking.run(booked, steps=RED)
    red = event(checking, booked)
    assert before != red
    assert b"STATUS:TENTATIVE" in red
    assert b"tcp_refused" in red
    assert b"SEQUENCE:1" in red
    checking.run(booked, "h24", steps=GREEN)
    green = event(checking, booked)
    assert b"STATUS:CONFIRMED" in green
    assert b"SEQUENCE:2" in green
    assert b"tcp_refused" not in green
    with checking.bench.writing() as (session, _):
        assert session.get_one(Technician, person).calendar_rev == rev + 2


def test_the_same_light_again_tells_nobody_but_shows_when(checking: Checking) -> None:
    booked = checking.book()
    checking.run(booked, steps=GREEN)
    first = event(checking, booked)
    checking.run(booked, "h24", steps=GREEN)
    assert len(mails(checking, "light_ok")) == 1
    second = event(checking, booked)
    assert first != second
    assert b"SEQUENCE:1" in second


def test_ours_is_never_red_and_frees_nothing(checking: Checking) -> None:
    booked = checking.book(LUZ, start=at(26, 10), topic="installation")
    for stage in ("booked", "h24", "h8", "h2", "m30"):
        checking.run(booked, stage, steps=OURS)
    assert (checking.booking(booked).status, checking.booking(booked).verdict) == ("confirmed", "unknown")
    assert mails(checking, "light_fail", "released") == []


def test_a_purchase_that_stays_red_two_hours_before_is_released(checking: Checking) -> None:
    booked = checking.book(LUZ, start=at(26, 10), topic="installation")
    for stage in ("booked", "h24", "h8"):
        checking.run(booked, stage, steps=RED)
        assert checking.booking(booked).status == "confirmed"
    checking.run(booked, "h2", steps=RED)
    row = checking.booking(booked)
    assert row.status == "cancelled"
    assert len(mails(checking, "released")) == 1
    assert b"STATUS:CANCELLED" in event(checking, booked)
    assert checking.check(booked, "m30").state == "dropped"
    with checking.bench.writing() as (session, _):
        free = busy_intervals(session, row.technician_id, Interval(row.starts_at, row.ends_at), NOW)
        assert free == ()


def test_a_purchase_repaired_in_time_is_kept(checking: Checking) -> None:
    booked = checking.book(LUZ, start=at(26, 10), topic="installation")
    checking.run(booked, steps=RED)
    checking.run(booked, "h2", steps=GREEN)
    assert checking.booking(booked).status == "confirmed"


@pytest.mark.parametrize("cif", [SOL, PONS])
def test_hours_and_maintenance_keep_their_hour(checking: Checking, cif: str) -> None:
    booked = checking.book(cif, start=at(26, 10))
    for stage in ("booked", "h24", "h8", "h2", "m30"):
        checking.run(booked, stage, steps=RED)
    assert checking.booking(booked).status == "confirmed"
    row = checking.booking(booked)
    with checking.bench.writing() as (session, _):
        right = session.get_one(Entitlement, row.entitlement_id)
        assert right.balance_minutes == (540 if cif == SOL else 0)


def test_a_door_checked_without_booking_lights_nothing(checking: Checking) -> None:
    with checking.bench.writing() as (session, _):
        point = session.scalars(select(AccessPoint)).first()
        assert point is not None
        check = planning.ask(session, NOW, checking.bench.customer(session, SOL), point)
    checking.probe.steps = RED
    checking.runner().run(check.id, check.rev)
    assert mails(checking, "light_fail") == []
    with checking.bench.writing() as (session, _):
        assert session.get_one(Check, check.id).verdict == "not_ready"
