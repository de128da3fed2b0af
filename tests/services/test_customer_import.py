"""Customers from CSV files as offices make them: what is shown is what is written, once."""

from typing import Any

import pytest
from sqlalchemy import func, select

from scheduler.customers import importing, previews
from scheduler.customers.csv_reading import decode, rows
from scheduler.rules.refusals import InvalidInput
from scheduler.store.models import Contact, Customer, CustomerImport
from tests.services.conftest import NOW, SOL, Bench
from tests.services.customer_desk import ELENA, count

HEADING = "Empresa;CIF;Contacto;Correo;Tel\u00e9fono;Idioma;T\u00e9cnico\n"
NUNEZ = "Ferreter\u00eda N\u00fa\u00f1ez;B12345674;Ana;ana@nunez.example;961;en;marta@levantia.example\n"


def upload(bench: Bench, content: bytes) -> dict[str, Any]:
    with bench.writing() as (session, desk):
        row = previews.upload(session, desk, NOW, ELENA, "x.csv", content)
        return {"id": row.id, **row.counts}


def confirm(bench: Bench, import_id: int) -> bool:
    with bench.writing() as (session, desk):
        return previews.confirm(session, desk, NOW, ELENA, import_id) is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_encodings_and_delimiters_of_offices_are_read(bench: Bench, encoding: str, delimiter: str) -> None:
    content = (HEADING + NUNEZ).replace(";", delimiter).replace("\n", "\r\n").encode(encoding)
    found = upload(bench, content)
    assert (found["new"], found["refused"]) == (1, 0)
    assert count(bench, Customer) == 3, "a preview writes no customer"
    assert confirm(bench, found["id"])
    with bench.writing() as (session, _):
        row = session.scalars(select(Customer).where(Customer.cif == "B12345674")).one()
        assert (row.company, row.locale, row.technician_id) == ("Ferreter\u00eda N\u00fa\u00f1ez", "en", 1)
        assert (row.contacts[0].email, row.search_key) == ("ana@nunez.example", "ferreteria nunez b12345674")
    assert upload(bench, content)["unchanged"] == 1, "again it changes nothing"


def test_a_change_is_shown_and_written_and_the_rest_stays(bench: Bench) -> None:
    found = upload(bench, f"cif,company,name,email\n{SOL},Nueva Sol,Eva,eva@sol.example\n".encode())
    assert found["changed"] == 1
    assert confirm(bench, found["id"])
    with bench.writing() as (session, _):
        row = session.scalars(select(Customer).where(Customer.cif == SOL)).one()
        assert (row.company, row.technician_id, len(row.contacts)) == ("Nueva Sol", 1, 2)


def test_each_wrong_row_is_named_with_line_and_column(bench: Bench) -> None:
    body = (
        "Uno;B12345678\nDos;B12345674\nTres;B12345674\n;B46100343\n\nCinco;B46100731;x\n"
        '"Seis\nlinea";B12100517\n'
    )
    text = "empresa;cif\n" + body
    with bench.writing() as (session, desk):
        planned = list(importing.plan(session, rows(text), desk.zone.key))
    said = [(p.line, p.fate, p.problem and (p.problem.field, p.problem.problem)) for p in planned]
    assert said == [
        (2, "refused", ("cif", "not_a_cif")),
        (3, "new", None),
        (4, "refused", ("cif", "cif_twice")),
        (5, "refused", ("company", "required")),
        (7, "refused", ("row", "too_many_cells")),
        (8, "refused", ("company", "control_characters")),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "file_empty"),
        (b"empresa;cif\n", "file_empty"),
        (b"empresa|cif\nUno|B12345674\n", "one_column"),
        (b"empresa;telefono\nUno;1\n", "missing_columns"),
        (b"empresa;company;cif\nUno;Uno;B12345674\n", "column_twice"),
        (b'empresa;cif\n"Uno;B12345674\n', "not_a_csv"),
        (b"PK\x03\x04\0\0binary", "not_a_csv"),
        (b"x" * (10 * 1024 * 1024 + 1), "file_too_large"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(bench: Bench, content: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        upload(bench, content)
    assert (caught.value.field, caught.value.problem) == ("file", problem)
    assert count(bench, CustomerImport) == 0


def test_customers_that_changed_since_the_preview_are_shown_anew(bench: Bench) -> None:
    found = upload(bench, (HEADING + NUNEZ).encode())
    with bench.writing() as (session, _):
        session.add(Customer(company="Otra", cif="B12345674", zone="Europe/Madrid", created_at=NOW))
    assert not confirm(bench, found["id"])
    with bench.writing() as (session, _):
        row = session.get_one(CustomerImport, found["id"])
        assert (row.stale, row.state, row.counts["changed"]) == (True, "ready", 1)
        assert session.scalar(select(func.count()).where(Contact.email == "ana@nunez.example")) == 0
    assert confirm(bench, found["id"])
    assert confirm(bench, found["id"]), "a second click writes nothing more"


def test_a_file_of_spreadsheet_bytes_is_text() -> None:
    assert decode("a\u20ac".encode("cp1252")) == "a\u20ac"
