"""Pictures of screens on pages: agreed to in the forms, shown to those who may see them, and to nobody else."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler import pictures
from scheduler.actor import SYSTEM
from scheduler.doors import systems
from scheduler.links import booking_token
from scheduler.rules.secret import Secret
from scheduler.store.models import AccessPoint, Check, Contact
from tests.web.technician_desk import ELENA, JORDI, LUZ, MARTA, NOW, SOL, Browser, TechnicianDesk, make_desk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path_factory.mktemp("screens"), sqlite_template)
    yield made
    made.service.close()


@pytest.fixture(scope="module")
def seen(desk: TechnicianDesk) -> tuple[int, int]:
    """A session of Luz and its check, which took a picture."""
    booking = desk.book(LUZ, NOW + timedelta(hours=24))
    with desk.writing() as (session, _):
        check = session.scalars(
            select(Check).where(Check.booking_id == booking).order_by(Check.due_at).limit(1)
        ).one()
        check.state, check.verdict = "done", "ready"
        check.started_at = check.finished_at = NOW
        check.access_point.pictures_agreed_at = NOW
        session.flush()
        pictures.keep(session, check, pictures.Taken(PNG, 640, 400, "black"), NOW)
        return booking, check.id


def somebody_of(desk: TechnicianDesk, cif: str) -> Browser:
    client = desk.app.test_client()
    client.set_cookie("lang", "en")
    desk._sign_in(client, Contact, f"a@{cif.lower()}.example")
    return Browser(client)


def link_of(desk: TechnicianDesk, booking: int) -> str:
    return f"/a/{booking_token(desk.service.installation.keys.link, desk.row(booking).uid)}"


@pytest.mark.parametrize("email", [MARTA, ELENA])
def test_the_session_page_shows_it_with_its_time(
    desk: TechnicianDesk, seen: tuple[int, int], email: str
) -> None:
    booking, check = seen
    browser = desk.browser(email)
    page = browser.get(f"/s/{booking}").text
    shown = re.search(
        rf'<img src="/s/{booking}/picture/{check}" alt="([^"]+)" width="640" height="400">', page
    )
    assert shown
    assert "Central 731" in shown[1]
    assert "24 November" in shown[1]
    assert "10:10" in shown[1]
    assert "Deleted on Tuesday 1 December, 10:10." in page
    assert "It was all black" in page
    answer = browser.client.get(f"/s/{booking}/picture/{check}")
    assert answer.data == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")


def test_the_customer_sees_it_after_signing_in(desk: TechnicianDesk, seen: tuple[int, int]) -> None:
    booking, check = seen
    link = link_of(desk, booking)
    own = somebody_of(desk, LUZ)
    page = own.get(link).text
    assert f'<img src="/book/picture/{check}" alt="Screen of Central 731' in page
    answer = own.client.get(f"/book/picture/{check}")
    assert (answer.data, answer.headers["Cache-Control"]) == (PNG, "no-store")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
    for browser in (desk.browser(), somebody_of(desk, SOL), desk.browser(MARTA)):
        page = browser.get(link).text
        assert "<img src" not in page.split('id="check-picture"')[1]
        assert "Sign in to see it" in page


def test_it_is_said_in_spanish_too(desk: TechnicianDesk, seen: tuple[int, int]) -> None:
    browser = desk.browser(MARTA)
    browser.client.set_cookie("lang", "es")
    page = browser.get(f"/s/{seen[0]}").text
    assert 'alt="Pantalla de Central 731, por ' in page
    assert "Estaba toda en negro" in page


def test_nobody_else_gets_the_bytes(desk: TechnicianDesk, seen: tuple[int, int]) -> None:
    booking, check = seen
    other = desk.book(SOL, NOW + timedelta(hours=26))
    by_session, by_customer = f"/s/{booking}/picture/{check}", f"/book/picture/{check}"
    expected = {
        "signed out": (desk.browser(), 303, 303),
        "another technician": (desk.browser(JORDI), 403, 303),
        "another customer": (somebody_of(desk, SOL), 303, 404),
        "the customer, at the desk's door": (somebody_of(desk, LUZ), 303, 200),
        "the technician, at the customer's door": (desk.browser(MARTA), 200, 303),
    }
    for who, (browser, at_session, at_customer) in expected.items():
        for path, status in ((by_session, at_session), (by_customer, at_customer)):
            answer = browser.client.get(path)
            assert answer.status_code == status, f"{who}: {path}"
            assert (PNG in answer.data) == (status == 200), f"{who}: {path}"
    assert desk.browser(MARTA).get(f"/s/{other}/picture/{check}").status_code == 404
    assert desk.browser(MARTA).get(f"/s/{booking}/picture/999").status_code == 404


def test_after_seven_days_there_is_none(desk: TechnicianDesk, seen: tuple[int, int]) -> None:
    booking, check = seen
    desk.clock.now = NOW + timedelta(days=7)
    try:
        browser = desk.browser(MARTA)
        assert "<img" not in browser.get(f"/s/{booking}").text.partition('id="check-picture"')[2]
        assert browser.client.get(f"/s/{booking}/picture/{check}").status_code == 404
    finally:
        desk.clock.now = NOW


@pytest.fixture
def door(desk: TechnicianDesk) -> int:
    """Another door of Luz, by VNC and without pictures."""
    form = systems.DoorForm("3cx", "vnc", "pbx.example.com", "5900", "soporte", "password", Secret("s3creto"))
    with desk.writing() as (session, context):
        customer = (
            session.scalars(select(Contact).where(Contact.email.contains(LUZ.lower()))).one().customer_id
        )
        service = desk.service
        return systems.add_system(session, context, service.vault, NOW, SYSTEM, customer, form).id


TYPED = {"platform": "3cx", "host": "pbx.example.com", "port": "5900", "username": "soporte"}
TYPED |= {"credential_kind": "password"}


def agreed(desk: TechnicianDesk, door: int) -> bool:
    with desk.reading() as session:
        return session.get_one(AccessPoint, door).pictures_agreed_at is not None


def paths(desk: TechnicianDesk, door: int) -> list[tuple[Browser, str]]:
    with desk.reading() as session:
        customer = session.get_one(AccessPoint, door).system.customer_id
    own, dispatcher = somebody_of(desk, LUZ), desk.browser(ELENA)
    return [(own, f"/book/system/{door}"), (dispatcher, f"/customers/{customer}/systems/{door}")]


@pytest.mark.parametrize("which", [0, 1], ids=["customer", "dispatcher"])
def test_the_forms_ask_and_keep_what_was_ticked(desk: TechnicianDesk, door: int, which: int) -> None:
    browser, path = paths(desk, door)[which]
    page = browser.get(path).text
    box = re.search(r'<input type="checkbox" id="pictures"[^>]*>', page)
    assert box
    assert "checked" not in box[0]
    for said in ("with whatever is open on it", "Who sees it", "7 days", "in no backup", "push out"):
        assert said in page
    assert browser.post(path, **TYPED, method="vnc", pictures="yes").status_code == 303
    assert agreed(desk, door)
    assert re.search(r'id="pictures"[^>]* checked', browser.get(path).text)
    refused = browser.post(path, **(TYPED | {"port": "0"}), method="vnc", pictures="yes")
    assert refused.status_code == 422
    assert re.search(r'id="pictures"[^>]* checked', refused.text), "what was ticked is not lost"
    assert browser.post(path, **TYPED, method="vnc").status_code == 303
    assert not agreed(desk, door)


@pytest.mark.parametrize("which", [0, 1], ids=["customer", "dispatcher"])
def test_a_tick_left_behind_by_another_method_counts_for_nothing(
    desk: TechnicianDesk, door: int, which: int
) -> None:
    browser, path = paths(desk, door)[which]
    browser.get(path)
    typed = TYPED | {"password": "otra", "credential": "otra"}
    assert browser.post(path, **typed, method="vnc", pictures="yes").status_code == 303
    assert browser.post(path, **typed, method="web", pictures="yes").status_code == 303
    assert not agreed(desk, door)
    with desk.reading() as session:
        assert session.get_one(AccessPoint, door).method == "web"
