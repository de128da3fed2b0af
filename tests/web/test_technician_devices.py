"""The card of calendar programs that sign in: made, shown once, used, ended."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.settings import Settings
from tests.web.dav_client import DEPTH_0, Dav
from tests.web.technician_desk import ELENA, JORDI, MARTA, TechnicianDesk, make_desk


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def make(desk: TechnicianDesk, label: str = "Móvil <de> Marta") -> str:
    """The page that shows the password, as text."""
    answer = desk.browser(MARTA).post("/agenda/devices", device=label)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_data(as_text=True)


def shown(page: str, name: str) -> str:
    found = re.search(rf'id="{name}"(?: readonly value="|>)([^"<]+)', page)
    assert found
    return found.group(1)


def test_a_password_is_shown_once_and_opens_the_calendar(desk: TechnicianDesk) -> None:
    page = make(desk)
    assert "Password for Móvil &lt;de&gt; Marta" in page
    assert shown(page, "address") == "http://localhost/dav/"
    assert shown(page, "user") == MARTA
    password = shown(page, "password")
    assert re.fullmatch(r"([a-z2-9]{4}-){5}[a-z2-9]{4}", password)
    browser = desk.browser(MARTA)
    agenda = browser.get("/agenda").get_data(as_text=True)
    assert password not in agenda
    assert "Móvil &lt;de&gt; Marta" in agenda
    assert "Not used yet." in agenda
    dav = Dav(desk.app.test_client(), MARTA, password, desk.person(MARTA))
    sent = {**DEPTH_0, "User-Agent": "Mozilla/5.0 Thunderbird/153.0"}
    assert dav.ask("PROPFIND", dav.calendar, headers=sent).status_code == 207
    assert "Used just now by Thunderbird" in browser.get("/agenda").get_data(as_text=True)


def test_an_ended_device_is_off_the_card_and_out(desk: TechnicianDesk) -> None:
    password = shown(make(desk), "password")
    for other in (JORDI, ELENA):
        assert desk.browser(other).post("/agenda/devices/1/revoke").status_code == 404
    browser = desk.browser(MARTA)
    answer = browser.post("/agenda/devices/1/revoke")
    assert (answer.status_code, answer.location) == (303, "/agenda#devices")
    assert "Móvil" not in browser.get("/agenda").get_data(as_text=True)
    dav = Dav(desk.app.test_client(), MARTA, password)
    assert dav.ask("PROPFIND", "/dav/", headers=DEPTH_0).status_code == 401
    assert browser.post("/agenda/devices/1/revoke").status_code == 404


@pytest.mark.parametrize(
    ("label", "says"),
    [("", "this is missing"), ("x" * 61, "Shorten it to 60 characters"), ("a\x07", "control characters")],
)
def test_a_label_that_cannot_be_is_refused_in_words(desk: TechnicianDesk, label: str, says: str) -> None:
    browser = desk.browser(MARTA)
    answer = browser.post("/agenda/devices", device=label)
    assert answer.status_code == 422
    assert "Device" in answer.get_data(as_text=True)
    assert says in answer.get_data(as_text=True)
    assert "Not used yet." not in browser.get("/agenda").get_data(as_text=True)


def test_no_more_than_twenty(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    for number in range(20):
        assert browser.post("/agenda/devices", device=f"{number}").status_code == 200
    answer = browser.post("/agenda/devices", device="one more")
    assert answer.status_code == 422
    assert "End one that is no longer used." in answer.get_data(as_text=True)
    assert "You have 20 devices" in browser.get("/agenda").get_data(as_text=True)


def test_the_card_is_ones_own(desk: TechnicianDesk) -> None:
    make(desk)
    assert "Móvil" not in desk.browser(JORDI).get("/agenda").get_data(as_text=True)
    dispatcher = desk.browser(ELENA).get(f"/agenda?technician={desk.person(MARTA)}").get_data(as_text=True)
    assert 'id="devices"' not in dispatcher
    assert desk.browser().post("/agenda/devices", device="x").status_code == 303


@pytest.mark.parametrize(
    ("base_url", "warned"),
    [("http://citas.example.es/", True), ("http://10.0.0.7/", True), ("http://127.0.0.1:8480/", False)],
)
def test_without_https_the_card_says_that_devices_are_refused(
    desk: TechnicianDesk, base_url: str, warned: bool
) -> None:
    browser = desk.browser(MARTA)
    desk.service.settings = Settings(base_url=base_url)  # type: ignore[arg-type]  # pydantic reads the text
    page = browser.get("/agenda").get_data(as_text=True)
    assert 'id="devices"' in page
    assert ("reached without https" in page) is warned
