"""The demo's mailbox, which no real desk has."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.web.technician_desk import MARTA, NOW, PONS, SOL, TechnicianDesk, make_desk


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template, mail_page=True)
    made.book(SOL, NOW + timedelta(days=2))
    made.book(PONS, NOW + timedelta(days=1))
    yield made
    made.service.close()


def test_without_the_setting_there_is_no_such_page(tmp_path: Path, sqlite_template: Path) -> None:
    made = make_desk(tmp_path, sqlite_template)
    made.book(SOL, NOW + timedelta(days=2))
    browser = made.browser(MARTA)
    for path in ("/mail", "/mail/1", "/mail/1/intervencion.ics"):
        assert browser.get(path).status_code == 404
    assert "/mail" not in browser.get("/agenda").get_data(as_text=True)
    made.service.close()


def test_the_newest_mail_stands_first_for_anybody(desk: TechnicianDesk) -> None:
    page = desk.browser().get("/mail").get_data(as_text=True)
    assert "exists in the demo only" in page
    assert re.findall(r'href="/mail/(\d+)"', page) == ["4", "3", "2", "1"]
    assert f"a@{SOL.lower()}.example" in page


def test_an_address_filters(desk: TechnicianDesk) -> None:
    browser = desk.browser()
    page = browser.get(f"/mail?to=a@{SOL.lower()}.example").get_data(as_text=True)
    assert re.findall(r'href="/mail/(\d+)"', page) == ["1"]
    assert re.findall(r'href="/mail/(\d+)"', browser.get("/mail?to=x%00y").get_data(as_text=True)) == []


def test_a_mail_shows_its_text_its_link_and_its_calendar_file(desk: TechnicianDesk) -> None:
    browser = desk.browser()
    page = browser.get("/mail/1").get_data(as_text=True)
    assert "Persona 343" in page
    link = re.search(r'href="http://localhost(/a/[^"]+)"', page)
    assert link
    assert browser.get(link.group(1)).status_code == 200
    answer = browser.get("/mail/1/intervencion.ics")
    assert (answer.mimetype, answer.data[:15]) == ("text/calendar", b"BEGIN:VCALENDAR")


def test_the_navigation_leads_there(desk: TechnicianDesk) -> None:
    assert 'href="/mail"' in desk.browser(MARTA).get("/agenda").get_data(as_text=True)


@pytest.mark.parametrize("path", ["/mail/99", "/mail/99/intervencion.ics", f"/mail/{10**18}"])
def test_a_mail_that_is_not_there_is_not_found(desk: TechnicianDesk, path: str) -> None:
    assert desk.browser().get(path).status_code == 404
