"""The dispatcher's pages of the desk's people: added, changed, away, set aside; and their first password."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.store.models import (
    Absence,
    AuditEntry,
    BusyCalendar,
    BusyTime,
    CalendarObject,
    Notice,
    PasswordLink,
    Technician,
)
from tests.web.technician_desk import ELENA, JORDI, MARTA, SOL, Browser, TechnicianDesk, make_desk

THURSDAY = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
PEPE = "pepe@levantia.example"


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


@pytest.fixture
def elena(desk: TechnicianDesk) -> Browser:
    return desk.browser(ELENA)


def form(**changed: object) -> dict[str, object]:
    """A person as the form sends one."""
    usual = {"name": "Pepe Gil", "email": PEPE, "role": "technician", "locale": "es", "zone": "Europe/Madrid"}
    return {**usual, "skills": ["asterisk"], "buffer_minutes": "15", **changed}


def page_of(desk: TechnicianDesk, email: str) -> str:
    return f"/team/technicians/{desk.person(email)}"


def seen(elena: Browser, page: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', elena.get(page).text)
    assert found
    return found[1]


def refused(answer: object) -> str:
    found = re.search(r'data-refused="([^"]*)"', answer.text)  # type: ignore[attr-defined]
    return found[1] if found else ""


def actions(desk: TechnicianDesk) -> list[str]:
    with desk.reading() as session:
        found = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        return [action for action in found if action.startswith(("technician.", "absence.", "desk."))]


def test_a_person_is_added_and_sets_their_password_by_a_link_that_works_once(
    desk: TechnicianDesk, elena: Browser
) -> None:
    answer = elena.post("/team/technicians/new", **form(hours_1="9-13"))
    assert answer.status_code == 303
    assert "Pepe Gil" in elena.get("/team/technicians").text
    with desk.reading() as session:
        row = session.scalars(select(Technician).where(Technician.email == PEPE)).one()
        assert (row.skills, row.weekly_hours, row.buffer_minutes) == (
            ["asterisk"],
            {"1": [["09:00", "13:00"]]},
            15,
        )
        mail = session.scalars(select(Notice).where(Notice.kind == "set_password")).one()
    link = re.search(r"http://localhost(/sign-in/password/\S+)", mail.text)
    assert link
    browser = desk.browser()
    assert "Pepe Gil" in browser.get(link[1]).text
    assert (
        refused(browser.post(link[1], password="corta", password_again="corta")) == "invalid_input:too_short"
    )
    other = browser.post(link[1], password="una frase bien larga", password_again="otra")
    assert refused(other) == "invalid_input:differs"
    done = browser.post(link[1], password="una frase bien larga", password_again="una frase bien larga")
    assert (done.status_code, done.headers["Location"]) == (303, "/agenda")
    assert browser.get("/agenda").status_code == 200
    again = desk.browser().get(link[1])
    assert (again.status_code, refused(again)) == (401, "sign_in_failed")
    assert actions(desk) == ["technician.add", "technician.password_link", "technician.password"]


def test_a_link_ends_with_its_time_and_with_a_newer_one(desk: TechnicianDesk, elena: Browser) -> None:
    links = []
    for _ in range(2):
        assert elena.post(page_of(desk, JORDI) + "/password").status_code == 303
        with desk.reading() as session:
            mail = session.scalars(select(Notice).order_by(Notice.id.desc())).first()
        assert mail
        links.append(mail.text.partition("http://localhost")[2].split()[0])
    assert desk.browser().get(links[0]).status_code == 401
    assert desk.browser().get(links[1]).status_code == 200
    desk.clock.now += timedelta(hours=72)
    assert desk.browser().get(links[1]).status_code == 401
    assert links[1].rpartition("/")[2] not in str(desk_rows(desk))


def desk_rows(desk: TechnicianDesk) -> list[str]:
    with desk.reading() as session:
        return list(session.scalars(select(PasswordLink.token_hash)))


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"name": " "}, "invalid_input:required", "Name"),
        ({"email": "pepe"}, "invalid_input:not_an_email", "E-mail"),
        ({"email": JORDI.upper()}, "invalid_input:taken", "somebody else of the desk has it"),
        ({"role": "owner"}, "invalid_input:not_offered", "Role"),
        ({"zone": "Mars/Phobos"}, "invalid_input:not_a_zone", "Time zone"),
        ({"skills": ["avaya"]}, "invalid_input:not_offered", "Takes"),
        ({"buffer_minutes": "-5"}, "invalid_input:not_a_number", "Minutes between sessions"),
        ({"buffer_minutes": "999"}, "invalid_input:out_of_range", "from 0 to 240"),
        ({"hours_2": "18-09"}, "invalid_input:ends_before_start", "Tuesday: it ends before it starts"),
        ({"hours_2": "10-12, 11-13"}, "invalid_input:overlap", "Tuesday: two of the ranges overlap"),
        ({"hours_2": "tarde"}, "invalid_input:not_a_time", "Tuesday"),
        (
            {"hours_6": "9-13"},
            "invalid_input:outside_desk",
            "Saturday: the desk is closed in part of that time",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_written(
    desk: TechnicianDesk, elena: Browser, changed: dict[str, object], code: str, says: str
) -> None:
    for path in ("/team/technicians/new", page_of(desk, MARTA)):
        extra = {"seen": seen(elena, path)} if path[-1] != "w" else {}
        answer = elena.post(path, **form(**changed), **extra)
        assert (answer.status_code, refused(answer)) == (422, code)
        assert says in answer.text
    assert actions(desk) == []


def test_a_change_is_kept_and_a_second_form_does_not_undo_it(desk: TechnicianDesk, elena: Browser) -> None:
    page = page_of(desk, JORDI)
    old = seen(elena, page)
    assert elena.post(page, **form(email=JORDI, name="Jordi S."), seen=old).status_code == 303
    stale = elena.post(page, **form(email=JORDI, name="Jordi"), seen=old)
    assert (stale.status_code, refused(stale)) == (409, "changed_meanwhile")
    with desk.reading() as session:
        assert session.get_one(Technician, desk.person(JORDI)).name == "Jordi S."
    assert actions(desk) == ["technician.change"]


def test_name_language_and_zone_are_renewed_in_the_calendars_and_other_changes_are_no_news(
    desk: TechnicianDesk, elena: Browser
) -> None:
    booked, page = desk.book(SOL, THURSDAY), page_of(desk, MARTA)

    def event() -> tuple[bytes, bytes, int]:
        with desk.reading() as session:
            row = session.get_one(CalendarObject, booked)
            assert row.vevent_customer is not None
            return row.vevent, row.vevent_customer, row.calendar_rev

    before = event()
    assert b"TZID=Europe/Madrid" in before[0]
    assert b"sin probar" in before[0]
    wanted = form(name="Marta Rey", email=MARTA, locale="en", zone="Atlantic/Canary", buffer_minutes="0")
    assert elena.post(page, **wanted, seen=seen(elena, page)).status_code == 303
    after = event()
    assert b"TZID=Atlantic/Canary" in after[0]
    assert b"not tested" in after[0]
    assert b"Marta Ruiz" not in after[1]
    assert b"Marta Rey" in after[1].replace(b"\r\n ", b"")
    assert after[2] > before[2]
    assert elena.post(page, **wanted | {"skills": []}, seen=seen(elena, page)).status_code == 303
    assert event() == after


def test_an_absence_takes_the_slots_and_shows_what_is_booked_in_it(
    desk: TechnicianDesk, elena: Browser
) -> None:
    desk.clock.now -= timedelta(days=7)
    booked, page = desk.book(SOL, THURSDAY, override_reason=None), page_of(desk, MARTA)
    desk.clock.now += timedelta(days=7)
    assert (
        elena.post(
            page + "/absences", first_on="2026-11-26", last_on="2026-11-27", reason="Curso"
        ).status_code
        == 303
    )
    shown = elena.get(page).text
    assert "the technician is away then" in shown
    assert f"/s/{booked}/move" in shown
    assert "1 session to move" in elena.get("/team/technicians").text
    with desk.reading() as session:
        row = session.scalars(select(Absence)).one()
        assert (row.starts_at, row.ends_at) == (
            THURSDAY.replace(hour=23) - timedelta(days=1),
            THURSDAY.replace(day=27, hour=23),
        )
    assert elena.post(f"{page}/absences/{row.id}/remove").status_code == 303
    assert "To be moved" not in elena.get(page).text
    assert actions(desk)[-2:] == ["absence.add", "absence.remove"]


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ({"first_on": ""}, "required", "First day"),
        ({"first_on": "mañana"}, "not_a_date", "First day"),
        ({"first_on": "2026-12-03", "last_on": "2026-12-01"}, "ends_before_start", "Last day"),
        ({"first_on": "2026-12-03", "from_time": "18:00", "to_time": "09:00"}, "ends_before_start", "Until"),
        ({"first_on": "2026-12-03", "from_time": "25:00"}, "not_a_time", "From"),
        ({"first_on": "2020-12-03"}, "gone_by", "Choose days to come"),
        ({"first_on": "2026-12-03", "last_on": "2036-12-03"}, "too_long_absence", "366"),
        ({"first_on": "2026-12-10"}, "overlaps_absence", "Remove that one first"),
    ],
)
def test_an_absence_that_cannot_be_is_refused(
    desk: TechnicianDesk, elena: Browser, typed: dict[str, str], code: str, says: str
) -> None:
    page = page_of(desk, MARTA)
    elena.post(page + "/absences", first_on="2026-12-09", last_on="2026-12-11")
    answer = elena.post(page + "/absences", **typed)
    assert (answer.status_code, refused(answer)) == (422, f"invalid_input:{code}")
    assert says in answer.text
    with desk.reading() as session:
        assert len(session.scalars(select(Absence)).all()) == 1


def test_who_has_sessions_is_neither_deleted_nor_set_aside_before_they_are_given_away(
    desk: TechnicianDesk, elena: Browser
) -> None:
    booked, page = desk.book(SOL, THURSDAY), page_of(desk, MARTA)
    for path, form_ in (("/delete", {}), ("/active", {"active": "no"})):
        answer = elena.post(page + path, **form_)
        assert (answer.status_code, refused(answer)) == (409, "technician_has_bookings")
        assert "Give them to somebody else first" in answer.text
        assert f"/s/{booked}/move" in answer.text
    desk.clock.now = THURSDAY + timedelta(days=30)
    elena = desk.browser(ELENA)
    assert "Deactivate the person instead" in elena.post(page + "/delete").text
    marta = desk.browser(MARTA)
    assert elena.post(page + "/active", active="no").status_code == 303
    assert marta.get("/agenda").status_code == 303
    assert elena.post(page + "/active", active="yes").status_code == 303
    assert actions(desk)[-2:] == ["technician.deactivate", "technician.activate"]


def test_who_never_had_one_is_deleted_with_all_that_is_theirs(desk: TechnicianDesk, elena: Browser) -> None:
    page, jordi = page_of(desk, JORDI), desk.person(JORDI)
    desk.browser(JORDI)
    elena.post(page + "/password")
    elena.post(page + "/absences", first_on="2026-12-09")
    assert elena.post(page + "/calendars", calendar_url="https://calendar.example/j.ics").status_code == 303
    with desk.writing() as (session, _):
        calendar = session.scalars(select(BusyCalendar)).one()
        session.add(
            BusyTime(
                calendar_id=calendar.id,
                technician_id=jordi,
                starts_at=THURSDAY,
                ends_at=THURSDAY + timedelta(hours=1),
                seen_at=THURSDAY,
            )
        )
    assert elena.post(page + "/delete").status_code == 303
    with desk.reading() as session:
        assert session.get(Technician, jordi) is None
        assert not list(session.scalars(select(BusyTime)))
    assert elena.get(page).status_code == 404


def test_the_last_dispatcher_stays(desk: TechnicianDesk, elena: Browser) -> None:
    page = page_of(desk, ELENA)
    demoted = form(name="Elena", email=ELENA, skills=[])
    for path, typed in (
        ("/active", {"active": "no"}),
        ("/delete", {}),
        ("", {**demoted, "seen": seen(elena, page)}),
    ):
        assert refused(elena.post(page + path, **typed)) == "last_dispatcher"


def test_these_pages_are_the_dispatchers(desk: TechnicianDesk) -> None:
    page = page_of(desk, MARTA)
    for path in ("/team/technicians", "/team/technicians/new", page, "/desk/hours", "/desk/to-move"):
        assert desk.browser(MARTA).get(path).status_code == 403
        assert desk.browser().get(path).status_code == 303
    for path in ("/active", "/delete", "/password", "/absences", "/calendars", ""):
        assert desk.browser(MARTA).post(page + path).status_code == 403
    assert actions(desk) == []


def test_ones_own_calendars_stand_on_ones_account(desk: TechnicianDesk) -> None:
    marta = desk.browser(MARTA)
    bad = marta.post("/account/calendars", calendar_url="calendar.example")
    assert (bad.status_code, refused(bad)) == (422, "invalid_input:not_a_calendar_url")
    assert (
        marta.post("/account/calendars", calendar_url="webcal://calendar.example/secret.ics").status_code
        == 303
    )
    page = marta.get("/account").text
    assert "calendar.example" in page
    assert "secret.ics" not in page
    assert "Not read yet." in page
    with desk.writing() as (session, _):
        row = session.scalars(select(BusyCalendar)).one()
        row.tried_at, row.problem, row.problem_facts = desk.clock.now, "login", {"status": 401}
        row.good_at = desk.clock.now - timedelta(hours=3)
    page = marta.get("/account").text
    assert "What is known is from 3 hours ago and still counts." in page
    assert "That server asks for a user and password." in page
    assert refused(marta.post(f"/account/calendars/{row.id}/read")) == "too_many_tries"
    assert desk.browser(JORDI).post(f"/account/calendars/{row.id}/remove").status_code == 404
    assert marta.post(f"/account/calendars/{row.id}/remove").status_code == 303
    assert "calendar.example" not in marta.get("/account").text
