"""Doors into customers' PBXs: what a form may say, and where the credential goes."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from fixtures.databases import Database
from scheduler.checks import pins
from scheduler.checks.targets import Doors
from scheduler.doors import systems
from scheduler.rules import refusals
from scheduler.rules.secret import Secret
from scheduler.store.models import AccessPoint, AuditEntry, Customer, CustomerKey, PinnedIdentity, System
from tests.services.conftest import NOW, PONS, SOL, Bench

CANARY = "canario-7f3a9c1e-no-debe-verse"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFJ5sY3nCqkXvTtXq0r1vXHc0WmPoa3HjB3hIn1wJm7k"


def form(**changed: object) -> systems.DoorForm:
    values: dict[str, object] = {
        "platform": "asterisk",
        "method": "ssh",
        "host": "pbx.cliente.example",
        "port": "22",
        "username": "soporte",
        "credential_kind": "our_key",
    }
    return systems.DoorForm(**(values | changed))  # type: ignore[arg-type]


def add(bench: Bench, wanted: systems.DoorForm, cif: str = SOL) -> int:
    with bench.writing() as (session, desk):
        actor = bench.customer(session, cif)
        assert actor.customer_id is not None
        return systems.add_system(session, desk, bench.vault, NOW, actor, actor.customer_id, wanted).id


def change(bench: Bench, point_id: int, wanted: systems.DoorForm, cif: str = SOL) -> None:
    with bench.writing() as (session, desk):
        systems.change_door(session, desk, bench.vault, NOW, bench.customer(session, cif), point_id, wanted)


def secret_of(bench: Bench, point_id: int) -> str | None:
    with bench.writing() as (session, _):
        opened = Doors(bench.vault).secret_of(session, session.get_one(AccessPoint, point_id))
        return opened.reveal() if opened else None


@pytest.mark.parametrize("port", ["0", "70000", "-1", "22a", "٢٢", "2" * 40, " ", "22.0"])
def test_a_port_that_is_none_is_named(bench: Bench, port: str) -> None:
    with pytest.raises(refusals.InvalidInput) as refused:
        add(bench, form(port=port))
    assert refused.value.field == "port"
    with bench.writing() as (session, _):
        assert session.scalar(select(func.count()).select_from(System)) == 3


@pytest.mark.parametrize(("method", "port"), [("ssh", 22), ("vnc", 5900), ("web", 5001), ("rdp", 3389)])
def test_an_empty_port_is_the_methods_own(bench: Bench, method: str, port: int) -> None:
    platform = "asterisk" if method == "ssh" else "3cx"
    wanted = form(
        method=method, port="", platform=platform, credential_kind="password", credential=Secret(CANARY)
    )
    with bench.writing() as (session, desk):
        if method not in desk.conditions.methods[platform]:
            pytest.skip(f"the conditions do not accept {method} for {platform}")
    point = add(bench, wanted)
    with bench.writing() as (session, _):
        assert session.get_one(AccessPoint, point).port == port


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"host": "TeamViewer 123 456 789"}, refusals.ToolNotAccepted),
        ({"host": "t e a m v i e w e r"}, refusals.ToolNotAccepted),
        ({"name": "Centralita por AnyDesk"}, refusals.ToolNotAccepted),
        ({"method": "rdp", "credential_kind": "password"}, refusals.MethodNotAccepted),
        ({"method": "telnet"}, refusals.MethodNotAccepted),
        ({"platform": "freeswitch"}, refusals.InvalidInput),
        ({"credential_kind": "smoke"}, refusals.InvalidInput),
        ({"platform": "3cx", "method": "rdp", "credential_kind": "our_key"}, refusals.InvalidInput),
        ({"host": ""}, refusals.InvalidInput),
        ({"host": "pbx example"}, refusals.InvalidInput),
        ({"host": "http://pbx.example/"}, refusals.InvalidInput),
        ({"host": "pbx\x00.example"}, refusals.InvalidInput),
        ({"username": ""}, refusals.InvalidInput),
        ({"username": "a\nb"}, refusals.InvalidInput),
        ({"username": "x" * 65}, refusals.InvalidInput),
        ({"credential_kind": "password"}, refusals.InvalidInput),
        ({"credential_kind": "password", "credential": Secret("")}, refusals.InvalidInput),
        ({"credential_kind": "password", "credential": Secret("x" * 16_385)}, refusals.InvalidInput),
        ({"credential_kind": "private_key", "credential": Secret("no es una clave")}, refusals.InvalidInput),
    ],
)
def test_forms_that_are_refused_write_nothing(
    bench: Bench, changed: dict[str, object], refusal: type[refusals.Refusal]
) -> None:
    with pytest.raises(refusal):
        add(bench, form(**changed))
    with bench.writing() as (session, _):
        assert session.scalar(select(func.count()).select_from(System)) == 3


def test_rdp_for_asterisk_says_what_is_accepted(bench: Bench) -> None:
    with pytest.raises(refusals.MethodNotAccepted) as refused:
        add(bench, form(method="rdp", credential_kind="password", credential=Secret(CANARY)))
    assert list(refused.value.facts["accepted"]) == ["ssh"]


@pytest.fixture(scope="module")
def locked_key() -> str:
    """A private key with a passphrase."""
    locked = serialization.BestAvailableEncryption(b"frase")
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    )
    return pem.decode()


def test_a_key_with_a_passphrase_is_refused_while_somebody_can_export_it_again(
    bench: Bench, locked_key: str
) -> None:
    with pytest.raises(refusals.InvalidInput) as refused:
        add(bench, form(credential_kind="private_key", credential=Secret(locked_key)))
    assert (refused.value.field, refused.value.facts["problem"]) == ("credential", "passphrase")


def test_our_key_is_made_once_for_a_customer(bench: Bench) -> None:
    first, second = add(bench, form()), add(bench, form(host="otra.cliente.example"))
    assert secret_of(bench, first) == secret_of(bench, second)
    assert "OPENSSH PRIVATE KEY" in (secret_of(bench, first) or "")
    other = add(bench, form(), cif=PONS)
    assert secret_of(bench, other) != secret_of(bench, first)


def test_the_credential_is_nowhere_in_the_database(bench: Bench) -> None:
    point = add(bench, form(credential_kind="password", credential=Secret(CANARY)))
    assert secret_of(bench, point) == CANARY
    key = secret_of(bench, add(bench, form()))
    everything = _all_bytes(bench.database)
    assert b"pbx.cliente.example" in everything, "the search sees nothing"
    assert CANARY.encode() not in everything
    assert key is not None
    assert key.splitlines()[2].encode() not in everything


def _all_bytes(database: Database) -> bytes:
    """Every value of every table, and for SQLite the files as they lie on the disk."""
    found = b""
    with database.engine.connect() as connection:
        for table in System.metadata.sorted_tables:
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table.name}"'):  # noqa: S608 - our own tables
                found += b"|".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    if database.kind == "sqlite":
        path = Path(database.engine.url.database or "")
        found += b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    return found


def test_a_sealed_credential_opens_in_its_own_place_only(bench: Bench) -> None:
    first = add(bench, form(credential_kind="password", credential=Secret(CANARY)))
    second = add(bench, form(credential_kind="password", credential=Secret("otra")))
    with bench.writing() as (session, _):
        session.get_one(AccessPoint, second).credential = session.get_one(AccessPoint, first).credential
    with pytest.raises(Exception, match=r".*"):
        secret_of(bench, second)


def pin(bench: Bench, point_id: int) -> None:
    with bench.writing() as (session, _):
        pins.confirm_line(session, session.get_one(AccessPoint, point_id), HOST_KEY, "test", NOW)


def pinned(bench: Bench) -> int | None:
    with bench.writing() as (session, _):
        return session.scalar(select(func.count()).select_from(PinnedIdentity))


@pytest.mark.parametrize(
    ("changed", "left"),
    [({"username": "otra"}, 1), ({"host": "nueva.example"}, 0), ({"port": "2222"}, 0)],
)
def test_another_address_forgets_the_pinned_keys(bench: Bench, changed: dict[str, object], left: int) -> None:
    point = add(bench, form())
    pin(bench, point)
    change(bench, point, form(**changed))
    assert pinned(bench) == left


def test_an_empty_credential_keeps_the_stored_one_at_the_same_place(bench: Bench) -> None:
    entrusted = form(credential_kind="password", credential=Secret(CANARY))
    point = add(bench, entrusted)
    change(bench, point, form(credential_kind="password"))
    assert secret_of(bench, point) == CANARY


@pytest.mark.parametrize("changed", [{"host": "mala.example"}, {"port": "2222"}])
def test_a_stored_credential_is_never_sent_to_another_address(
    bench: Bench, changed: dict[str, object]
) -> None:
    point = add(bench, form(credential_kind="password", credential=Secret(CANARY)))
    with pytest.raises(refusals.InvalidInput) as refused:
        change(bench, point, form(credential_kind="password", **changed))
    assert refused.value.field == "credential"
    assert secret_of(bench, point) == CANARY


def test_another_account_asks_for_its_own_credential(bench: Bench) -> None:
    """The docstring's promise: kept when kind, host and account stay."""
    point = add(bench, form(credential_kind="password", credential=Secret(CANARY)))
    with pytest.raises(refusals.InvalidInput):
        change(bench, point, form(credential_kind="password", username="otra"))


def test_a_new_credential_has_a_new_generation(bench: Bench) -> None:
    point = add(bench, form(credential_kind="password", credential=Secret(CANARY)))
    change(bench, point, form(credential_kind="password", credential=Secret("nueva")))
    assert secret_of(bench, point) == "nueva"
    with bench.writing() as (session, _):
        assert session.get_one(AccessPoint, point).credential_gen == 2


def test_doors_of_others_do_not_exist(bench: Bench) -> None:
    point = add(bench, form())
    with pytest.raises(refusals.NotFound):
        change(bench, point, form(), cif=PONS)
    with bench.writing() as (session, _):
        ours = session.scalars(select(Customer).where(Customer.cif == PONS)).one()
        assert point not in [door.id for door in systems.doors(session, ours.id)]


def test_doors_come_newest_first(bench: Bench) -> None:
    point = add(bench, form())
    with bench.writing() as (session, _):
        ours = session.scalars(select(Customer).where(Customer.cif == SOL)).one()
        assert next(iter(systems.doors(session, ours.id))).id == point


def test_what_is_done_to_doors_is_in_the_audit_without_credential(bench: Bench) -> None:
    point = add(bench, form(credential_kind="password", credential=Secret(CANARY)))
    change(bench, point, form())
    with bench.writing() as (session, _):
        said = [(row.action, row.subject, row.facts) for row in session.scalars(select(AuditEntry)).all()]
        assert [action for action, *_ in said[-2:]] == ["system.add", "door.change"]
        assert CANARY not in str(said)
        assert session.scalar(select(func.count()).select_from(CustomerKey)) == 3
