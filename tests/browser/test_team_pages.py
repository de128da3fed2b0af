"""The dispatcher's pages of people and hours in a real browser: they fit, axe finds nothing, no script is needed."""

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select, update
from werkzeug.serving import make_server

from scheduler.actor import Actor
from scheduler.bookings import approving
from scheduler.store.models import Booking, BusyCalendar, Technician, WaitingEntry
from scheduler.waiting import offering
from tests.browser.conftest import AXE, AXE_TAGS
from tests.web.technician_desk import ELENA, JORDI, MARTA, NOW, PONS, SOL, TechnicianDesk, make_desk

PICTURES = os.environ.get("VENTANA_TEST_PICTURES")
"""A folder to leave pictures of the pages in."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    """A session on a day that becomes a closed one, an absence over another, a calendar that cannot be read."""
    made = make_desk(tmp_path_factory.mktemp("team"), sqlite_template)
    made.book(SOL, NOW.replace(hour=9, minute=0) + timedelta(days=8), override_reason=None)
    made.book(SOL, NOW.replace(hour=9, minute=0) + timedelta(days=9), override_reason=None)
    red = made.book(PONS, NOW.replace(hour=9, minute=0) + timedelta(days=1))
    made.checked(red, "ready", None, ("resolve", "ok", None))
    made.checked(red, "not_ready", "auth_failed", ("resolve", "ok", None), ("login", "fail", "auth_failed"))
    elena = made.browser(ELENA)
    marta = f"/team/technicians/{made.person(MARTA)}"
    elena.post(marta + "/absences", first_on="2026-12-02", reason="Curso de Asterisk")
    elena.post(marta + "/calendars", calendar_url="https://calendar.example/marta.ics")
    elena.post(marta + "/calendars", calendar_url="https://outlook.example/marta.ics")
    with made.writing() as (session, _):
        first = session.scalars(select(BusyCalendar)).first()
        assert first
        first.tried_at, first.good_at, first.problem = NOW, NOW - timedelta(hours=3), "login"
    undecided(made)
    yield made
    made.service.close()


def undecided(made: TechnicianDesk) -> None:
    """Two sessions wait for approval, one was refused; one customer waits for a slot and is asked about one."""
    asked = [made.book(SOL, NOW.replace(hour=11, minute=0) + timedelta(days=day)) for day in (10, 13, 14)]
    with made.writing() as (session, desk):
        session.execute(update(Booking).where(Booking.id.in_(asked)).values(status="pending"))
        session.expire_all()
        row = session.get_one(Booking, asked[2])
        elena = session.scalars(select(Technician).where(Technician.email == ELENA)).one()
        actor = Actor("dispatcher", elena.id, elena.name)
        approving.refuse(session, desk, NOW, actor, row.id, row.rev, "Ese día estamos en una feria")
        session.add(
            WaitingEntry(
                customer_id=row.customer_id,
                access_point_id=row.access_point_id,
                entitlement_id=row.entitlement_id,
                description="",
                minutes=60,
                zone="Europe/Madrid",
                from_at=NOW,
                until_at=NOW + timedelta(days=5),
                created_at=NOW,
            )
        )
    offering.sweep(made.service.sessions, lambda: NOW, made.service.installation)


@pytest.fixture(scope="module")
def url(desk: TechnicianDesk) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, desk.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def entered(
    desk: TechnicianDesk, url: str, chromium: Browser, language: str, **options: object
) -> BrowserContext:
    """A browser in which the dispatcher is signed in."""
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    cookie = desk.browser(ELENA).client.get_cookie("ventana_session")
    assert cookie
    context.add_cookies(
        [
            {"name": "lang", "value": language, "url": url},
            {"name": "ventana_session", "value": cookie.value, "url": url},
        ]
    )
    return context


def pages(desk: TechnicianDesk, url: str, page: Page) -> Iterator[str]:
    """Each page in turn, refusals and the preview included."""
    for path in ("", "/new", f"/{desk.person(MARTA)}", f"/{desk.person(JORDI)}"):
        page.goto(f"{url}/team/technicians{path}")
        yield f"technicians{path}"
    page.locator("#hours_1").fill("18-09")
    page.locator("main form button.primary").click()
    yield "refused"
    page.goto(f"{url}/desk/hours")
    yield "hours"
    page.locator("#day_0").fill("2026-12-03")
    page.locator("#name_0").fill("Fiesta del patrón")
    page.locator("button[value=preview]").click()
    page.wait_for_selector("#preview-title")
    yield "preview"
    for path in ("/team", "/desk/to-move", "/account", "/account/password", "/approvals", "/waiting"):
        page.goto(url + path)
        yield path


@pytest.mark.parametrize(
    ("width", "scheme", "language", "scripts"),
    [(1280, "light", "es", True), (390, "dark", "en", True), (320, "light", "es", False)],
)
def test_every_page_fits_and_axe_finds_nothing(
    desk: TechnicianDesk, url: str, chromium: Browser, width: int, scheme: str, language: str, scripts: bool
) -> None:
    context = entered(
        desk,
        url,
        chromium,
        language,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
        java_script_enabled=scripts,
    )
    page, found, complaints = context.new_page(), {}, []
    page.on("console", lambda message: complaints.append(message.text))
    for name in pages(desk, url, page):
        if PICTURES:
            safe = name.strip("/").replace("/", "_")
            page.screenshot(path=f"{PICTURES}/{width}-{scheme}-{safe}.png", full_page=True)
        box = page.locator("main").bounding_box()
        assert box
        assert box["width"] <= width, name
        if scripts:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            if AXE.exists():
                found[name] = violations(page)
    context.close()
    assert {name: each for name, each in found.items() if each} == {}
    assert [text for text in complaints if "422" not in text] == []


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    said = page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map("
        "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', ')))",
        AXE_TAGS,
    )
    return [str(each) for each in said]
