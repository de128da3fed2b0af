"""A desk with a customer for each support condition, behind a real port, visited by customers and the dispatcher."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select
from werkzeug.serving import make_server

from fixtures import databases
from fixtures.served import valid_cif
from scheduler.bootstrap import build
from scheduler.operation.loading import DeskFile, load
from scheduler.settings import Settings
from scheduler.store.engines import write
from scheduler.store.models import Contact, Customer, Entitlement, Technician
from tests.web.technician_desk import ELENA, HOURS, JORDI, MARTA, NOW, Clock, TechnicianDesk

NUMBER = "960 000 001"
"""The telephone number of resellers."""


def bought(on: date, serial: str) -> dict[str, Any]:
    return {"kind": "purchase", "serial": serial, "bought_on": on, "valid_from": on}


HOUR_BUNDLE = {"kind": "hours", "hours": 10, "valid_from": date(2026, 1, 1), "valid_until": date(2027, 3, 31)}
CONTRACT = {"kind": "maintenance", "valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
RESELLER = {"kind": "reseller", "valid_from": date(2026, 1, 1), "contract_on": date(2026, 1, 1)}
RIGHTS: Mapping[str, list[dict[str, Any]]] = {
    "new device": [bought(date(2026, 11, 20), "GX-1")],
    "last day": [bought(date(2026, 10, 25), "GX-2")],
    "day after": [bought(date(2026, 10, 24), "GX-3")],
    "device and bundle": [bought(date(2026, 11, 20), "GX-4"), HOUR_BUNDLE],
    "bundle": [HOUR_BUNDLE],
    "another bundle": [HOUR_BUNDLE],
    "contract": [CONTRACT],
    "reseller": [RESELLER | {"purchases_euros": "6000.01"}],
    "small reseller": [RESELLER | {"purchases_euros": "6000.00"}],
    "nothing": [],
    "still nothing": [],
}
"""What each customer has, by the name that tests call it."""


@dataclass
class ConditionsDesk:
    """The running desk and the browser that visits it."""

    desk: TechnicianDesk
    url: str
    chromium: Browser
    _browsers: dict[str, BrowserContext] = field(default_factory=dict)

    def customer(self, name: str, **options: Any) -> Page:
        """A page of a browser in which somebody of this customer is signed in."""
        return self._page(Contact, f"a@{cif(name).lower()}.example", options)

    def dispatcher(self, **options: Any) -> Page:
        """A page of the dispatcher's browser."""
        return self._page(Technician, ELENA, options)

    def number(self, name: str) -> int:
        """The customer's number in the dispatcher's addresses."""
        with self.desk.reading() as session:
            return session.scalars(select(Customer.id).where(Customer.cif == cif(name))).one()

    def right(self, name: str) -> int:
        """The customer's first right."""
        with self.desk.reading() as session:
            query = select(Entitlement.id).where(Entitlement.customer_id == self.number(name))
            return session.scalars(query.order_by(Entitlement.id)).first() or 0

    def page_of(self, name: str, path: str = "") -> str:
        """Where the dispatcher keeps this customer."""
        return f"{self.url}/customers/{self.number(name)}{path}"

    def _page(self, kind: type[Contact] | type[Technician], email: str, options: Mapping[str, Any]) -> Page:
        key = f"{email} {sorted(options.items())}"
        if key not in self._browsers:
            self._browsers[key] = self._entered(kind, email, options)
        return self._browsers[key].new_page()

    def _entered(
        self, kind: type[Contact] | type[Technician], email: str, options: Mapping[str, Any]
    ) -> BrowserContext:
        """One browser for each person: what it has read of styles and scripts is not asked for again."""
        client = self.desk.app.test_client()
        self.desk._sign_in(client, kind, email)
        cookie = client.get_cookie("ventana_session")
        assert cookie
        usual = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
        context = self.chromium.new_context(**(usual | dict(options)))
        context.set_default_timeout(15_000)
        context.add_cookies(
            [
                {"name": "lang", "value": "es", "url": self.url},
                {"name": "ventana_session", "value": cookie.value, "url": self.url},
            ]
        )
        return context


def cif(name: str) -> str:
    return valid_cif(4_620_000 + list(RIGHTS).index(name))


@contextmanager
def running(folder: Path, template: Path, chromium: Browser) -> Iterator[ConditionsDesk]:
    """The clock stands on Tuesday 24 November 2026, 10:10 in Madrid, as in the example of the conditions."""
    databases.copy_file(template, folder / "ventana.db")
    clock = Clock()
    service = build(Settings(folder=folder, base_url="http://localhost/"), clock)  # type: ignore[arg-type]
    # Nothing wakes here: no engine runs, and its tables are not in the template.
    service.sessions.configure(info={})
    with write(service.sessions) as session:
        load(session, service.installation, service.vault, NOW, DeskFile.model_validate(_document()))
    desk = TechnicianDesk(service, clock)
    server = make_server("127.0.0.1", 0, desk.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ConditionsDesk(desk, f"http://127.0.0.1:{server.server_port}", chromium)
    server.shutdown()
    thread.join()
    server.server_close()
    service.close()


def _document() -> dict[str, Any]:
    return {
        "desk": {
            "name": "Soporte Levantia",
            "email": "soporte@levantia.example",
            "phone": "960 000 000",
            "reseller_phone": NUMBER,
            "source_address": "198.51.100.24",
            "domain": "levantia.example",
            "hours": HOURS,
            "holiday_region": "VC",
        },
        "technicians": [
            {"name": "Marta Ruiz", "email": MARTA},
            {"name": "Jordi Soler", "email": JORDI},
            {"name": "Elena Campos", "email": ELENA, "role": "dispatcher", "skills": []},
        ],
        "customers": [_customer(name, rights) for name, rights in RIGHTS.items()],
    }


def _customer(name: str, rights: list[dict[str, Any]]) -> dict[str, Any]:
    door = {"name": f"PBX of {name}", "platform": "asterisk", "method": "ssh", "port": 2222}
    return {
        "company": f"The {name}, S.L.",
        "cif": cif(name),
        "technician": JORDI,
        "contacts": [{"name": "Ana Gil", "email": f"a@{cif(name).lower()}.example"}],
        "entitlements": rights,
        "systems": [door | {"host": "pbx.example.com", "username": "soporte"}],
    }
