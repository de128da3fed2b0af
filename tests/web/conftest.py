"""A desk behind the web application: one technician, one dispatcher, one customer, and a clock that stands still."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from fixtures.databases import Database
from scheduler import entitlements
from scheduler.actor import SYSTEM
from scheduler.bootstrap import read_conditions
from scheduler.context import DeskContext, Installation, Keys, load_desk
from scheduler.doors import systems
from scheduler.settings import Settings
from scheduler.store.engines import write
from scheduler.store.models import Contact, Customer, Desk, Entitlement, Technician
from scheduler.store.vault import Vault
from web import security
from web.app import create_app

TUESDAY = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
"""Tue 24 Nov 2026, 10:10 in Madrid: inside the desk's hours."""

HOURS = {str(day): [["09:00", "14:00"], ["15:00", "18:00"]] for day in range(1, 5)} | {
    "5": [["09:00", "15:00"]]
}


@dataclass
class StillClock:
    """A clock that a test moves by hand."""

    now: datetime = TUESDAY

    def __call__(self) -> datetime:
        return self.now

    def advance(self, length: timedelta) -> None:
        """Let time pass."""
        self.now += length


@dataclass
class WebService:
    """What the web needs of the assembled service, without engine."""

    settings: Settings
    sessions: sessionmaker[Session]
    installation: Installation
    clock: StillClock = field(default_factory=StillClock)
    vault: Vault = field(default_factory=lambda: Vault([b"vault-key-of-32-bytes-for-tests!"]))

    def desk(self, session: Session) -> DeskContext:
        """The desk as it stands in this transaction."""
        return load_desk(session, self.installation)


@dataclass
class People:
    """Who there is, by row id."""

    marta: int
    elena: int
    contact: int


@pytest.fixture
def service(sqlite_database: Database, tmp_path: Path) -> WebService:
    """A service over its own database, reached by plain http."""
    settings = Settings(folder=tmp_path, base_url="http://localhost/")  # type: ignore[arg-type]
    return make_service(settings, sqlite_database)


def make_service(settings: Settings, database: Database) -> WebService:
    """A service with fixed keys and the shipped conditions."""
    keys = Keys(link=b"link" * 8, feed=b"feed" * 8, audit=b"audit" * 8, web=b"web" * 8)
    installation = Installation(read_conditions(None), keys, settings.link_base)
    return WebService(settings, database.sessions, installation)


@pytest.fixture
def people(service: WebService) -> People:
    """The desk, Marta (technician), Elena (dispatcher) and Clínica Sol with its contact."""
    with write(service.sessions) as session:
        session.add(_desk())
        marta = _technician("Marta Ruiz", "marta@levantia.example", "technician")
        elena = _technician("Elena Campos", "elena@levantia.example", "dispatcher")
        customer = Customer(
            company="Clínica Sol, S.L.",
            cif="B46000220",
            zone="Europe/Madrid",
            created_at=TUESDAY,
            technician=marta,
        )
        contact = Contact(customer=customer, name="Pablo Sol", email="pablo@clinica-sol.example")
        session.add_all([marta, elena, contact])
        session.flush()
        return People(marta.id, elena.id, contact.id)


def _desk() -> Desk:
    return Desk(
        name="Soporte Levantia",
        zone="Europe/Madrid",
        email="soporte@levantia.example",
        phone="960 000 000",
        reseller_phone="960 000 001",
        source_address="198.51.100.24",
        domain="levantia.example",
        weekly_hours=HOURS,
        holiday_country="ES",
        holiday_region="VC",
        own_holidays=[],
    )


def _technician(name: str, email: str, role: str) -> Technician:
    return Technician(
        name=name,
        email=email,
        role=role,
        zone="Europe/Madrid",
        skills=["asterisk"],
        calendar_changed_at=TUESDAY,
    )


@pytest.fixture
def app(service: WebService, people: People) -> Flask:
    """The application over that desk."""
    made = create_app(service)
    made.testing = True
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that has not signed in."""
    return app.test_client()


SignIn = Callable[[FlaskClient, int, type[Contact] | type[Technician]], None]


@pytest.fixture
def sign_in_as(app: Flask, service: WebService) -> SignIn:
    """Give a browser the session of a person, without going through a form."""

    def sign_in(browser: FlaskClient, row_id: int, kind: type[Contact] | type[Technician]) -> None:
        with app.test_request_context(), write(service.sessions) as session:
            person = session.get_one(kind, row_id)
            assert isinstance(person, Contact | Technician)
            security.sign_in(session, person, service.clock())
            response = app.process_response(app.make_response(""))
        for cookie in response.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            browser.set_cookie(name, value, secure="Secure" in cookie)

    return sign_in


@pytest.fixture
def csrf_of() -> Callable[[str], str]:
    """Finds the hidden token of the first form of a page."""
    return _csrf_of


def _csrf_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
    assert found, "the page has no form with a token"
    return found.group(1)


Submit = Callable[..., TestResponse]


@pytest.fixture
def submit() -> Submit:
    """Send a form as a browser would: with the token of a page it has seen."""

    def send(browser: FlaskClient, address: str, **fields: str) -> TestResponse:
        token = _csrf_of(browser.get("/book/unknown").text)
        return browser.post(address, data={**fields, "csrf_token": token})

    return send


@dataclass
class Sol:
    """Clínica Sol at the browser: signed in, with an hour bundle of 10 h and an Asterisk by SSH."""

    browser: FlaskClient
    customer: int
    contact: int
    right: int
    door: int

    @property
    def query(self) -> str:
        """The choices of the first three steps, as the addresses carry them."""
        return f"entitlement={self.right}&door={self.door}"


@pytest.fixture
def sol(client: FlaskClient, service: WebService, people: People, sign_in_as: SignIn) -> Sol:
    """A customer at the fourth step."""
    sign_in_as(client, people.contact, Contact)
    with write(service.sessions) as session:
        customer = session.get_one(Contact, people.contact).customer
        right = Entitlement(
            customer_id=customer.id,
            kind="hours",
            metered=True,
            valid_from=date(2026, 1, 1),
            valid_until=date(2027, 3, 31),
            created_at=TUESDAY,
        )
        session.add(right)
        session.flush()
        entitlements.grant(session, TUESDAY, right, 600, SYSTEM)
        door = systems.add_system(
            session, service.desk(session), service.vault, TUESDAY, SYSTEM, customer.id, _door_form()
        )
        return Sol(client, customer.id, people.contact, right.id, door.id)


def _door_form() -> systems.DoorForm:
    return systems.DoorForm(
        platform="asterisk",
        method="ssh",
        host="pbx.clinica-sol.example",
        port="22",
        username="soporte",
        credential_kind="our_key",
        name="Asterisk Sol",
    )


@pytest.fixture
def elena(app: Flask, people: People, sign_in_as: SignIn) -> FlaskClient:
    """The dispatcher's browser."""
    browser = app.test_client()
    sign_in_as(browser, people.elena, Technician)
    return browser


@pytest.fixture
def stranger(app: Flask, service: WebService, people: People, sign_in_as: SignIn) -> FlaskClient:
    """Somebody of another customer."""
    with write(service.sessions) as session:
        other = Customer(
            company="Otra, S.L.", cif="B12345674", zone="Europe/Madrid", created_at=service.clock()
        )
        person = Contact(customer=other, name="Eva", email="eva@otra.example")
        session.add(person)
        session.flush()
        row_id = person.id
    browser = app.test_client()
    sign_in_as(browser, row_id, Contact)
    return browser
