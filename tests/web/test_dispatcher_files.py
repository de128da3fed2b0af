"""A file of customers, a merge and the audit log at the browser."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from scheduler.store.models import Customer
from tests.web.technician_desk import ELENA, PONS, SOL, Browser, TechnicianDesk, make_desk

CSV = "empresa;cif\n" + "x" * 100 + ";B12345674\nMal;B12345678\n"


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def upload(browser: Browser, content: bytes) -> TestResponse:
    browser.get("/customers/import")
    return browser.post("/customers/import", file=(io.BytesIO(content), "clientes.csv"))


def test_a_file_is_shown_then_written(desk: TechnicianDesk) -> None:
    browser = desk.browser(ELENA)
    # More than a form of text may hold: the blank lines change nothing.
    answer = upload(browser, (CSV + "\n" * 100_000).encode())
    assert answer.status_code == 303
    where = answer.headers["Location"]
    page = browser.get(where).get_data(as_text=True)
    assert re.search(r"<b>1</b> new", page)
    assert "its control character does not match" in page
    assert "B12345678" in browser.get(f"{where}/rows.csv").get_data(as_text=True)
    with desk.reading() as session:
        assert session.scalar(select(Customer).where(Customer.cif == "B12345674")) is None
    assert browser.post(f"{where}/confirm").status_code == 303
    assert "All of it is written" in browser.get(where).get_data(as_text=True)
    with desk.reading() as session:
        assert session.scalar(select(Customer).where(Customer.cif == "B12345674"))


def test_a_file_that_is_none_is_said_at_its_field(desk: TechnicianDesk) -> None:
    answer = upload(desk.browser(ELENA), b"empresa|cif\nUno|B12345674\n")
    assert answer.status_code == 422
    assert "Part the columns by semicolon" in answer.get_data(as_text=True)


def test_two_customers_become_one(desk: TechnicianDesk) -> None:
    browser = desk.browser(ELENA)
    with desk.reading() as session:
        ids = {cif: id_ for cif, id_ in session.execute(select(Customer.cif, Customer.id))}  # noqa: C416
    source, target = ids[SOL], ids[PONS]
    page = browser.get(f"/customers/{source}/merge?into={target}").get_data(as_text=True)
    assert "It cannot be undone" in page
    answer = browser.post(f"/customers/{source}/merge", into=target)
    assert answer.headers["Location"] == f"/customers/{target}"
    assert browser.get(f"/customers/{source}").headers["Location"] == f"/customers/{target}"
    assert browser.post(f"/customers/{target}/merge", into=target).status_code == 422
    log = browser.get("/audit?what=customer.merge&check=1").get_data(as_text=True)
    assert "customer.merge" in log
    assert "Intact until" in log
    assert "customer.merge" in browser.get("/audit.csv?what=customer.merge").get_data(as_text=True)
    assert browser.get("/audit?from=nonsense").status_code == 422
    assert "No entry matches" in browser.get("/audit?who=nobody").get_data(as_text=True)
