"""The cards on which people subscribe, in a browser: whole in every size, and without findings of axe."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from scheduler.store.models import Contact
from tests.browser.conftest import AXE
from tests.browser.test_customer_axe import violations
from tests.web.technician_desk import ELENA, TechnicianDesk, make_desk

VARIANTS = [(1280, "light", "es"), (390, "dark", "en")]
if os.environ.get("VENTANA_RELEASE"):
    VARIANTS = [(w, s, x) for w in (1280, 390) for s in ("light", "dark") for x in ("es", "en")]


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[tuple[TechnicianDesk, str]]:
    """A dispatcher and a customer's person with an address of every scope they may have."""
    made = make_desk(tmp_path, sqlite_template)
    staff, customer = made.browser(ELENA), made.customer_browser()
    for scope in ("interventions", "slots", "team", "freebusy"):
        assert staff.post("/agenda/feeds", scope=scope).status_code == 303
    customer.get("/book/calendar")
    customer.post("/book/calendar")
    server = make_server("127.0.0.1", 0, made.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    made.service.close()


def signed_in(desk: TechnicianDesk, url: str, chromium: Browser, who: str, variant: tuple[Any, ...]) -> Page:
    width, scheme, language = variant
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    client = desk.browser(ELENA).client if who == "staff" else desk.customer_browser().client
    cookie = client.get_cookie("ventana_session")
    assert cookie
    context.add_cookies(
        [
            {"name": "ventana_session", "value": cookie.value, "url": url},
            {"name": "lang", "value": language, "url": url},
        ]
    )
    return context.new_page()


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda it: "-".join(map(str, it)))
@pytest.mark.parametrize(("who", "path"), [("staff", "/agenda"), ("customer", "/book/calendar")])
def test_the_card_is_whole_and_accessible(
    desk: tuple[TechnicianDesk, str], chromium: Browser, who: str, path: str, variant: tuple[Any, ...]
) -> None:
    page = signed_in(*desk, chromium, who, variant)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(desk[1] + path)
    card = page.locator("#subscribe")
    for summary in card.locator("summary").all():
        summary.click()
    assert card.locator(".qr").count() == (4 if who == "staff" else 1)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    if pictures := os.environ.get("VENTANA_TEST_PICTURES"):
        card.screenshot(path=f"{pictures}-{who}-{'-'.join(map(str, variant))}.png")
    if not AXE.exists():
        pytest.skip("axe-core is not installed; run npm ci in web/static")
    assert violations(page) == []
    assert complaints == []
    with desk[0].reading() as session:
        assert session.query(Contact).count() == 3
