"""A desk loaded from a document, on each database, with a clock that a test moves by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.bootstrap import read_conditions
from scheduler.context import DeskContext, Installation, Keys, load_desk
from scheduler.operation.loading import DeskFile, load
from scheduler.store.engines import write
from scheduler.store.models import AccessPoint, Customer, Entitlement, Technician
from scheduler.store.vault import Vault

NOW = datetime(2026, 11, 24, 9, 10, tzinfo=UTC)
"""Tuesday 24 November 2026, 10:10 in Madrid; the earliest bookable instant is Wednesday 10:10."""
HOURS = {str(day): [("09:00", "14:00"), ("15:00", "18:00")] for day in range(1, 5)} | {
    "5": [("09:00", "15:00")]
}


@dataclass
class Bench:
    """What a test of a service works with."""

    database: Database
    installation: Installation
    vault: Vault
    now: datetime = NOW
    wakes: list[tuple[str, int, int, datetime]] = field(default_factory=list)

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, DeskContext]]:
        """One transaction with its desk."""
        with write(self.database.sessions) as session:
            session.info["waker"] = lambda _, *asked: self.wakes.append(asked)
            yield session, load_desk(session, self.installation)

    def request(self, session: Session, cif: str, start: datetime, **changed: Any) -> bookings.BookingRequest:
        """A wish of the customer with this CIF, with their first door and right."""
        customer = session.scalars(select(Customer).where(Customer.cif == cif)).one()
        door = next(p for p in session.scalars(select(AccessPoint)) if p.system.customer_id == customer.id)
        right = session.scalars(select(Entitlement).where(Entitlement.customer_id == customer.id)).first()
        assert right is not None
        wish: dict[str, Any] = {
            "access_point_id": door.id,
            "entitlement_id": right.id,
            "starts_at": start,
            "minutes": 60,
            "zone": "Europe/Madrid",
        }
        return bookings.BookingRequest(**(wish | changed))

    def customer(self, session: Session, cif: str) -> Actor:
        """The customer's first contact as the one who acts."""
        row = session.scalars(select(Customer).where(Customer.cif == cif)).one()
        return Actor("customer", row.contacts[0].id, row.contacts[0].name, row.id)

    def technician(self, session: Session, name: str = "Marta Ruiz") -> Actor:
        """A technician who acts."""
        row = session.scalars(select(Technician).where(Technician.name == name)).one()
        return Actor("technician", row.id, row.name)


SOL, PONS, LUZ = "B46100343", "B12100517", "B46100731"


def desk_document(**changed: Any) -> dict[str, Any]:
    """A desk with two technicians; Sol has ten hours, Pons maintenance, Luz a purchase."""
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
            {"name": "Marta Ruiz", "email": "marta@levantia.example"},
            {"name": "Jordi Soler", "email": "jordi@levantia.example", "skills": ["asterisk"]},
            {"name": "Elena Campos", "email": "elena@levantia.example", "role": "dispatcher", "skills": []},
        ],
        "customers": [
            _customer("Clínica Sol, S.L.", SOL, {"kind": "hours", "hours": 10, "valid_from": "2026-01-01"}),
            _customer("Gestoría Pons, S.L.", PONS, {"kind": "maintenance", "valid_from": "2026-01-01"}),
            _customer(
                "Óptica Luz, S.L.",
                LUZ,
                {"kind": "purchase", "valid_from": "2026-11-10", "bought_on": "2026-11-10", "serial": "GX-1"},
            ),
        ],
    } | changed


def _customer(company: str, cif: str, right: dict[str, Any]) -> dict[str, Any]:
    return {
        "company": company,
        "cif": cif,
        "technician": "marta@levantia.example",
        "contacts": [{"name": f"Persona de {company}", "email": f"a@{cif.lower()}.example"}],
        "entitlements": [right],
        "systems": [
            {
                "name": f"PBX {cif}",
                "platform": "asterisk",
                "method": "ssh",
                "host": "pbx.example.com",
                "port": 22,
                "username": "soporte",
            }
        ],
    }


@pytest.fixture
def bench(database: Database) -> Bench:
    """The desk of `desk_document`, loaded."""
    return make_bench(database)


def make_bench(database: Database, **changed: Any) -> Bench:
    """A bench on this database."""
    keys = Keys(link=b"link" * 8, feed=b"feed" * 8, audit=b"audit" * 8, web=b"web" * 8)
    installation = Installation(read_conditions(None), keys, "https://soporte.example")
    made = Bench(database, installation, Vault([b"k" * 32]))
    with write(database.sessions) as session:
        load(session, installation, made.vault, NOW, DeskFile.model_validate(desk_document(**changed)))
    return made


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026 on Madrid's clock (UTC+1 then)."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)
