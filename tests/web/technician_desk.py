"""A desk with sessions, over the really assembled service: what the tests of the technician's pages work with."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from fixtures import databases
from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.bootstrap import Service, build
from scheduler.context import DeskContext
from scheduler.operation.loading import DeskFile, load
from scheduler.settings import Settings
from scheduler.store.engines import read, write
from scheduler.store.models import (
    AccessPoint,
    Booking,
    Check,
    CheckStep,
    Contact,
    Customer,
    Entitlement,
    Technician,
)
from web import security
from web.app import create_app

NOW = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
"""Tuesday 24 November 2026, 10:10 in Madrid."""
MARTA, JORDI, ELENA = "marta@levantia.example", "jordi@levantia.example", "elena@levantia.example"
PASSWORD = "una clave larga"
SOL, PONS, LUZ = "B46100343", "B12100517", "B46100731"
"""Customers: our key by SSH and ten hours; a password by SSH and maintenance; a password by RDP and maintenance."""
ENTRUSTED = "s3creto-del-cliente"
HOURS = {str(day): [("09:00", "14:00"), ("15:00", "18:00")] for day in range(1, 5)} | {
    "5": [("09:00", "15:00")]
}


@dataclass
class Clock:
    """A clock that a test moves by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class TechnicianDesk:
    """The service, its pages, and short ways to fill and ask them."""

    service: Service
    clock: Clock
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.service)
        self.app.testing = True

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, DeskContext]]:
        """One transaction with its desk."""
        with write(self.service.sessions) as session:
            yield session, self.service.desk(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One snapshot."""
        with read(self.service.sessions) as session:
            yield session

    def book(self, cif: str, start: datetime, minutes: int = 60, **changed: Any) -> int:
        """A confirmed session of the customer's technician, however near; returns its id."""
        with self.writing() as (session, desk):
            customer = session.scalars(select(Customer).where(Customer.cif == cif)).one()
            door = session.scalars(
                select(AccessPoint).where(AccessPoint.system.has(customer_id=customer.id))
            ).one()
            right = session.scalars(select(Entitlement).where(Entitlement.customer_id == customer.id)).one()
            wish: dict[str, Any] = {
                "access_point_id": door.id,
                "entitlement_id": right.id,
                "starts_at": start,
                "minutes": minutes,
                "zone": "Europe/Madrid",
                "technician_id": customer.technician_id,
                "description": "Las llamadas se cortan.",
                "override_reason": "Centralita parada, lo pide el cliente.",
            }
            request = bookings.BookingRequest(**(wish | changed))
            return bookings.book(session, desk, min(self.clock.now, start), SYSTEM, request).id

    def row(self, booking_id: int) -> Booking:
        """The session as it stands, with what pages read of it."""
        with self.reading() as session:
            return session.get_one(Booking, booking_id)

    def checked(
        self, booking_id: int, verdict: str, code: str | None, *steps: tuple[str, str, str | None]
    ) -> None:
        """The session's first planned check has run: steps as (name, outcome, code)."""
        with self.writing() as (session, _desk):
            query = (
                select(Check)
                .where(Check.booking_id == booking_id, Check.state == "planned")
                .order_by(Check.due_at)
            )
            check = session.scalars(query).first()
            assert check is not None
            check.state, check.verdict, check.code = "done", verdict, code
            check.started_at = check.finished_at = self.clock.now - timedelta(minutes=5)
            for position, (name, outcome, step_code) in enumerate(steps):
                facts = {"fingerprint": "SHA256:abc"} if name == "host_key" else {}
                check.steps.append(
                    CheckStep(
                        position=position, name=name, outcome=outcome, code=step_code, facts=facts, ms=20
                    )
                )
            booking = session.get_one(Booking, booking_id)
            booking.verdict, booking.verdict_code, booking.checked_at = verdict, code, self.clock.now

    def person(self, email: str) -> int:
        """The technician's id."""
        with self.reading() as session:
            return session.scalars(select(Technician.id).where(Technician.email == email)).one()

    def browser(self, email: str | None = None) -> "Browser":
        """A browser in which this technician is signed in; nobody without an address."""
        client = self.app.test_client()
        client.set_cookie("lang", "en")
        if email:
            self._sign_in(client, Technician, email)
        return Browser(client)

    def customer_browser(self) -> "Browser":
        """A browser in which somebody of a customer is signed in."""
        client = self.app.test_client()
        client.set_cookie("lang", "en")
        with self.reading() as session:
            email = session.scalars(select(Contact.email).order_by(Contact.id)).first()
        assert email
        self._sign_in(client, Contact, email)
        return Browser(client)

    def _sign_in(self, client: FlaskClient, kind: type[Technician] | type[Contact], email: str) -> None:
        with self.app.test_request_context(), write(self.service.sessions) as session:
            person = session.scalars(select(kind).where(kind.email == email)).one()
            assert isinstance(person, Technician | Contact)
            security.sign_in(session, person, self.clock.now)
            response = self.app.process_response(self.app.make_response(""))
        for cookie in response.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            client.set_cookie(name, value)


@dataclass
class Browser:
    """A browser that sends the form token along, as a form of the last page would."""

    client: FlaskClient
    _token: str = ""

    def get(self, path: str) -> TestResponse:
        """GET; keeps the page's form token."""
        response = self.client.get(path)
        found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', response.get_data(as_text=True))
        self._token = found.group(1) if found else self._token
        return response

    def post(self, path: str, **form: object) -> TestResponse:
        """POST a form; the sign-in page gives a token when no other page has."""
        if not self._token:
            self.get("/agenda" if self.client.get("/agenda").status_code == 200 else "/sign-in")
        return self.client.post(path, data={"csrf_token": self._token, **form})


def make_desk(folder: Path, template: Path, **settings: Any) -> TechnicianDesk:
    """A desk of two technicians, a dispatcher and three customers in a folder of its own."""
    databases.copy_file(template, folder / "ventana.db")
    clock = Clock()
    made = build(Settings(folder=folder, base_url="http://localhost/", **settings), clock)  # type: ignore[arg-type]
    # Nothing wakes here: no engine runs, and its tables are not in the template.
    made.sessions.configure(info={})
    with write(made.sessions) as session:
        load(session, made.installation, made.vault, NOW, DeskFile.model_validate(_document()))
    return TechnicianDesk(made, clock)


def _document() -> dict[str, Any]:
    return {
        "desk": {
            "name": "Soporte Levantia",
            "zone": "Europe/Madrid",
            "email": "soporte@levantia.example",
            "phone": "960 000 000",
            "reseller_phone": "960 000 001",
            "source_address": "198.51.100.24",
            "domain": "levantia.example",
            "hours": HOURS,
            "holiday_region": "VC",
        },
        "technicians": [
            {"name": "Marta Ruiz", "email": MARTA, "password": PASSWORD},
            {"name": "Jordi Soler", "email": JORDI},
            {
                "name": "Elena Campos",
                "email": ELENA,
                "role": "dispatcher",
                "skills": [],
                "password": PASSWORD,
            },
        ],
        "customers": _customers(),
    }


def _customers() -> list[dict[str, Any]]:
    return [
        _customer("Clínica Sol, S.L.", SOL, {"kind": "hours", "hours": 10}, {}),
        _customer(
            "Gestoría Pons, S.L.",
            PONS,
            {"kind": "maintenance"},
            {"credential_kind": "password", "credential": ENTRUSTED},
        ),
        _customer(
            "Óptica Luz, S.L.",
            LUZ,
            {"kind": "maintenance"},
            {
                "platform": "3cx",
                "method": "rdp",
                "port": 3389,
                "credential_kind": "password",
                "credential": ENTRUSTED,
            },
        ),
    ]


def _customer(company: str, cif: str, right: dict[str, Any], door: dict[str, Any]) -> dict[str, Any]:
    usual = {
        "name": f"Central {cif[-3:]}",
        "platform": "asterisk",
        "method": "ssh",
        "host": "pbx.example.com",
        "port": 2222,
        "username": "soporte",
    }
    return {
        "company": company,
        "cif": cif,
        "technician": MARTA,
        "contacts": [
            {"name": f"Persona {cif[-3:]}", "email": f"a@{cif.lower()}.example", "phone": "960 000 002"}
        ],
        "entitlements": [{"valid_from": "2026-01-01", **right}],
        "systems": [usual | door],
    }
