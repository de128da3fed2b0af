"""The agenda: whose it is, what stands where, the filters, and the cards beside it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scheduler.calendars import secrets
from scheduler.store.models import Entitlement, FeedSecret
from tests.web.technician_desk import ELENA, JORDI, LUZ, MARTA, NOW, PONS, SOL, TechnicianDesk, make_desk


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 on Madrid's winter clock."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


def events_of(page: str) -> list[tuple[str, str]]:
    """(state, title) of each event in the page."""
    found = re.findall(r'<li class="event is-(\w+)[^>]*>.*?<b>([^<]+)</b>', page, re.DOTALL)
    return [(state, title) for state, title in found]


def test_a_week_shows_each_session_with_its_light(desk: TechnicianDesk) -> None:
    working, untested, failing = (
        desk.book(SOL, at(25, 10)),
        desk.book(PONS, at(26, 9)),
        desk.book(LUZ, at(27, 9)),
    )
    desk.checked(working, "ready", None, ("asterisk", "ok", None))
    desk.checked(failing, "not_ready", "tcp_refused", ("port", "fail", "tcp_refused"))
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    assert events_of(page) == [("ok", "Clínica Sol"), ("waiting", "Gestoría Pons"), ("fail", "Óptica Luz")]
    for said in ("access working", "not tested yet", "no access", f'href="/s/{untested}"', "3CX · RDP"):
        assert said in page


def test_the_reason_of_a_red_light_stands_on_the_event(desk: TechnicianDesk) -> None:
    failing = desk.book(SOL, at(25, 10))
    desk.checked(failing, "not_ready", "auth_failed", ("port", "ok", None), ("login", "fail", "auth_failed"))
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    assert "soporte" in re.findall(r'class="event-why">([^<]+)<', page)[0]


def test_a_session_that_is_over_is_grey_whatever_its_light_was(desk: TechnicianDesk) -> None:
    desk.book(SOL, at(23, 10))
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    assert events_of(page) == [("done", "Clínica Sol")]


def test_a_cancelled_session_is_not_shown(desk: TechnicianDesk) -> None:
    from scheduler.actor import SYSTEM
    from scheduler.bookings import booking as bookings

    row_id = desk.book(SOL, at(25, 10))
    with desk.writing() as (session, context):
        bookings.cancel(session, context, NOW, SYSTEM, row_id, 1)
    assert events_of(desk.browser(MARTA).get("/agenda").get_data(as_text=True)) == []


def test_a_night_session_makes_the_grid_longer_instead_of_vanishing(desk: TechnicianDesk) -> None:
    desk.book(SOL, at(25, 4, 40))
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    assert "<span>04:00</span>" in page
    assert re.search(r'class="event is-waiting r3 n5', page)


def test_a_session_over_midnight_stands_on_both_days(desk: TechnicianDesk) -> None:
    desk.book(SOL, at(25, 23, 30), 60)
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    assert len(events_of(page)) == 2


def test_the_weekend_is_shown_only_when_something_happens(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    assert 'id="day-2026-11-28"' not in browser.get("/agenda").get_data(as_text=True)
    desk.book(SOL, at(28, 10))
    page = browser.get("/agenda").get_data(as_text=True)
    assert 'id="day-2026-11-28"' in page
    assert 'id="day-2026-11-29"' not in page


def test_counters_filter_and_lead_back(desk: TechnicianDesk) -> None:
    desk.checked(desk.book(SOL, at(25, 10)), "ready", None, ("asterisk", "ok", None))
    desk.book(PONS, at(26, 9))
    browser = desk.browser(MARTA)
    page = browser.get("/agenda?light=waiting").get_data(as_text=True)
    assert events_of(page) == [("waiting", "Gestoría Pons")]
    assert re.search(r'<li class="is-ok"><a href="[^"]*light=ok[^"]*">.*?<b>1</b>', page)
    assert re.search(r'<li class="is-waiting"><a href="/agenda\?from=2026-11-23" aria-current="true">', page)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?view=day&from=2026-11-25", ["Clínica Sol"]),
        ("?view=list&from=2026-11-25", ["Clínica Sol", "Gestoría Pons"]),
        ("?from=2026-11-30", ["Gestoría Pons"]),
        ("?view=day&from=2026-11-24", []),
    ],
)
def test_views_show_their_days(desk: TechnicianDesk, query: str, shown: list[str]) -> None:
    desk.book(SOL, at(25, 10))
    desk.book(PONS, at(30, 9))
    page = desk.browser(MARTA).get(f"/agenda{query}").get_data(as_text=True)
    assert [title for _, title in events_of(page)] == shown


@pytest.mark.parametrize(
    "query",
    [
        "view=month",
        "from=yesterday",
        "from=9999-12-31",
        "from=0001-01-01",
        "light=green",
        "technician=x",
        "technician=" + "9" * 30,
    ],
)
def test_nonsense_in_the_address_counts_as_not_asked(desk: TechnicianDesk, query: str) -> None:
    answer = desk.browser(MARTA).get(f"/agenda?{query}")
    assert answer.status_code == 200
    assert "23–27 November" in answer.get_data(as_text=True)


def test_off_hours_are_hatched_and_the_present_has_its_line(desk: TechnicianDesk) -> None:
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    # 08:00 is row 1: lunch from 14:00 to 15:00 is rows 25 to 28.
    assert page.count('class="off-hours r25 n4"') == 4
    assert '<li class="now-line r9 after-10" aria-hidden="true"><span>10:10</span>' in page


def test_another_technician_sees_their_own_agenda_only(desk: TechnicianDesk) -> None:
    desk.book(SOL, at(25, 10))
    browser = desk.browser(JORDI)
    assert events_of(browser.get("/agenda").get_data(as_text=True)) == []
    assert browser.get(f"/agenda?technician={desk.person(MARTA)}").status_code == 403


def test_a_dispatcher_chooses_whose_agenda(desk: TechnicianDesk) -> None:
    desk.book(SOL, at(25, 10))
    browser = desk.browser(ELENA)
    page = browser.get(f"/agenda?technician={desk.person(MARTA)}").get_data(as_text=True)
    assert events_of(page) == [("waiting", "Clínica Sol")]
    assert 'id="subscribe"' not in page
    assert browser.get("/agenda?technician=999").status_code == 404


@pytest.mark.parametrize("path", ["/agenda", "/agenda/qr/1.svg", "/s/1", "/s/1/cancel", "/s/1/move"])
def test_strangers_and_customers_are_led_to_the_staff_door(desk: TechnicianDesk, path: str) -> None:
    desk.book(SOL, at(25, 10))
    for browser in (desk.browser(), desk.customer_browser()):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/sign-in")


def test_the_next_session_tells_what_to_know(desk: TechnicianDesk) -> None:
    soon = desk.book(SOL, NOW + timedelta(minutes=20), 90)
    desk.checked(soon, "ready", None, *[(name, "ok", None) for name in ("name", "port", "asterisk")])
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    card = page[page.index('aria-labelledby="next-title"') :]
    for said in (
        "in 20 minutes",
        "10:30–12:00",
        "pbx.example.com:2222",
        "Test at 10:05",
        "Las llamadas se cortan.",
    ):
        assert said in card
    assert f'action="/s/{soon}/check"' in card


def test_a_bundle_that_would_not_last_is_warned_of(desk: TechnicianDesk) -> None:
    desk.book(SOL, NOW + timedelta(minutes=20), 90)
    browser = desk.browser(MARTA)
    assert "set aside for this session" not in browser.get("/agenda").get_data(as_text=True)
    for day in (25, 26, 27, 30):
        desk.book(SOL, at(day, 9), 120)
    with desk.reading() as session:
        assert session.get_one(Entitlement, 1).balance_minutes == 30
    assert "Hour bundle: 1.5 h set aside for this session, 0.5 h left beside them" in browser.get(
        "/agenda"
    ).get_data(as_text=True)


def test_an_unclosed_session_is_closed_from_its_card(desk: TechnicianDesk) -> None:
    late = desk.book(SOL, NOW - timedelta(hours=2), 60)
    browser = desk.browser(MARTA)
    page = browser.get("/agenda").get_data(as_text=True)
    assert "To close" in page
    assert "1 h leave 9 h in the bundle" in page
    answer = browser.post(f"/s/{late}/close", rev=1, hours="0,75", next="/agenda")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/agenda")
    closed = desk.row(late)
    assert (closed.status, closed.minutes_used) == ("done", 45)
    with desk.reading() as session:
        assert session.get_one(Entitlement, 1).balance_minutes == 555
    assert "To close" not in browser.get("/agenda").get_data(as_text=True)


def feed_ids(desk: TechnicianDesk, email: str) -> list[int]:
    with desk.reading() as session:
        return [
            feed.id
            for feed in secrets.feeds_of(
                session, desk.service.feed_key, "http://localhost", desk.person(email)
            )
        ]


def test_an_address_is_made_shown_rotated_and_ended(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    browser.get("/agenda")
    assert browser.post("/agenda/feeds", scope="interventions").status_code == 303
    page = browser.get("/agenda").get_data(as_text=True)
    first = re.search(r'value="(http://localhost/cal/[^"]+)"', page)
    assert first
    assert "webcal://localhost/cal/" in page
    assert desk.app.test_client().get(first.group(1)).status_code == 200
    browser.post(f"/agenda/feeds/{feed_ids(desk, MARTA)[0]}/rotate")
    assert desk.app.test_client().get(first.group(1)).status_code == 410
    second = re.search(r'value="(http://localhost/cal/[^"]+)"', browser.get("/agenda").get_data(as_text=True))
    assert second
    assert second.group(1) != first.group(1)
    browser.post(f"/agenda/feeds/{feed_ids(desk, MARTA)[0]}/revoke")
    assert feed_ids(desk, MARTA) == []


def test_who_read_the_calendar_is_said(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    browser.post("/agenda/feeds", scope="interventions")
    url = re.search(r'value="(http://localhost/cal/[^"]+)"', browser.get("/agenda").get_data(as_text=True))
    assert url
    desk.app.test_client().get(url.group(1), headers={"User-Agent": "Mozilla/5.0 Thunderbird/153.0"})
    desk.clock.now += timedelta(minutes=14)
    assert "Read 14 minutes ago by Thunderbird" in browser.get("/agenda").get_data(as_text=True)


def test_detail_and_reminder_are_chosen(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    browser.post("/agenda/feeds", scope="slots")
    (feed_id,) = feed_ids(desk, MARTA)
    for detail, alarm, minutes in (("host", "15", 15), ("busy", "", None), ("full", "60", 60)):
        browser.post(f"/agenda/feeds/{feed_id}/settings", detail=detail, alarm=alarm)
        with desk.reading() as session:
            row = session.get_one(FeedSecret, feed_id)
            assert (row.detail, row.alarm_minutes) == (detail, minutes)
        page = browser.get("/agenda").get_data(as_text=True)
        assert f'<option value="{detail}" selected>' in page
        assert f'<option value="{alarm}" selected>' in page


@pytest.mark.parametrize(
    "form", [{"detail": "all"}, {"alarm": "soon"}, {"alarm": "-5"}, {"alarm": "99999"}, {"alarm": "9" * 50}]
)
def test_settings_that_do_not_exist_are_refused(desk: TechnicianDesk, form: dict[str, str]) -> None:
    browser = desk.browser(MARTA)
    browser.post("/agenda/feeds", scope="slots")
    (feed_id,) = feed_ids(desk, MARTA)
    answer = browser.post(f"/agenda/feeds/{feed_id}/settings", **form)
    assert answer.status_code == 422
    with desk.reading() as session:
        assert session.get_one(FeedSecret, feed_id).detail == "full"


def test_programs_open_the_address_with_one_click(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    browser.post("/agenda/feeds", scope="interventions")
    page = browser.get("/agenda").get_data(as_text=True)
    assert page.count('href="webcal://localhost/cal/') == 2
    # This desk has an address of this machine alone, which nobody's cloud can read.
    assert "calendar.google.com" not in page


def test_the_team_is_offered_to_dispatchers(desk: TechnicianDesk) -> None:
    assert 'name="scope" value="team"' not in desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    elena = desk.browser(ELENA)
    assert 'name="scope" value="team"' in elena.get("/agenda").get_data(as_text=True)
    assert elena.post("/agenda/feeds", scope="team").status_code == 303
    assert len(feed_ids(desk, ELENA)) == 1
    assert desk.browser(MARTA).post("/agenda/feeds", scope="team").status_code == 403


def test_the_qr_code_is_its_owners_alone(desk: TechnicianDesk) -> None:
    marta = desk.browser(MARTA)
    marta.post("/agenda/feeds", scope="interventions")
    (feed_id,) = feed_ids(desk, MARTA)
    answer = marta.get(f"/agenda/qr/{feed_id}.svg")
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (
        200,
        "image/svg+xml",
        "no-store",
    )
    assert answer.data.startswith(b"<svg")
    assert b"style=" not in answer.data
    for other in (JORDI, ELENA):
        assert desk.browser(other).get(f"/agenda/qr/{feed_id}.svg").status_code == 404


@pytest.mark.parametrize("verb", ["rotate", "revoke", "settings"])
def test_nobody_touches_anothers_address(desk: TechnicianDesk, verb: str) -> None:
    desk.browser(MARTA).post("/agenda/feeds", scope="interventions")
    (feed_id,) = feed_ids(desk, MARTA)
    for other in (JORDI, ELENA):
        assert desk.browser(other).post(f"/agenda/feeds/{feed_id}/{verb}").status_code == 404
    assert feed_ids(desk, MARTA) == [feed_id]


def test_a_scope_that_does_not_exist_is_refused(desk: TechnicianDesk) -> None:
    assert desk.browser(MARTA).post("/agenda/feeds", scope="customer").status_code == 422
