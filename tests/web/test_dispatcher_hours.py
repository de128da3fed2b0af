"""Desk hours and holidays: what would move is shown before it is saved, stays booked, and is listed until moved."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.store.models import AuditEntry, Booking, Desk, Notice
from tests.web.technician_desk import ELENA, PONS, SOL, Browser, TechnicianDesk, make_desk

WEDNESDAY, THURSDAY = datetime(2026, 12, 2, 9, 0, tzinfo=UTC), datetime(2026, 12, 3, 16, 0, tzinfo=UTC)
"""10:00 and 17:00 in Madrid."""


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


@pytest.fixture
def elena(desk: TechnicianDesk) -> Browser:
    return desk.browser(ELENA)


def form(elena: Browser, **changed: str) -> dict[str, str]:
    """The page's form as a browser would send it, with what was typed."""
    page = elena.get("/desk/hours").text
    fields = dict(re.findall(r'name="((?:hours|day|name)_\d+|seen|country_was)" value="([^"]*)"', page))
    dated = re.findall(r'id="(day_\d+)" name="day_\d+" value="([^"]*)"', page)
    return {**fields, **dict(dated), "country": "ES", "region": "VC", **changed}


def test_the_form_shows_what_is_kept_and_the_holidays_of_the_year(elena: Browser) -> None:
    page = elena.get("/desk/hours").text
    assert 'value="09:00–14:00, 15:00–18:00"' in page
    assert "Comunitat Valenciana" in page or "Valenc" in page
    assert "Closed in 2026" in page
    assert "Natividad" in page


def test_what_would_move_is_shown_before_and_kept_after_saving(desk: TechnicianDesk, elena: Browser) -> None:
    first = desk.book(SOL, WEDNESDAY, override_reason=None)
    second = desk.book(PONS, THURSDAY, override_reason=None)
    typed = form(elena, hours_4="9-14", day_0="2026-12-02", name_0="Fiesta del patrón", step="preview")
    preview = elena.post("/desk/hours", **typed).text
    assert "2 sessions would no longer fit" in preview
    assert "closed: Fiesta del patrón" in preview
    assert "outside the desk" in preview
    with desk.reading() as session:
        assert session.get_one(Desk, 1).own_holidays == []  # nothing is written by looking
    saved = elena.post("/desk/hours", **{**typed, "step": "save"})
    assert (saved.status_code, saved.headers["Location"]) == (303, "/desk/to-move")
    listed = elena.get("/desk/to-move").text
    assert f"/s/{first}/move" in listed
    assert f"/s/{second}/move" in listed
    with desk.reading() as session:
        assert {session.get_one(Booking, each).status for each in (first, second)} == {"confirmed"}
        mail = session.scalars(select(Notice).where(Notice.kind == "to_move")).one()
        assert (mail.to_address, mail.text.count("\n- ")) == (ELENA, 2)
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "desk.hours")).one()
        assert entry.facts["to_move"] == [first, second]


def test_what_is_booked_keeps_its_lead_time_and_a_new_booking_counts_by_the_new_hours(
    desk: TechnicianDesk, elena: Browser
) -> None:
    booked = desk.book(SOL, THURSDAY, override_reason=None)
    before = desk.row(booked).earliest_at
    typed = form(elena, hours_2="10-11", hours_3="10-11", hours_4="9-14,15-18", step="save")
    assert elena.post("/desk/hours", **typed).status_code == 303
    assert desk.row(booked).earliest_at == before
    later = desk.book(PONS, THURSDAY + timedelta(days=4), override_reason=None)
    assert desk.row(later).earliest_at > before


def test_holidays_of_another_country_and_none(desk: TechnicianDesk, elena: Browser) -> None:
    other = elena.post("/desk/hours", **form(elena, country="DE", step="preview")).text
    assert "Bayern" in other or "BY" in other
    assert "Christmas Day" in other
    assert elena.post("/desk/hours", **form(elena, country="", region="", step="save")).status_code == 303
    with desk.reading() as session:
        row = session.get_one(Desk, 1)
        assert (row.holiday_country, row.holiday_region) == ("", None)


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ({"hours_1": "18-09"}, "ends_before_start", "Monday: it ends before it starts"),
        ({"hours_1": "9-14, 13-18"}, "overlap", "Monday: two of the ranges overlap"),
        ({f"hours_{day}": "" for day in range(1, 8)}, "never_open", "the desk would never be open"),
        ({"country": "XX"}, "not_offered", "Country"),
        ({"region": "ZZ"}, "not_offered", "Region"),
        ({"day_0": "2026-13-01", "name_0": "x"}, "not_a_date", "Closed day"),
        ({"day_0": "", "name_0": "Fiesta"}, "required", "Closed day"),
        ({"day_0": "2026-12-24", "name_0": ""}, "required", "Name of the closed day"),
        ({"day_0": "2026-12-24", "name_0": "a", "day_1": "2026-12-24", "name_1": "b"}, "twice", "twice"),
    ],
)
def test_hours_that_cannot_be_are_refused_whichever_button_is_pressed(
    desk: TechnicianDesk, elena: Browser, typed: dict[str, str], code: str, says: str
) -> None:
    for step in ("preview", "save"):
        answer = elena.post("/desk/hours", **form(elena, **typed, step=step))
        assert answer.status_code == 422
        assert f'data-refused="invalid_input:{code}"' in answer.text
        assert says in answer.text
    with desk.reading() as session:
        assert not list(session.scalars(select(AuditEntry).where(AuditEntry.action == "desk.hours")))


def test_a_second_form_does_not_undo_the_first(desk: TechnicianDesk, elena: Browser) -> None:
    old = form(elena, step="save", hours_5="9-13")
    assert elena.post("/desk/hours", **old).status_code == 303
    stale = elena.post("/desk/hours", **{**old, "hours_5": "9-12"})
    assert stale.status_code == 409
    assert "changed_meanwhile" in stale.text


def test_what_somebody_placed_outside_with_a_reason_is_not_listed(
    desk: TechnicianDesk, elena: Browser
) -> None:
    desk.book(SOL, WEDNESDAY.replace(hour=21))
    assert "Nothing is to be moved." in elena.get("/desk/to-move").text
