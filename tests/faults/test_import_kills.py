"""Customers come in by the thousand while the desk books and its process is killed: each once, no booking refused."""

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fixtures.served import Installed, valid_cif
from scheduler.actor import SYSTEM
from scheduler.bootstrap import Service
from scheduler.customers import previews
from scheduler.customers.import_runs import Importer
from scheduler.store.engines import read, write
from scheduler.store.models import AuditEntry, Contact, Customer, CustomerImport
from tests.faults.sizes import size

ROWS = size(4_000, 20_000)
BOOKINGS = size(3, 10)


@pytest.fixture
def desk(tmp_path: Path) -> Installed:
    made = Installed(tmp_path)
    made.fill(1, 1)
    return made


def _confirmed(service: Service) -> int:
    lines = (f"{valid_cif(7_000_000 + each)};Empresa {each};c{each}@x.example" for each in range(ROWS))
    file = previews.Upload("x.csv", ("cif;empresa;correo\n" + "\n".join(lines)).encode())
    with write(service.sessions) as session:
        import_id = previews.keep(session, service.clock(), SYSTEM, file, engine=False).id
    assert Importer(service.sessions, service.clock, service.installation).finish(import_id) == "ready"
    with write(service.sessions) as session:
        previews.confirm(session, service.desk(session), service.clock(), SYSTEM, import_id)
    return import_id


def _until(service: Service, import_id: int, least: int, seconds: float = 120) -> CustomerImport:
    """The file's row as soon as so many rows are written."""
    ends = time.monotonic() + seconds
    while True:
        with read(service.sessions) as session:
            row = session.get_one(CustomerImport, import_id)
        if row.done_rows >= least:
            return row
        assert time.monotonic() < ends, f"only {row.done_rows} rows after {seconds} s"
        time.sleep(0.02)


def test_a_desk_books_while_customers_come_in_and_a_kill_loses_none(desk: Installed) -> None:
    service = desk.service()
    import_id = _confirmed(service)
    with desk.serving() as server:
        _until(service, import_id, 1)
        browser, client = desk.browser(desk.clients[0].token), desk.clients[0]
        slots = browser.get("/api/v1/slots?technician=1&kind=maintenance&minutes=30").body["slots"]
        wish = {"access_point": client.access_point, "entitlement": client.entitlement, "minutes": 30}
        answers = [
            browser.post("/api/v1/bookings", wish | {"start_at": slot["start_at"]})
            for slot in slots[:BOOKINGS]
        ]
        assert [answer.status for answer in answers] == [201] * BOOKINGS, answers[0].body
        browser.close()
        server.kill()
    cut = _until(service, import_id, 1)
    assert (cut.state, cut.done_rows < ROWS) == ("writing", True), "it was killed too late to show anything"
    with desk.serving():
        assert _until(service, import_id, ROWS).state == "done"
    with read(service.sessions) as session:
        for table in (Customer, Contact):
            assert session.scalar(select(func.count()).select_from(table)) == 1 + ROWS
        ends = select(AuditEntry).where(AuditEntry.action == "customer.import_done")
        assert [entry.facts["new"] for entry in session.scalars(ends)] == [ROWS]
    service.close()
