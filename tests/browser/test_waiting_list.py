"""The waiting list in a real browser, with the engine that offers: full, joined, freed, taken by the mailed link."""

import re
import time
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import delete, select

from scheduler.store.engines import read, write
from scheduler.store.models import Absence, Notice, Technician
from tests.browser.conftest import AXE, AXE_TAGS, SOL, Served

DAY = datetime(2026, 12, 1, 23, tzinfo=UTC)
"""Wednesday 2 December begins in Madrid."""


def violations(page: Page) -> list[str]:
    if not AXE.exists():
        return []
    page.evaluate(AXE.read_text("utf-8"))
    run = "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))"
    return list(page.evaluate(run, AXE_TAGS))


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def closed(served: Served, away: bool) -> None:
    """Everybody is away that Wednesday, or is back."""
    with write(served.service.sessions) as session:
        session.execute(delete(Absence))
        for person in session.scalars(select(Technician.id)) if away else ():
            end = DAY + timedelta(days=1)
            session.add(Absence(technician_id=person, starts_at=DAY, ends_at=end, reason="Feria"))


def mailed(served: Served) -> str:
    """The link of the first mail that offers a slot, once the engine has written it."""
    for _ in range(300):
        with read(served.service.sessions) as session:
            text = session.scalar(select(Notice.text).where(Notice.kind == "waiting_offer"))
        if text:
            found = re.search(r"/waiting/offer/\S+", text)
            assert found
            return served.url + found.group(0)
        time.sleep(0.1)
    raise AssertionError("nobody was offered the slot")


def test_a_full_day_is_waited_for_and_taken_by_the_mailed_link(served: Served) -> None:
    closed(served, away=True)
    page = served.page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    served.choose_time(page, SOL)
    page.goto(page.url + "&from=2026-12-02")
    page.locator("#wait-hint a").click()
    page.wait_for_url("**/book/waiting?**")
    assert (violations(page), overflow(page)) == ([], 0)
    page.locator("#until_on").fill("2026-12-02")
    page.locator("#description").fill("Sin tono en la 204.")
    page.get_by_role("button", name="Apuntarme a la lista").click()
    expect(page.locator("[data-entry]")).to_contain_text("mié 2 dic")
    assert (violations(page), overflow(page)) == ([], 0)
    closed(served, away=False)
    reader = served.page(viewport={"width": 1280, "height": 900})
    reader.goto(mailed(served))
    expect(reader.locator("h1")).to_contain_text(
        re.compile("miércoles 2 de diciembre, 9:00|09:00", re.IGNORECASE)
    )
    assert (violations(reader), overflow(reader)) == ([], 0)
    reader.get_by_role("button", name="Reservar este hueco").click()
    expect(reader.locator(".kicker")).to_contain_text("Reserva confirmada")
    reader.goto(mailed(served))
    expect(reader.locator("[data-offer=accepted]")).to_be_visible()
    page.reload()
    expect(page.locator(".pill").first).to_have_text("reservado")
