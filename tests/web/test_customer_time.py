"""Step 4 over HTTP: the week of times, holding, confirming, and every time that cannot be had."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from scheduler.actor import SYSTEM
from scheduler.bookings import booking
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Check, Desk, Entitlement

Submit = Callable[..., TestResponse]
WEDNESDAY_1030 = "2026-11-25T09:30Z"


def week(sol: Any, more: str = "") -> str:
    return str(sol.browser.get(f"/book/time?{sol.query}{more}").text)


def starts(page: str) -> list[str]:
    return re.findall(r'name="start" value="([^"]+)"', page)


def confirm(sol: Any, submit: Submit, start: str = WEDNESDAY_1030, **more: str) -> TestResponse:
    choices = {"entitlement": str(sol.right), "door": str(sol.door), "minutes": "60", "start": start}
    return submit(sol.browser, "/book/time", **{**choices, **more})


def bookings(service: Any, status: str = "confirmed") -> list[Booking]:
    with read(service.sessions) as session:
        return list(session.scalars(select(Booking).where(Booking.status == status)))


def take(service: Any, sol: Any, start: str) -> None:
    """Somebody else is faster."""
    with write(service.sessions) as session:
        request = booking.BookingRequest(
            access_point_id=sol.door,
            entitlement_id=sol.right,
            starts_at=datetime.fromisoformat(start),
            minutes=60,
            zone="Europe/Madrid",
        )
        booking.book(session, service.desk(session), service.clock(), SYSTEM, request)


def test_the_earliest_moment_is_said_as_a_date_and_explained(sol: Any) -> None:
    page = week(sol)
    assert "Puede reservar desde el miércoles 25 de noviembre, 10:10." in page
    assert "6 h 50 min" in page
    assert "1 h 10 min" in page
    assert "24–30 de noviembre" in page


def test_times_begin_after_the_notice_and_the_notice_is_hatched(sol: Any) -> None:
    page = week(sol)
    assert starts(page)[0] == WEDNESDAY_1030
    assert "is-lead" in page
    assert "Plazo de 8 h" in page
    assert "pasado" in page
    assert not [start for start in starts(page) if "T12:30" in start and start < "2026-11-27"]


def test_a_session_lasts_as_long_as_chosen(sol: Any) -> None:
    assert "2026-11-25T12:30Z" in starts(week(sol, "&minutes=30"))
    assert "2026-11-25T12:30Z" not in starts(week(sol, "&minutes=60"))


def test_weeks_follow_each_other_without_gaps(sol: Any) -> None:
    page = week(sol)
    found = re.search(r'data-week="next" href="([^"]+)"', page)
    assert found
    later = sol.browser.get(found.group(1).replace("&amp;", "&")).text
    assert starts(later)[0] == "2026-12-01T08:00Z"
    assert 'data-week="previous"' in later
    assert 'data-week="previous"' not in page


def test_a_holiday_has_its_column_and_its_name(sol: Any) -> None:
    page = week(sol, "&from=2026-12-07")
    assert "is-closed" in page
    assert "Inmaculada" in page
    assert not [start for start in starts(page) if start.startswith("2026-12-08")]


def test_another_clock_shows_the_same_instants(sol: Any) -> None:
    madrid, bogota = week(sol), week(sol, "&zone=America/Bogota")
    assert starts(madrid) == starts(bogota)
    assert "miércoles 25 de noviembre, 04:30" in bogota.lower()
    assert "Bogotá (UTC−5)" in bogota


def test_slots_of_a_far_zone_stand_on_the_neighbouring_date_and_none_vanishes(sol: Any) -> None:
    auckland = week(sol, "&zone=Pacific/Auckland")
    assert sorted(starts(auckland)) == sorted(starts(week(sol)))
    assert 'id="day-2026-12-01"' in auckland
    assert "jueves 26 de noviembre, 05:00" in auckland.lower()


@pytest.mark.parametrize(
    "nonsense",
    [
        "zone=../../etc/passwd",
        "zone=localtime",
        "minutes=0",
        "from=tomorrow",
        "technician=me",
        "from=9999-12-31",
        "from=0001-01-01",
    ],
)
def test_nonsense_in_the_address_counts_as_not_chosen(sol: Any, nonsense: str) -> None:
    answer = sol.browser.get(f"/book/time?{sol.query}&{nonsense}")
    assert answer.status_code == 200
    assert "España peninsular" in answer.text


def test_without_the_earlier_steps_people_go_back_to_them(sol: Any) -> None:
    assert sol.browser.get("/book/time").location == "/book/system"
    assert sol.browser.get(f"/book/time?door={sol.door}").location == f"/book/entitlement?door={sol.door}"
    other = sol.browser.get(f"/book/time?door={sol.door}&entitlement=999")
    assert other.location == f"/book/entitlement?entitlement=999&door={sol.door}"


def test_picking_holds_the_time_and_says_until_when(sol: Any, service: Any, submit: Submit) -> None:
    answer = submit(
        sol.browser, f"/book/time/hold?{sol.query}", start=WEDNESDAY_1030, minutes="60", zone="Europe/Madrid"
    )
    assert answer.status_code == 200
    assert "miércoles 25 de noviembre, 10:30–11:30" in answer.text
    assert "con Marta Ruiz" in answer.text
    assert "consume 1 h, le quedan 9 h" in answer.text
    assert "Se la guardamos hasta las 10:15" in answer.text
    assert len(bookings(service, "held")) == 1


def test_a_reload_still_shows_the_held_time_as_theirs(sol: Any, submit: Submit) -> None:
    submit(sol.browser, f"/book/time/hold?{sol.query}", start=WEDNESDAY_1030, minutes="60")
    page = week(sol)
    assert re.search(rf'value="{WEDNESDAY_1030}"[^>]* checked', page)
    assert "Se la guardamos hasta las 10:15" in page


def test_picking_another_time_lets_the_first_go(sol: Any, service: Any, submit: Submit) -> None:
    for start in (WEDNESDAY_1030, "2026-11-26T09:30Z"):
        submit(sol.browser, f"/book/time/hold?{sol.query}", start=start, minutes="60")
    assert [row.starts_at.day for row in bookings(service, "held")] == [26]


def test_a_taken_time_is_not_held_and_others_are_offered(sol: Any, service: Any, submit: Submit) -> None:
    take(service, sol, WEDNESDAY_1030)
    answer = submit(sol.browser, f"/book/time/hold?{sol.query}", start=WEDNESDAY_1030, minutes="60")
    assert 'data-refused="slot_taken"' in answer.text
    assert len(re.findall(r'name="instead"', answer.text)) == 3
    assert submit(sol.browser, f"/book/time/hold?{sol.query}", start="soon").status_code == 200


def test_confirming_books_and_leads_to_the_bookings_page(sol: Any, service: Any, submit: Submit) -> None:
    answer = confirm(sol, submit, description="No suena la extensión 201.\nEl audio va en un sentido. 📞")
    assert answer.status_code == 303
    assert re.fullmatch(r"/a/[\w-]{24}", answer.location)
    (row,) = bookings(service)
    assert (row.starts_at, row.wall_start) == (datetime(2026, 11, 25, 9, 30, tzinfo=UTC), "2026-11-25T10:30")
    assert row.description.endswith("📞")
    page = sol.browser.get(answer.location).text
    assert "Reserva confirmada" in page
    assert "miércoles 25 de noviembre, 10:30–11:30" in page


def test_confirming_after_holding_is_one_booking(sol: Any, service: Any, submit: Submit) -> None:
    submit(sol.browser, f"/book/time/hold?{sol.query}", start=WEDNESDAY_1030, minutes="60")
    assert confirm(sol, submit).status_code == 303
    assert (len(bookings(service)), len(bookings(service, "held"))) == (1, 0)
    with read(service.sessions) as session:
        assert session.get_one(Entitlement, sol.right).balance_minutes == 540


def test_a_second_click_leads_to_the_same_booking(sol: Any, service: Any, submit: Submit) -> None:
    first, second = confirm(sol, submit), confirm(sol, submit)
    assert (second.status_code, second.location) == (303, first.location)
    assert len(bookings(service)) == 1


def test_a_confirmation_that_comes_late_gets_the_reason_and_three_times(
    sol: Any, service: Any, submit: Submit
) -> None:
    take(service, sol, WEDNESDAY_1030)
    answer = confirm(sol, submit, description="No suena.")
    assert answer.status_code == 409
    assert 'data-refused="slot_taken"' in answer.text
    near = re.findall(r'name="instead" value="([^"]+)"', answer.text)
    assert len(near) == 3
    assert ">\nNo suena.</textarea>" in answer.text
    assert confirm(sol, submit, instead=near[0]).status_code == 303
    assert len(bookings(service)) == 2


@pytest.mark.parametrize(
    ("start", "status", "code"),
    [
        ("", 422, "invalid_input:required"),
        ("2026-11-25T09:30", 422, "invalid_input:required"),
        ("2026-11-25T08:00Z", 422, "lead_time_too_short"),
        ("2026-11-24T09:00Z", 422, "in_the_past"),
        ("2026-11-26T02:00Z", 422, "outside_hours"),
        ("2026-11-28T10:00Z", 422, "outside_hours"),
        ("2026-12-08T10:00Z", 422, "outside_hours"),
        ("2026-11-26T09:10Z", 422, "off_grid"),
        ("2027-02-10T09:00Z", 422, "beyond_horizon"),
        ("2199-12-31T23:59Z", 403, "not_entitled"),
        ("9999-12-31T23:59Z", 422, "invalid_input:required"),
        ("0001-01-01T00:00Z", 422, "invalid_input:required"),
    ],
)
def test_times_that_cannot_be_had(
    sol: Any, service: Any, submit: Submit, start: str, status: int, code: str
) -> None:
    answer = confirm(sol, submit, start)
    assert (answer.status_code, bookings(service)) == (status, [])
    assert f'data-refused="{code}"' in answer.text
    if code not in ("invalid_input:required", "not_entitled"):
        assert len(re.findall(r'name="instead"', answer.text)) == 3


def test_the_hour_that_spring_skips_does_not_exist_in_the_grid(sol: Any, service: Any) -> None:
    with write(service.sessions) as session:
        session.get_one(Desk, 1).weekly_hours = {"6": [["20:00", "24:00"]], "7": [["00:00", "06:00"]]}
    service.clock.now = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
    times = re.findall(
        r'data-row="\d+" aria-label="domingo 29 de marzo, (\d\d:\d\d)',
        week(sol, "&from=2026-03-29&minutes=30"),
        re.IGNORECASE,
    )
    assert "01:30" in times
    assert "03:00" in times
    assert not [each for each in times if each.startswith("02:")]


def test_both_hours_of_an_autumn_night_have_their_place(sol: Any, service: Any) -> None:
    with write(service.sessions) as session:
        session.get_one(Desk, 1).weekly_hours = {str(day): [["00:00", "24:00"]] for day in range(1, 8)}
    service.clock.now = datetime(2026, 10, 23, 9, 0, tzinfo=UTC)
    page = week(sol, "&from=2026-10-25&minutes=30")
    assert {"2026-10-25T00:00Z", "2026-10-25T01:00Z"} <= set(starts(page))
    assert "02:00 (2)" in page


def test_a_description_that_cannot_be_taken_is_kept_for_mending(
    sol: Any, service: Any, submit: Submit
) -> None:
    long = confirm(sol, submit, description="x" * 4001)
    assert (long.status_code, bookings(service)) == (422, [])
    assert 'data-refused="invalid_input:too_long"' in long.text
    assert "4000" in long.text
    assert "x" * 4001 in long.text
    tool = confirm(sol, submit, description="Entren por TeamViewer, id 123")
    assert 'data-refused="tool_not_accepted"' in tool.text
    assert "SSH" in tool.text
    control = confirm(sol, submit, description="a\x00b")
    assert 'data-refused="invalid_input:control_characters"' in control.text


def test_two_megabytes_of_description_are_answered_with_a_page(
    sol: Any, service: Any, submit: Submit
) -> None:
    answer = confirm(sol, submit, description="x" * 2_000_000)
    assert (answer.status_code, bookings(service)) == (413, [])
    assert "64 KB" in answer.text


def test_more_minutes_than_are_left_are_refused(sol: Any, service: Any, submit: Submit) -> None:
    with write(service.sessions) as session:
        session.get_one(Entitlement, sol.right)
        take_minutes(session, service, sol)
    answer = confirm(sol, submit, minutes="90")
    assert 'data-refused="hours_exhausted"' in answer.text


def take_minutes(session: Any, service: Any, sol: Any) -> None:
    from scheduler.store.models import LedgerEntry

    entry = LedgerEntry(
        entitlement_id=sol.right, reason="consume", minutes=-540, at=service.clock(), by="system"
    )
    session.add(entry)


def test_a_length_that_is_not_offered_is_refused(sol: Any, submit: Submit) -> None:
    assert 'data-refused="duration_not_offered"' in confirm(sol, submit, minutes="45").text


def test_another_technician_takes_what_the_own_one_cannot(
    sol: Any, service: Any, submit: Submit, people: Any
) -> None:
    take(service, sol, WEDNESDAY_1030)
    assert WEDNESDAY_1030 not in starts(week(sol, "&technician=own"))
    assert WEDNESDAY_1030 in starts(week(sol, "&technician=any"))
    assert confirm(sol, submit, technician="any").status_code == 303
    assert {row.technician_id for row in bookings(service)} == {people.marta, people.elena}


def test_free_support_books_with_its_topic(sol: Any, service: Any, submit: Submit) -> None:
    with write(service.sessions) as session:
        free = Entitlement(
            customer_id=sol.customer,
            kind="purchase",
            metered=False,
            valid_from=date(2026, 1, 1),
            serial="SN-1",
            bought_on=date(2026, 11, 20),
            created_at=service.clock(),
        )
        session.add(free)
        session.flush()
        right = str(free.id)
    assert 'data-refused="topic_required"' in confirm(sol, submit, entitlement=right).text
    assert confirm(sol, submit, entitlement=right, topic="dial").status_code == 303
    assert [row.topic for row in bookings(service)] == ["dial"]


def test_the_week_costs_the_same_number_of_questions_whatever_is_booked(sol: Any, service: Any) -> None:
    before = questions(service, lambda: week(sol))
    for hour in (9, 10, 11):
        take(service, sol, f"2026-11-26T{hour:02d}:00Z")
    assert questions(service, lambda: week(sol)) == before <= 24


def questions(service: Any, call: Callable[[], Any]) -> int:
    from sqlalchemy import event

    engine = service.sessions.kw["bind"]
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(asked)


def test_nothing_is_written_by_looking(sol: Any, service: Any) -> None:
    week(sol)
    with read(service.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Booking)) == 0
        assert session.scalar(select(func.count()).select_from(Check)) == 0
    assert service.clock() + timedelta(0) == service.clock.now
