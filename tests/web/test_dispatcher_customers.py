"""The dispatcher finds customers by name or CIF."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.store.models import Customer
from tests.web.technician_desk import ELENA, NOW, SOL, TechnicianDesk, make_desk


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


@pytest.mark.parametrize("typed", ["clinica", "SOL", "Clínica sol", "sol clin", SOL, SOL.lower(), "100343"])
def test_a_customer_is_found_by_pieces_of_name_or_cif(desk: TechnicianDesk, typed: str) -> None:
    page = desk.browser(ELENA).get(f"/customers?q={typed}").get_data(as_text=True)
    assert "Clínica Sol, S.L." in page
    assert "Óptica Luz" not in page


@pytest.mark.parametrize("typed", ["nadie", "sol luz", "%25_"])
def test_what_nobody_is_called_finds_nobody_or_says_all(desk: TechnicianDesk, typed: str) -> None:
    page = desk.browser(ELENA).get(f"/customers?q={typed}").get_data(as_text=True)
    assert ("No customer matches" in page) == (typed != "%25_")


def test_the_list_is_in_the_order_of_the_alphabet(desk: TechnicianDesk) -> None:
    with desk.writing() as (session, _house):
        for number, company in enumerate(("Transportes Ribera", "ábaco", "Zapatos", "Ñandú")):
            session.add(Customer(company=company, cif=f"X{number}", zone="Europe/Madrid", created_at=NOW))
    page = desk.browser(ELENA).get("/customers").get_data(as_text=True)
    names = ("ábaco", "Clínica Sol", "Ñandú", "Óptica Luz", "Transportes Ribera", "Zapatos")
    places = [page.index(name) for name in names]
    assert places == sorted(places)


def test_long_lists_have_pages(desk: TechnicianDesk) -> None:
    with desk.writing() as (session, _house):
        session.add_all(
            Customer(company=f"Empresa {n:03}", cif=f"X{n}", zone="Europe/Madrid", created_at=NOW)
            for n in range(60)
        )
    browser = desk.browser(ELENA)
    first, second = (browser.get(f"/customers?q=empresa&page={n}").get_data(as_text=True) for n in (1, 2))
    assert "Empresa 000" in first
    assert "page=2" in first
    assert "Empresa 059" not in first
    assert "Empresa 059" in second
    assert "page=3" not in second
