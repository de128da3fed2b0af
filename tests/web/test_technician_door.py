"""People of the desk come in by e-mail and password."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.store.models import RateEvent
from tests.web.technician_desk import JORDI, MARTA, PASSWORD, TechnicianDesk, make_desk


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def test_the_right_password_leads_to_the_page_that_was_wanted(desk: TechnicianDesk) -> None:
    browser = desk.browser()
    assert browser.get("/agenda?view=list").headers["Location"] == "/sign-in?next=/agenda%3Fview%3Dlist"
    assert 'value="/agenda?view=list"' in browser.get("/sign-in?next=/agenda%3Fview%3Dlist").get_data(
        as_text=True
    )
    answer = browser.post("/sign-in", email=MARTA.upper(), password=PASSWORD, next="/agenda?view=list")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/agenda?view=list")
    assert "Marta Ruiz" in browser.get("/agenda").get_data(as_text=True)
    assert browser.get("/sign-in").headers["Location"] == "/agenda"


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", ""]
)
def test_nobody_is_sent_elsewhere(desk: TechnicianDesk, target: str) -> None:
    answer = desk.browser().post("/sign-in", email=MARTA, password=PASSWORD, next=target)
    assert answer.headers["Location"] == "/agenda"


@pytest.mark.parametrize(
    ("email", "password"), [(MARTA, "otra"), ("nadie@levantia.example", PASSWORD), (JORDI, ""), ("", "")]
)
def test_what_is_wrong_is_counted_and_answered_alike(desk: TechnicianDesk, email: str, password: str) -> None:
    answer = desk.browser().post("/sign-in", email=email, password=password)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert "We could not sign you in" in page
    assert password not in page or not password
    with desk.reading() as session:
        assert len(session.scalars(select(RateEvent)).all()) == 2


@pytest.mark.parametrize("email", ["marta\0@levantia.example", "m" * 300, "a\r\nb@x.example"])
def test_an_address_that_is_none_is_said_at_its_field(desk: TechnicianDesk, email: str) -> None:
    answer = desk.browser().post("/sign-in", email=email, password=PASSWORD)
    assert answer.status_code == 422
    assert 'href="#email"' in answer.get_data(as_text=True)


def test_after_ten_tries_the_time_to_wait_is_said(desk: TechnicianDesk) -> None:
    browser = desk.browser()
    for _ in range(10):
        assert browser.post("/sign-in", email=MARTA, password="otra").status_code == 401
    answer = browser.post("/sign-in", email=MARTA, password=PASSWORD)
    assert answer.status_code == 429
    assert "10:25" in answer.get_data(as_text=True)
    desk.clock.now += timedelta(minutes=16)
    assert browser.post("/sign-in", email=MARTA, password=PASSWORD).status_code == 303


def test_leaving_ends_the_session(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    browser.get("/agenda")
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/agenda").status_code == 303


def test_the_navigation_names_only_pages_that_exist(desk: TechnicianDesk) -> None:
    page = desk.browser(MARTA).get("/agenda").get_data(as_text=True)
    nav = page[page.index('<nav class="nav"') : page.index("</nav>")]
    ways = re.findall(r'<a href="([^"]+)"', nav)
    assert ways == ["/agenda", "/account"], "a dispatcher's pages are not a technician's"
    browser = desk.browser(MARTA)
    assert {browser.get(way).status_code for way in ways} == {200}
