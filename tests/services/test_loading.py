"""A desk filled from one TOML file: what is wrong is named, and loading twice changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from scheduler.actor import SYSTEM
from scheduler.entitlements import grant
from scheduler.operation.loading import DeskFile, LoadingRefused, load, read_file
from scheduler.store.base import Base
from scheduler.store.models import Absence, Customer, Entitlement, Technician
from tests.services.conftest import NOW, SOL, Bench, desk_document

GOOD = """
[desk]
name = "Soporte Levantia"
zone = "Europe/Madrid"
email = "soporte@levantia.example"
phone = "960 000 000"
reseller_phone = "960 000 001"
source_address = "198.51.100.24"
domain = "levantia.example"
own_holidays = [[2026-12-24, "Nochebuena"]]
[desk.hours]
1 = [["09:00", "14:00"], ["15:00", "18:00"]]

[[technicians]]
name = "Marta Ruiz"
email = "marta@levantia.example"
password = "una frase larga de paso"
absences = [{start = 2026-12-01T09:00:00, end = 2026-12-01T12:00:00, reason = "médico"}]

[[customers]]
company = "Clínica Sol, S.L."
cif = "B46100343"
technician = "marta@levantia.example"
contacts = [{name = "Pablo Sol", email = "pablo@sol.example"}]
entitlements = [{kind = "hours", hours = 7.5, valid_from = 2026-01-01}]

[[customers.systems]]
name = "Centralita"
platform = "asterisk"
method = "ssh"
host = "pbx.sol.example"
port = 22
username = "soporte"
"""


def write_file(folder: Path, text: str) -> Path:
    path = folder / "desk.toml"
    path.write_text(text, "utf-8")
    return path


def load_into(bench: Bench, document: dict[str, Any] | DeskFile) -> None:
    file = document if isinstance(document, DeskFile) else DeskFile.model_validate(document)
    with bench.writing() as (session, _):
        load(session, bench.installation, bench.vault, NOW, file)


def test_a_whole_file_is_loaded(bench: Bench, tmp_path: Path) -> None:
    with bench.writing() as (session, _):
        before = {row.cif for row in session.scalars(select(Customer))}
    text = GOOD.replace("B46100343", "B46000220").replace("marta@", "nueva@")
    load_into(bench, read_file(write_file(tmp_path, text)))
    with bench.writing() as (session, desk):
        new = session.scalars(select(Customer).where(Customer.cif.not_in(before))).one()
        right = session.scalars(select(Entitlement).where(Entitlement.customer_id == new.id)).one()
        assert (right.balance_minutes, right.metered) == (450, True)
        person = session.scalars(select(Technician).where(Technician.email == "nueva@levantia.example")).one()
        assert new.technician_id == person.id
        assert person.password_hash is not None
        assert person.password_hash.startswith("$argon2id$")
        away = session.scalars(select(Absence)).one()
        assert away.starts_at.isoformat() == "2026-12-01T08:00:00+00:00"
        assert desk.own_holidays == (("2026-12-24", "Nochebuena"),)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('zone = "Europe/Madrid"', 'zone = "Europe/Atlantis"', "desk.zone"),
        ('email = "soporte@levantia.example"', 'email = "soporte"', "desk.email"),
        ('phone = "960 000 000"', "", "desk.phone"),
        ('name = "Soporte Levantia"', 'name = "X"\nmotto = "Y"', "desk.motto"),
        ('"09:00", "14:00"', '"14:00", "09:00"', "desk.hours"),
        ('"09:00", "14:00"', '"9 h", "14:00"', "desk.hours"),
        ("1 = [[", "8 = [[", "desk.hours"),
        ('cif = "B46100343"', 'cif = "B46100344"', "customers.0.cif"),
        (
            'contacts = [{name = "Pablo Sol", email = "pablo@sol.example"}]',
            "contacts = []",
            "customers.0.contacts",
        ),
        ('kind = "hours"', 'kind = "days"', "customers.0.entitlements.0.kind"),
        ("hours = 7.5", "hours = -1", "customers.0.entitlements.0.hours"),
        ("valid_from = 2026-01-01", 'valid_from = "mañana"', "customers.0.entitlements.0.valid_from"),
        ('platform = "asterisk"', 'platform = "freeswitch"', "customers.0.systems.0.platform"),
        ("port = 22", 'port = "ssh"', "customers.0.systems.0.port"),
        ("[[technicians]]", "[[people]]", "technicians"),
        ("una frase larga de paso", "corta", "technicians.0.password"),
        ("end = 2026-12-01T12", "end = 2026-12-01T08", "technicians.0.absences.0"),
        (', reason = "médico"', "", "technicians.0.absences.0.reason"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in GOOD
    with pytest.raises(LoadingRefused) as refused:
        read_file(write_file(tmp_path, GOOD.replace(old, new, 1)))
    assert named in str(refused.value)
    assert "desk.toml" in str(refused.value)


def test_all_wrong_entries_are_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("B46100343", "B0").replace("Europe/Madrid", "Nowhere")
    with pytest.raises(LoadingRefused, match=r"desk\.zone.*customers\.0\.cif"):
        read_file(write_file(tmp_path, text))


def test_a_wrong_password_is_not_printed(tmp_path: Path) -> None:
    text = GOOD.replace('password = "una frase larga de paso"', "password = 12345")
    with pytest.raises(LoadingRefused) as refused:
        read_file(write_file(tmp_path, text))
    assert "12345" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[desk", "\x00", "= 1"])
def test_what_is_no_toml_or_no_desk_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LoadingRefused, match=r"desk\.toml"):
        read_file(write_file(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadingRefused, match="No such file"):
        read_file(tmp_path / "missing.toml")
    (tmp_path / "latin1.toml").write_bytes(GOOD.encode("latin-1"))
    with pytest.raises(LoadingRefused, match=r"latin1\.toml"):
        read_file(tmp_path / "latin1.toml")


DOOR = {
    "name": "P",
    "platform": "asterisk",
    "method": "rdp",
    "host": "h.example",
    "port": 3389,
    "username": "u",
    "credential_kind": "password",
    "credential": "x",
}


def with_customer(**changed: Any) -> dict[str, Any]:
    document = desk_document()
    document["customers"] = [
        *document["customers"],
        {**document["customers"][0], "cif": "B46000220", **changed},
    ]
    return document


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"technician": "nadie@levantia.example"}, "nadie@levantia.example"),
        ({"systems": [DOOR]}, "systems"),
        ({"systems": [DOOR | {"method": "ssh", "port": 0}]}, "port"),
        ({"systems": [DOOR | {"method": "ssh", "host": "TeamViewer 1"}]}, "TeamViewer"),
        (
            {"systems": [DOOR | {"method": "ssh", "credential_kind": "private_key", "credential": "no"}]},
            "credential",
        ),
    ],
)
def test_what_the_rules_refuse_names_the_customer_and_writes_nothing(
    bench: Bench, changed: dict[str, Any], named: str
) -> None:
    before = everything(bench)
    with pytest.raises(LoadingRefused, match=named) as refused:
        load_into(bench, with_customer(**changed))
    assert "Clínica Sol" in str(refused.value)
    assert everything(bench) == before


def everything(bench: Bench) -> dict[str, int]:
    with bench.database.engine.connect() as connection:
        return {
            table.name: connection.exec_driver_sql(f'SELECT count(*) FROM "{table.name}"').scalar_one()  # noqa: S608 - our own tables
            for table in Base.metadata.sorted_tables
        }


def test_loading_twice_changes_nothing(bench: Bench) -> None:
    before = everything(bench)
    load_into(bench, desk_document())
    load_into(bench, desk_document())
    assert everything(bench) == before


def test_loading_again_keeps_what_people_changed(bench: Bench) -> None:
    with bench.writing() as (session, _):
        customer = session.scalars(select(Customer).where(Customer.cif == SOL)).one()
        right = session.scalars(select(Entitlement).where(Entitlement.customer_id == customer.id)).one()
        grant(session, NOW, right, 60, SYSTEM)
        customer.company = "Clínica Sol Nueva, S.L."
    load_into(bench, desk_document())
    with bench.writing() as (session, _):
        assert session.get_one(Entitlement, right.id).balance_minutes == 660
        assert session.get_one(Customer, customer.id).company == "Clínica Sol Nueva, S.L."


def test_new_customers_and_new_hours_are_added(bench: Bench) -> None:
    document = with_customer(company="Nueva, S.L.", systems=[])
    document["desk"] = document["desk"] | {"phone": "960 111 111", "domain": "otro.example"}
    load_into(bench, document)
    with bench.writing() as (session, desk):
        assert desk.phone == "960 111 111"
        assert desk.domain == "levantia.example", "UIDs already in calendars would change"
        assert session.scalars(select(Customer.company).where(Customer.company == "Nueva, S.L.")).one()
