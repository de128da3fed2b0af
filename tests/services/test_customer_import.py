"""Customers from CSV files as offices make them: what is shown is what is written, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from fixtures.served import valid_cif
from scheduler.actor import Actor
from scheduler.customers import import_turns, importing, previews
from scheduler.customers.csv_reading import MOST_ROWS, decode, rows
from scheduler.customers.import_runs import Importer
from scheduler.customers.importing import Planned
from scheduler.operation import upkeep
from scheduler.rules.refusals import InvalidInput, NotAllowed
from scheduler.store.models import AuditEntry, Contact, Customer, CustomerImport, ImportFile, ImportPortion
from tests.faults.sizes import size
from tests.services.conftest import LUZ, NOW, SOL, Bench
from tests.services.customer_desk import ELENA, count

HEADING = "Empresa;CIF;Contacto;Correo;Tel\u00e9fono;Idioma;T\u00e9cnico\n"
NUNEZ = "Ferreter\u00eda N\u00fa\u00f1ez;B12345674;Ana;ana@nunez.example;961;en;marta@levantia.example\n"


def importer(bench: Bench) -> Importer:
    return Importer(bench.database.sessions, lambda: bench.now, bench.installation)


def upload(bench: Bench, content: bytes) -> dict[str, Any]:
    """Kept and planned."""
    kept = previews.Upload("x.csv", content)
    with bench.writing() as (session, _):
        import_id = previews.keep(session, NOW, ELENA, kept, engine=False).id
    assert importer(bench).finish(import_id) == "ready"
    return {"id": import_id, **counts(bench, import_id)}


def counts(bench: Bench, import_id: int) -> dict[str, int]:
    with bench.writing() as (session, _):
        return dict(previews.preview(session, import_id).counts)


def confirm(bench: Bench, import_id: int) -> dict[str, int]:
    """Confirmed and written."""
    with bench.writing() as (session, desk):
        previews.confirm(session, desk, NOW, ELENA, import_id, engine=False)
    assert importer(bench).finish(import_id) == "done"
    return counts(bench, import_id)


def problems(bench: Bench, import_id: int) -> list[tuple[int, str | None, str]]:
    """Line, column and why of what was left out."""
    with bench.writing() as (session, _):
        rows_: list[Planned] = list(previews.planned(session, import_id))
    return [(row.line, row.problem.field, row.problem.problem) for row in rows_ if row.problem]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_encodings_and_delimiters_of_offices_are_read(bench: Bench, encoding: str, delimiter: str) -> None:
    content = (HEADING + NUNEZ).replace(";", delimiter).replace("\n", "\r\n").encode(encoding)
    found = upload(bench, content)
    assert (found["new"], found["refused"]) == (1, 0)
    assert count(bench, Customer) == 3, "a preview writes no customer"
    confirm(bench, found["id"])
    with bench.writing() as (session, _):
        row = session.scalars(select(Customer).where(Customer.cif == "B12345674")).one()
        assert (row.company, row.locale, row.technician_id) == ("Ferreter\u00eda N\u00fa\u00f1ez", "en", 1)
        assert (row.contacts[0].email, row.search_key) == ("ana@nunez.example", "ferreteria nunez b12345674")
    assert upload(bench, content)["unchanged"] == 1, "again it changes nothing"


def test_a_change_is_shown_and_written_and_the_rest_stays(bench: Bench) -> None:
    found = upload(bench, f"cif,company,name,email\n{SOL},Nueva Sol,Eva,eva@sol.example\n".encode())
    assert found["changed"] == 1
    confirm(bench, found["id"])
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


def test_customers_that_changed_since_the_preview_are_named_and_not_overwritten(bench: Bench) -> None:
    file = f"cif;empresa;contacto;correo\n{SOL};Sol Nueva;;\n{LUZ};Luz Nueva;Eva;eva@luz.example\nB12345674;N;;\n"
    found = upload(bench, file.encode())
    assert (found["changed"], found["new"]) == (2, 1)
    with bench.writing() as (session, _):
        session.scalars(select(Customer).where(Customer.cif == SOL)).one().company = "Sol Otra"
        session.add(Customer(company="Otra", cif="B12345674", zone="Europe/Madrid", created_at=NOW))
    done = confirm(bench, found["id"])
    assert (done["changed"], done["new"], done["conflict"]) == (1, 0, 2)
    why = "changed_since_preview"
    assert problems(bench, found["id"]) == [(2, "company", why), (4, "cif", why)]
    with bench.writing() as (session, _):
        names = {row.cif: row.company for row in session.execute(select(Customer.cif, Customer.company))}
        assert (names[SOL], names[LUZ], names["B12345674"]) == ("Sol Otra", "Luz Nueva", "Otra")
    assert confirm(bench, found["id"]) == done, "a second click writes nothing more"


def test_a_person_changed_since_the_preview_keeps_the_whole_row_out(bench: Bench) -> None:
    first = upload(bench, f"cif;empresa;contacto;correo\n{SOL};Sol;Eva;eva@sol.example\n".encode())
    confirm(bench, first["id"])
    again = upload(bench, f"cif;empresa;contacto;correo\n{SOL};Sol Dos;Eva Dos;eva@sol.example\n".encode())
    with bench.writing() as (session, _):
        session.scalars(select(Contact).where(Contact.email == "eva@sol.example")).one().name = "Eva Tres"
    assert confirm(bench, again["id"])["conflict"] == 1
    with bench.writing() as (session, _):
        assert session.scalars(select(Customer.company).where(Customer.cif == SOL)).one() == "Sol"
        people = session.scalars(select(Contact.name).where(Contact.email == "eva@sol.example"))
        assert people.all() == ["Eva Tres"]


def many(first: int, number: int) -> bytes:
    lines = [
        f"{valid_cif(7_000_000 + each)};Empresa {each};c{each}@x.example" for each in range(first, number)
    ]
    return ("cif;empresa;correo\n" + "\n".join(lines) + "\n").encode()


def test_two_at_one_file_write_each_row_once(bench: Bench) -> None:
    found = upload(bench, many(0, 1000))
    with bench.writing() as (session, desk):
        previews.confirm(session, desk, NOW, ELENA, found["id"], engine=False)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: importer(bench).finish(found["id"]), range(2)))
    importer(bench).finish(found["id"])
    assert counts(bench, found["id"]) == dict.fromkeys(importing.FATES, 0) | {"new": 1000}
    assert count(bench, Customer) == 3 + 1000
    with bench.writing() as (session, _):
        done = select(AuditEntry).where(AuditEntry.action == "customer.import_done")
        assert len(session.scalars(done).all()) == 1


def test_the_engine_plans_and_writes_in_turns_and_takes_over_from_the_dead(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.customers.import_runs.TURN_SECONDS", 0.0)
    with bench.writing() as (session, _):
        id_ = previews.keep(session, NOW, ELENA, previews.Upload("x.csv", many(0, 500))).id
    assert bench.wakes == [(import_turns.KIND, id_, 0, NOW)]
    assert [importer(bench).run(id_, 0) for _ in range(4)] == [NOW, NOW, None, None]
    with bench.writing() as (session, desk):
        previews.confirm(session, desk, NOW, ELENA, id_)
        assert list(import_turns.overdue(session, NOW)) == [(id_, 1, NOW)]
    assert importer(bench).run(id_, 1) == NOW
    with bench.writing() as (session, _):  # as one leaves it who dies between two portions
        previews.preview(session, id_).due_at = NOW + import_turns.LEASE
    assert importer(bench).run(id_, 1) == NOW + import_turns.LEASE
    bench.now = NOW + import_turns.LEASE
    assert importer(bench).run(id_, 1) == bench.now
    assert importer(bench).run(id_, 1) is None
    assert counts(bench, id_)["new"] == 500


def test_a_customer_may_not_import(bench: Bench) -> None:
    kept = previews.Upload("x.csv", many(0, 1))
    with bench.writing() as (session, _), pytest.raises(NotAllowed):
        previews.keep(session, NOW, Actor("technician", 1, "Marta"), kept)


def test_a_file_of_spreadsheet_bytes_is_text() -> None:
    assert decode("a\u20ac".encode("cp1252")) == "a\u20ac"


ROWS = size(gate=2_000, release=100_000)


def test_a_file_of_very_many_rows_is_shown_and_written_whole(bench: Bench) -> None:
    """A hundred thousand at the size of a release."""
    twice = f"{valid_cif(7_000_000)};Otra vez;x@x.example\n".encode()
    found = upload(bench, many(0, ROWS) + twice)
    assert (found["new"], found["refused"]) == (ROWS, 1)
    assert problems(bench, found["id"]) == [(ROWS + 2, "cif", "cif_twice")]
    assert confirm(bench, found["id"])["new"] == ROWS
    assert count(bench, Customer) == 3 + ROWS


def test_a_hundred_thousand_rows_are_read_and_twice_that_is_the_end() -> None:
    line = "Empresa;B12345674\n"
    assert sum(1 for _ in rows("empresa;cif\n" + line * 100_000)) == 100_000
    with pytest.raises(InvalidInput) as caught:
        list(rows("empresa;cif\n" + line * (MOST_ROWS + 1)))
    assert caught.value.problem == "too_many_rows"
    assert f"maximum={MOST_ROWS}" in str(caught.value)


@pytest.mark.parametrize("confirmed", [True, False])
def test_what_was_brought_is_forgotten_after_thirty_days(bench: Bench, confirmed: bool) -> None:
    old = upload(bench, many(0, 3))["id"]
    if confirmed:
        confirm(bench, old)
    bench.now = NOW + previews.KEPT
    upkeep.forget(bench.database.sessions, lambda: bench.now)
    assert (count(bench, CustomerImport), count(bench, ImportPortion)) == (1, 1)
    bench.now += timedelta(seconds=1)
    upkeep.forget(bench.database.sessions, lambda: bench.now)
    assert [count(bench, each) for each in (CustomerImport, ImportPortion, ImportFile)] == [0, 0, 0]
    assert count(bench, Customer) == (6 if confirmed else 3), "customers stay"
    with bench.writing() as (session, _):
        noted = select(AuditEntry).where(AuditEntry.action == "customer.import")
        assert len(session.scalars(noted).all()) == int(confirmed)


def test_an_import_under_way_is_not_forgotten(bench: Bench) -> None:
    with bench.writing() as (session, _):
        previews.keep(session, NOW, ELENA, previews.Upload("x.csv", many(0, 3)))
    upkeep.forget(bench.database.sessions, lambda: NOW + 10 * previews.KEPT)
    assert count(bench, ImportFile) == 1
