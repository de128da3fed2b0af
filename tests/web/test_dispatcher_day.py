"""The dispatcher's day, /team: what it shows, where each thing leads, and that a dispatcher's day begins there."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from scheduler.identity.people import claim_purchase
from scheduler.store.models import Entitlement, Notice
from tests.web.technician_desk import ELENA, LUZ, MARTA, NOW, PASSWORD, PONS, SOL, TechnicianDesk, make_desk

WEDNESDAY_9 = NOW.replace(hour=8, minute=0) + timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def page_of(desk: TechnicianDesk) -> str:
    return desk.browser(ELENA).get("/team").get_data(as_text=True)


def card(page: str, title: str) -> str:
    return page.partition(f'aria-labelledby="{title}"')[2].partition("</section>")[0]


def test_a_dispatchers_day_begins_here_and_a_technicians_in_the_agenda(desk: TechnicianDesk) -> None:
    for email, start in ((ELENA, "/team"), (MARTA, "/agenda")):
        browser = desk.browser()
        browser.get("/sign-in")
        answer = browser.post("/sign-in", email=email, password=PASSWORD)
        assert answer.headers["Location"] == start
        assert browser.get("/").headers["Location"] == start
    page = page_of(desk)
    nav = page[page.index('<nav class="nav"') : page.index("</nav>")]
    assert re.findall(r'href="([^"]+)"', nav)[0] == "/team"


def test_a_failing_access_shows_its_step_its_strip_and_two_ways_on(desk: TechnicianDesk) -> None:
    red, green = desk.book(PONS, WEDNESDAY_9), desk.book(SOL, WEDNESDAY_9 + timedelta(hours=2))
    desk.checked(red, "ready", None, ("resolve", "ok", None))
    desk.checked(red, "not_ready", "auth_failed", ("resolve", "ok", None), ("login", "fail", "auth_failed"))
    desk.checked(green, "ready", None, ("resolve", "ok", None))
    failing = card(page_of(desk), "failing-title")
    assert "Gestoría Pons" in failing
    assert "Clínica Sol" not in failing
    assert failing.count("strip-ok") == 1
    assert failing.count("strip-fail") == 1
    assert f'action="/s/{red}/check"' in failing
    letter = unquote(re.findall(r'href="(mailto:[^"]+)"', failing)[0])
    assert letter.startswith(f"mailto:a@{PONS.lower()}.example?subject=Acceso a Central")


def test_at_most_twenty_checks_are_in_the_strip(desk: TechnicianDesk) -> None:
    booking = desk.book(PONS, WEDNESDAY_9)
    browser = desk.browser(MARTA)
    for _ in range(22):
        desk.clock.now += timedelta(minutes=5)
        browser.post(f"/s/{booking}/check")
        desk.checked(booking, "not_ready", "auth_failed", ("login", "fail", "auth_failed"))
    assert card(page_of(desk), "failing-title").count("<rect") == 20


def test_what_is_over_or_cancelled_fails_no_more(desk: TechnicianDesk) -> None:
    booking = desk.book(PONS, WEDNESDAY_9)
    desk.checked(booking, "not_ready", "auth_failed", ("login", "fail", "auth_failed"))
    desk.clock.now = WEDNESDAY_9 + timedelta(hours=3)
    assert "No access is known to fail" in page_of(desk)


def test_the_heat_table_counts_booked_hours_and_hatches_absences(desk: TechnicianDesk) -> None:
    desk.book(PONS, WEDNESDAY_9, minutes=120)
    desk.book(SOL, WEDNESDAY_9 + timedelta(hours=2), minutes=60)
    elena, marta = desk.browser(ELENA), desk.person(MARTA)
    elena.post(f"/team/technicians/{marta}/absences", first_on="2026-11-26", reason="Curso de Asterisk")
    heat = card(page_of(desk), "heat-title")
    rows = dict(re.findall(r'<th scope="row"><a [^>]+>([^<]+)</a></th>(.*?)</tr>', heat, re.DOTALL))
    assert sorted(rows) == ["Jordi Soler", "Marta Ruiz"]  # the dispatcher takes no sessions
    assert len(re.findall(r'<td class="(?:is-away|level)', rows["Marta Ruiz"])) == 10
    assert "Wednesday 25 November: 3 h of 8 h" in rows["Marta Ruiz"]
    assert "Thursday 26 November: does not attend" in rows["Marta Ruiz"]
    assert "<b>3</b>/30 h" in rows["Marta Ruiz"]  # four days of 8 h and a Friday of 6 h, less one absent day
    assert "<b>0</b>/38 h" in rows["Jordi Soler"]


def test_rights_about_to_end_are_named_with_the_least_first(desk: TechnicianDesk) -> None:
    with desk.writing() as (session, _):
        rights = {row.customer.cif: row for row in session.scalars(select(Entitlement))}
        rights[PONS].valid_until = NOW.date() + timedelta(days=3)
        rights[LUZ].valid_until = NOW.date() + timedelta(days=15)
    for hours in (0, 2, 4, 6):
        desk.book(SOL, WEDNESDAY_9 + timedelta(hours=hours, days=1), minutes=120)
    desk.book(SOL, WEDNESDAY_9, minutes=90)
    ending = card(page_of(desk), "ending-title")
    assert re.findall(r"<a [^>]+><b>([^<]+)</b>", ending) == ["Clínica Sol, S.L.", "Gestoría Pons, S.L."]
    assert "0.5 h" in ending
    assert "3 days" in ending


def test_what_waits_is_counted_and_leads_to_its_page(desk: TechnicianDesk) -> None:
    assert "Waiting for you" not in page_of(desk)
    desk.book(SOL, WEDNESDAY_9 + timedelta(days=1), override_reason=None)
    with desk.writing() as (session, _):
        claim_purchase(
            session, NOW, "192.0.2.0/24", company="Ferretería", cif="B12345674", email="a@b.example",
            serial="GX-1", invoice="",
        )  # fmt: skip
        session.scalars(select(Notice)).first().state = "dead"  # type: ignore[union-attr]  # there is one
    elena, marta = desk.browser(ELENA), desk.person(MARTA)
    elena.post(f"/team/technicians/{marta}/absences", first_on="2026-11-26", reason="Curso de Asterisk")
    waiting = card(page_of(desk), "waiting-title")
    for path in ("/desk/to-move", "/customers/claims", "/desk/sending"):
        assert re.search(rf'href="{path}".*?<b>1</b>', waiting), path
        assert desk.browser(ELENA).get(path).status_code == 200


def test_the_next_free_time_keeps_the_notice(desk: TechnicianDesk) -> None:
    assert "Next free time of any technician:</p>" not in page_of(desk)
    assert "<b>Wed 25 Nov, 10:30</b>" in page_of(desk)
