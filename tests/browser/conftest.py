"""A desk behind a real browser: its customers' PBXs are real servers, and the clock stands at a Tuesday."""

import getpass
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import delete, select
from werkzeug.serving import make_server

from fixtures import databases, sshd
from scheduler.bootstrap import Service, build
from scheduler.checks.pins import confirm_line
from scheduler.operation.loading import DeskFile, load
from scheduler.settings import Settings
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint, CustomerKey, Notice, RateEvent
from tests.browser.conditions_desk import ConditionsDesk, running
from web.app import create_app

CHROMIUM = os.environ.get("VENTANA_TEST_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
AXE = Path(__file__).parents[2] / "web/static/node_modules/axe-core/axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TUESDAY = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
"""10:10 in Madrid, the example of the conditions: the first bookable moment is Wednesday 25, 10:10."""
SOL, RIBERA, LUZ = (
    ("Clínica Sol", "B46100343"),
    ("Transportes Ribera", "B96100623"),
    ("Óptica Luz", "B46100731"),
)
HOURS = {str(day): [("09:00", "14:00"), ("15:00", "18:00")] for day in range(1, 5)} | {
    "5": [("09:00", "15:00")]
}


def customer(company: str, cif: str, port: int, right: dict[str, Any], locale: str = "es") -> dict[str, Any]:
    door = {"name": "Centralita", "platform": "asterisk", "method": "ssh", "host": "127.0.0.1", "port": port}
    return {
        "company": company,
        "cif": cif,
        "locale": locale,
        "technician": "marta@levantia.example",
        "contacts": [{"name": "Pablo", "email": "pablo@cliente.example"}],
        "entitlements": [right],
        "systems": [{**door, "username": getpass.getuser()}],
    }


def document(open_port: int, closed_port: int) -> dict[str, Any]:
    bundle = {"kind": "hours", "hours": 10, "valid_from": date(2026, 1, 1), "valid_until": date(2027, 3, 31)}
    free = {
        "kind": "purchase",
        "serial": "GX-1",
        "bought_on": date(2026, 11, 20),
        "valid_from": date(2026, 11, 20),
    }
    return {
        "desk": {
            "name": "Soporte Levantia",
            "email": "soporte@levantia.example",
            "phone": "960 000 000",
            "reseller_phone": "960 000 001",
            "source_address": "198.51.100.24",
            "domain": "levantia.example",
            "hours": HOURS,
            "holiday_region": "VC",
        },
        "technicians": [{"name": "Marta Ruiz", "email": "marta@levantia.example"}],
        "customers": [
            customer(*SOL, open_port, bundle),
            customer(*RIBERA, closed_port, bundle),
            customer(*LUZ, open_port, free),
        ],
    }


@dataclass
class Served:
    """The running desk and the browser that visits it."""

    service: Service
    url: str
    chromium: Browser
    complaints: list[str] = field(default_factory=list)

    def page(self, **options: Any) -> Page:
        """A page of a browser of its own; what the console says is kept."""
        options = {
            "locale": "es",
            "timezone_id": "Europe/Madrid",
            "viewport": {"width": 1280, "height": 900},
        } | options
        context = self.chromium.new_context(**options)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def code(self) -> str:
        """The code of the newest mail."""
        with read(self.service.sessions) as session:
            text = session.scalar(select(Notice.text).where(Notice.kind == "code").order_by(Notice.id.desc()))
        found = re.search(r"\b(\d{6})\b", text or "")
        assert found
        return found.group(1)

    def enter(self, page: Page, who: tuple[str, str] = SOL) -> None:
        """Through the first step, as people do it."""
        with write(self.service.sessions) as session:
            session.execute(delete(RateEvent))
        page.goto(self.url + "/book")
        page.locator("#company").fill(who[0])
        page.locator("#cif").fill(who[1])
        page.locator("main form button").first.click()
        page.locator("#code").fill(self.code())
        page.locator("main form button").first.click()
        page.wait_for_url("**/book/entitlement")

    def choose_time(self, page: Page, who: tuple[str, str] = SOL) -> None:
        """To the fourth step with what is preselected."""
        self.enter(page, who)
        page.locator("main form button").first.click()
        page.locator("main form button").first.click()
        page.wait_for_url("**/book/time?**")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}; install chromium or set VENTANA_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Service]:
    """A desk with its engine running and a real sshd as PBX; the clock goes on from that Tuesday."""
    if reason := sshd.missing():
        pytest.skip(reason)
    home, closed = tmp_path_factory.mktemp("desk"), sshd.free_port()
    pbx = sshd.Sshd(home / "pbx")
    databases.copy_file(sqlite_template, home / "ventana.db")
    started = time.monotonic()
    settings = Settings(
        folder=home,
        base_url="http://127.0.0.1:8480/",  # type: ignore[arg-type]  # pydantic reads the text
        loopback_ports=(f"127.0.0.1:{pbx.port}", f"127.0.0.1:{closed}"),
    )
    # make_schema: the copied file has our tables, but not those of the engine.
    service = build(
        settings, clock=lambda: TUESDAY + timedelta(seconds=time.monotonic() - started), make_schema=True
    )
    with write(service.sessions) as session:
        file = DeskFile.model_validate(document(pbx.port, closed))
        load(session, service.installation, service.vault, service.clock(), file)
        pbx.authorize(session.scalars(select(CustomerKey.public_key)))
        pbx.start()
        for point in session.scalars(select(AccessPoint).where(AccessPoint.port == pbx.port)):
            confirm_line(session, point, pbx.host_key_line(), "test", service.clock())
    service.engine.start()
    yield service
    service.close()
    pbx.stop()


@pytest.fixture(scope="module")
def address(desk: Service) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(desk), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def served(desk: Service, address: str, chromium: Browser) -> Served:
    return Served(desk, address, chromium)


@pytest.fixture(scope="module")
def conditions_desk(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, chromium: Browser
) -> Iterator[ConditionsDesk]:
    with running(tmp_path_factory.mktemp("conditions"), sqlite_template, chromium) as made:
        yield made
