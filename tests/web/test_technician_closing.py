"""The end of a session on its page: the clock, what is proposed, what comes next, nobody there, and the undo."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.store.models import Booking, Entitlement, Notice
from tests.web.technician_desk import JORDI, MARTA, NOW, PONS, SOL, TechnicianDesk, make_desk

SOON = NOW + timedelta(minutes=20)
FRIDAY = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


def under_way(desk: TechnicianDesk, cif: str = SOL) -> int:
    """A session begun at 10:32 and looked at at 11:12."""
    row_id = desk.book(cif, SOON)
    desk.clock.now = SOON + timedelta(minutes=2)
    assert desk.browser(MARTA).post(f"/s/{row_id}/start", rev=1).status_code == 303
    desk.clock.now += timedelta(minutes=40)
    return row_id


def balance(desk: TechnicianDesk) -> int:
    with desk.reading() as session:
        return session.get_one(Entitlement, 1).balance_minutes


def test_the_clock_says_since_when_also_without_scripts(desk: TechnicianDesk) -> None:
    row_id = under_way(desk)
    page = desk.browser(MARTA).get(f"/s/{row_id}").get_data(as_text=True)
    assert "The session is under way · since 10:32 · 40 min" in plain(page)
    assert 'data-clock="40">40 min</span>' in page
    assert 'value="0.75"' in page
    assert "0.75 h leave 9.25 h in the bundle" in plain(page)


def test_the_next_session_is_picked_and_booked_with_the_closing(desk: TechnicianDesk) -> None:
    row_id = under_way(desk)
    browser = desk.browser(MARTA)
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    offered = re.findall(r'name="start" value="(\d[^"]*)"', page)
    assert len(offered) == 3
    answer = browser.post(
        f"/s/{row_id}/close", rev=2, hours="0.75", note="Falta el router.", start=offered[1]
    )
    assert answer.status_code == 303
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert "It goes on" in page
    next_id = int(re.findall(r'<dd><a href="/s/(\d+)"', page)[0])
    row = desk.row(next_id)
    assert (f"{row.starts_at:%Y-%m-%dT%H:%MZ}", row.status, row.technician_id) == (
        offered[1],
        "confirmed",
        desk.person(MARTA),
    )
    assert row.created_by == f"technician:{desk.person(MARTA)}"


@pytest.mark.parametrize(
    ("start", "status", "said"),
    [
        ("2026-11-24T13:00Z", 422, "You can book from"),
        ("2026-11-28T10:00Z", 422, "does not fit into our support hours"),
        ("mañana", 422, "start"),
        ("2026-11-27T09:00Z", 409, "Somebody else booked it"),
    ],
)
def test_a_next_session_that_cannot_be_closes_nothing_and_keeps_what_was_typed(
    desk: TechnicianDesk, start: str, status: int, said: str
) -> None:
    desk.book(PONS, FRIDAY)
    row_id = under_way(desk)
    answer = desk.browser(MARTA).post(
        f"/s/{row_id}/close", rev=2, hours="0.5", note="Una nota larga.", start=start
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == status
    for kept in (said, "Una nota larga.", 'value="0.5"'):
        assert kept in page
    assert (desk.row(row_id).status, balance(desk)) == ("in_session", 540)


def test_a_closing_is_undone_within_ten_minutes(desk: TechnicianDesk) -> None:
    row_id = under_way(desk)
    browser = desk.browser(MARTA)
    browser.post(f"/s/{row_id}/close", rev=2, hours="0.5", note="Era el router.")
    assert balance(desk) == 570
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert "Until 11:22 you can open it again" in plain(page)
    desk.clock.now += timedelta(minutes=10)
    assert browser.post(f"/s/{row_id}/undo", rev=3).status_code == 303
    assert (desk.row(row_id).status, balance(desk)) == ("in_session", 540)
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert "Era el router.</textarea>" in page
    assert 'value="0.5"' in page
    with desk.reading() as session:
        kinds = session.scalars(
            select(Notice.kind).where(Notice.booking_id == row_id).order_by(Notice.id)
        ).all()
    assert kinds[-2:] == ["completed", "reopened"]


def test_after_ten_minutes_it_is_not_offered_and_refused(desk: TechnicianDesk) -> None:
    row_id = under_way(desk)
    browser = desk.browser(MARTA)
    browser.post(f"/s/{row_id}/close", rev=2, hours="0.5")
    desk.clock.now += timedelta(minutes=10, seconds=1)
    assert "open it again" not in browser.get(f"/s/{row_id}").get_data(as_text=True)
    answer = browser.post(f"/s/{row_id}/undo", rev=3)
    assert answer.status_code == 409
    assert "It can no longer be taken back" in answer.get_data(as_text=True)
    assert (desk.row(row_id).status, balance(desk)) == ("done", 570)


def test_nobody_there_is_offered_after_the_grace_and_says_what_it_costs(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    browser = desk.browser(MARTA)
    assert "obody was there" not in browser.get(f"/s/{row_id}").get_data(as_text=True)
    desk.clock.now = SOON + timedelta(minutes=5)
    assert "From 10:45 you can say that nobody was there." in browser.get(f"/s/{row_id}").get_data(
        as_text=True
    )
    answer = browser.post(f"/s/{row_id}/no-show", rev=1)
    assert answer.status_code == 409
    assert "You can say it from 10:45." in answer.get_data(as_text=True)
    desk.clock.now = SOON + timedelta(minutes=15)
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert "What was set aside (1 h) is used up" in page
    assert browser.post(f"/s/{row_id}/no-show", rev=1, note="Llamé tres veces.").status_code == 303
    assert (desk.row(row_id).status, balance(desk)) == ("no_show", 540)
    page = browser.get(f"/s/{row_id}").get_data(as_text=True)
    assert "Nobody was there" in page
    assert "you can open it again" in page


@pytest.mark.parametrize("path", ["no-show", "undo"])
def test_another_technician_neither_misses_nor_undoes(desk: TechnicianDesk, path: str) -> None:
    row_id = desk.book(SOL, SOON)
    desk.clock.now = SOON + timedelta(minutes=30)
    assert desk.browser(JORDI).post(f"/s/{row_id}/{path}", rev=1).status_code == 403
    assert desk.browser().post(f"/s/{row_id}/{path}", rev=1).status_code == 303
    assert desk.row(row_id).status == "confirmed"


def test_what_was_never_closed_cannot_be_undone(desk: TechnicianDesk) -> None:
    row_id = desk.book(SOL, SOON)
    assert desk.browser(MARTA).post(f"/s/{row_id}/undo", rev=1).status_code == 404
    with desk.reading() as session:
        assert session.get_one(Booking, row_id).rev == 1


def test_the_conditions_page_says_what_a_missed_session_costs(desk: TechnicianDesk) -> None:
    page = desk.browser().get("/conditions").get_data(as_text=True)
    assert "The technician waits 15 min for you" in page
    assert "uses up the hours set aside for it (Hour bundle and Maintenance contract)" in page
