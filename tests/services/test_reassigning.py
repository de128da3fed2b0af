"""A session given to another technician at the same time: what changes, what stays, and what is refused."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.actor import Actor
from scheduler.bookings.reassigning import reassign
from scheduler.rules.refusals import InvalidInput, NotAllowed, OffGrid, SlotTaken, StaleRevision
from scheduler.store.models import AuditEntry, Booking, CalendarObject, CalendarTombstone, Notice, Technician
from tests.web.technician_desk import ELENA, JORDI, LUZ, MARTA, NOW, PONS, SOL, TechnicianDesk, make_desk

THURSDAY_10 = NOW.replace(hour=9, minute=0) + timedelta(days=2)
DISPATCHER = Actor("dispatcher", 3, "Elena Campos")


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def give(
    desk: TechnicianDesk, booking_id: int, to: str, rev: int | None = None, reason: str | None = None
) -> Booking:
    with desk.writing() as (session, context):
        seen = rev or session.get_one(Booking, booking_id).rev
        person = session.scalars(select(Technician.id).where(Technician.email == to)).one()
        return reassign(session, context, desk.clock.now, DISPATCHER, booking_id, seen, person, reason)


def test_both_calendars_change_and_everybody_is_told(desk: TechnicianDesk) -> None:
    booking = desk.book(SOL, THURSDAY_10, override_reason=None)
    before = desk.row(booking)
    give(desk, booking, JORDI)
    row = desk.row(booking)
    assert (row.technician_id, row.starts_at, row.uid) == (desk.person(JORDI), before.starts_at, before.uid)
    assert row.sequence > before.sequence
    with desk.reading() as session:
        assert session.get_one(CalendarObject, booking).technician_id == desk.person(JORDI)
        left = session.scalars(select(CalendarTombstone.technician_id)).all()
        assert left == [desk.person(MARTA)]
        said = session.scalars(select(Notice).where(Notice.kind == "moved")).one()
        assert "Jordi Soler" in said.text
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry
        assert entry.action == "booking.move"


def test_the_notice_is_not_asked_for_again(desk: TechnicianDesk) -> None:
    booking = desk.book(SOL, THURSDAY_10, override_reason=None)
    asked = desk.row(booking)
    desk.clock.now = THURSDAY_10 - timedelta(minutes=30)
    give(desk, booking, JORDI)
    row = desk.row(booking)
    assert row.technician_id == desk.person(JORDI)
    assert (row.requested_at, row.earliest_at, row.override_reason) == (
        asked.requested_at,
        asked.earliest_at,
        None,
    )


def test_a_reason_that_was_given_stays(desk: TechnicianDesk) -> None:
    booking = desk.book(SOL, NOW + timedelta(minutes=45))
    reason = desk.row(booking).override_reason
    with pytest.raises(OffGrid):
        give(desk, booking, JORDI)
    give(desk, booking, JORDI, reason="Marta está enferma, va Jordi.")
    assert desk.row(booking).override_reason == "Marta está enferma, va Jordi."
    assert reason != desk.row(booking).override_reason


def test_a_taken_time_is_refused_with_others(desk: TechnicianDesk) -> None:
    mine = desk.book(SOL, THURSDAY_10, override_reason=None)
    desk.book(PONS, THURSDAY_10, override_reason=None, technician_id=desk.person(JORDI))
    with pytest.raises(SlotTaken) as refused:
        give(desk, mine, JORDI)
    assert refused.value.alternatives
    assert desk.row(mine).technician_id == desk.person(MARTA)


@pytest.mark.parametrize(("to", "problem"), [(MARTA, "unchanged"), (ELENA, "not_skilled")])
def test_nobody_gets_what_is_not_for_them(desk: TechnicianDesk, to: str, problem: str) -> None:
    booking = desk.book(LUZ, THURSDAY_10)
    with pytest.raises(InvalidInput) as refused:
        give(desk, booking, to)
    assert refused.value.problem == problem


def test_only_what_was_seen_is_given_away(desk: TechnicianDesk) -> None:
    booking = desk.book(SOL, THURSDAY_10)
    with pytest.raises(StaleRevision):
        give(desk, booking, JORDI, rev=7)


def test_only_a_dispatcher_gives(desk: TechnicianDesk) -> None:
    booking = desk.book(SOL, THURSDAY_10)
    with pytest.raises(NotAllowed), desk.writing() as (session, context):
        marta = Actor("technician", desk.person(MARTA), "Marta Ruiz")
        reassign(session, context, NOW, marta, booking, 1, desk.person(JORDI))
    assert desk.browser(MARTA).post(f"/s/{booking}/reassign", rev=1, technician=2).status_code == 403


def test_the_sessions_page_gives_it_away(desk: TechnicianDesk) -> None:
    booking, elena = desk.book(SOL, THURSDAY_10), desk.browser(ELENA)
    assert f'action="/s/{booking}/reassign"' in elena.get(f"/s/{booking}").get_data(as_text=True)
    assert "/reassign" not in desk.browser(MARTA).get(f"/s/{booking}").get_data(as_text=True)
    page = elena.post(f"/s/{booking}/reassign", rev=desk.row(booking).rev, technician="")
    assert page.status_code == 422
    answer = elena.post(f"/s/{booking}/reassign", rev=desk.row(booking).rev, technician=desk.person(JORDI))
    assert answer.headers["Location"] == f"/s/{booking}"
    assert desk.row(booking).technician_id == desk.person(JORDI)


def test_the_days_page_gives_it_away_too(desk: TechnicianDesk) -> None:
    booking, elena = desk.book(SOL, THURSDAY_10, override_reason=None), desk.browser(ELENA)
    seen = f"{booking}.{desk.row(booking).rev}"
    assert f'value="{seen}"' in elena.get("/team").get_data(as_text=True)
    desk.book(PONS, THURSDAY_10, override_reason=None, technician_id=desk.person(JORDI))
    refused = elena.post("/team/reassign", session=seen, technician=desk.person(JORDI))
    assert refused.status_code == 409
    assert "26 Nov" in refused.get_data(as_text=True)  # the nearest other times
    answer = elena.post("/team/reassign", session=seen, technician=desk.person(JORDI), override_reason="no")
    assert answer.status_code == 422
    assert elena.post("/team/reassign", session="x.y", technician="1").status_code == 404
    assert elena.post("/team/reassign", session=seen, technician=desk.person(MARTA)).status_code == 422


def test_a_dispatcher_books_for_a_customer_with_whoever_is_free(desk: TechnicianDesk) -> None:
    elena = desk.browser(ELENA)
    page = elena.get("/agenda/book").get_data(as_text=True)
    assert "The first who is free" in page
    first = {"door": 1, "start": "2026-11-26T10:00", "minutes": 60, "technician": ""}
    ids = [int(elena.post("/agenda/book", **first).headers["Location"].rpartition("/")[2]) for _ in range(2)]
    assert [desk.row(each).technician_id for each in ids] == [desk.person(MARTA), desk.person(JORDI)]
    urgent = first | {"start": "2026-11-24T11:00", "technician": desk.person(JORDI)}
    assert elena.post("/agenda/book", **urgent).status_code == 422
    answer = elena.post("/agenda/book", **urgent, override_reason="Centralita parada del todo.")
    made = int(answer.headers["Location"].rpartition("/")[2])
    assert "Centralita parada del todo." in elena.get(f"/s/{made}").get_data(as_text=True)
    with desk.reading() as session:
        mail = session.scalars(
            select(Notice).where(Notice.booking_id == made, Notice.kind == "confirmed")
        ).one()
        assert "Centralita parada del todo." in mail.text
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.book")).all()
        assert "Centralita parada del todo." in str(entries[-1].facts)
