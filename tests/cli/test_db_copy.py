"""A desk carried from SQLite to PostgreSQL and back by one command: nothing lost, changed or overwritten."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, select, text, update

from fixtures.databases import Database, Server
from scheduler.engine.lock import ProcessLock
from scheduler.operation.copying import CopyRefused, copy_desk, plan_copy
from scheduler.rules.secret import Secret
from scheduler.store.engines import open_engine, sessions, write
from scheduler.store.migrations import require_current, schema_state
from scheduler.store.models import AccessPoint, AuditEntry, Base, Booking, Check, Entitlement
from scheduler.store.vault import Vault
from tests.cli.conftest import SOL, Terminal

AUDIT_KEY = b"audit" * 8
"""Not the desk's: these copies end before the audit log is looked at."""


@pytest.fixture
def filled(ventana: Terminal) -> Terminal:
    """A desk with a booking, a moved one, a cancelled one, a sealed password and a calendar address."""
    starts = [slot["start_at"] for slot in ventana("slots", "--json", "--days", "7").json["slots"]]
    made = [
        ventana("book", "--customer", SOL, "--start", start, "--json").json["id"] for start in starts[::4][:3]
    ]
    assert ventana("move", str(made[1]), "--start", starts[40]).code == 0
    assert ventana("cancel", str(made[2])).code == 0
    assert ventana("feed", "create", "marta@levantia.example").code == 0
    vault = Vault.from_file(ventana.folder / "vault.key")
    engine = open_engine(url_of(ventana))
    with write(sessions(engine)) as session:
        door = session.scalars(select(AccessPoint)).first()
        assert door is not None
        door.credential_kind = "password"
        door.credential = vault.seal(Secret("s3creto ñ"), "access_point", door.id, "credential", 1)
    engine.dispose()
    return ventana


@pytest.fixture
def source(filled: Terminal) -> Iterator[Engine]:
    engine = open_engine(url_of(filled))
    yield engine
    engine.dispose()


def url_of(terminal: Terminal) -> str:
    return f"sqlite:///{terminal.folder / 'ventana.db'}"


def contents(engine: Engine) -> dict[str, list[object]]:
    """Every row of every table but the heartbeats."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
            if table.name != "worker"
        }


def test_there_and_back_again_is_the_same_desk(
    filled: Terminal, source: Engine, postgres_server: Server, empty_database: Database, tmp_path: Path
) -> None:
    """With PostgreSQL as the target, a third database on SQLite takes it back."""
    before = contents(source)
    assert len(before["booking"]) == 3
    assert before["access_point"]
    said = filled("db", "copy", url_of(filled), empty_database.url)
    assert said.code == 0, said.err
    assert "2 credentials open" in said.out
    assert "the audit log of 6 entries is whole" in said.out
    assert "booking: 3 of 3" in said.err
    assert contents(empty_database.engine) == before
    require_current(empty_database.engine)
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert filled("db", "copy", empty_database.url, back).code == 0
    returned = open_engine(back)
    assert contents(returned) == before
    returned.dispose()


def test_the_copied_desk_works_on(
    filled: Terminal, postgresql_empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert filled("db", "copy", url_of(filled), postgresql_empty.url).code == 0
    with postgresql_empty.engine.connect() as connection:
        planned = connection.scalar(text("SELECT count(*) FROM dbos.workflow_status"))
        assert planned == 0, "wake-ups are not copied: the engine plans the open rows anew"
        assert len(connection.execute(select(Check.id).where(Check.state == "planned")).all()) > 2
    monkeypatch.setenv("VENTANA_DATABASE_URL", postgresql_empty.url)
    starts = [slot["start_at"] for slot in filled("slots", "--json", "--days", "7").json["slots"]]
    booked = filled("book", "--customer", SOL, "--start", starts[20], "--json")
    assert booked.json["id"] == 4, "the sequence goes on where the numbers end"
    assert "entry" not in filled("doctor").out.partition("audit:")[2]


@pytest.fixture
def postgresql_empty(postgres_server: Server) -> Iterator[Database]:
    made = Database("postgresql", postgres_server.copy("copy_target", "template0"))
    yield made
    made.close()
    postgres_server.drop("copy_target")


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    filled: Terminal, empty_database: Database
) -> None:
    said = filled("db", "copy", url_of(filled), empty_database.url, "--dry-run", "--json")
    assert said.json["would_copy"]["booking"] == 3
    assert schema_state(empty_database.engine) == "empty"
    assert "3" in filled("db", "copy", url_of(filled), empty_database.url, "--dry-run").out


def test_a_filled_target_is_refused(filled: Terminal, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO rate_event (id, bucket, at) VALUES (1, 'x', :at)"), _at(database)
        )
    said = filled("db", "copy", url_of(filled), database.url)
    assert said.code == 3
    assert "target is not empty (rate_event" in said.err
    assert contents(database.engine)["booking"] == []


def _at(database: Database) -> dict[str, object]:
    return {"at": 0 if database.kind == "sqlite" else "2026-01-01 00:00+00"}


def test_a_table_that_nobody_knows_is_not_lost_silently(
    filled: Terminal, source: Engine, empty_database: Database
) -> None:
    with source.begin() as connection:
        connection.execute(text("CREATE TABLE my_notes (id INTEGER PRIMARY KEY)"))
    said = filled("db", "copy", url_of(filled), empty_database.url)
    assert (said.code, "my_notes" in said.err) == (3, True)
    assert schema_state(empty_database.engine) == "empty"


def test_a_desk_at_work_is_not_copied(filled: Terminal, empty_database: Database) -> None:
    held = ProcessLock(filled.folder / "ventana.db")
    said = filled("db", "copy", url_of(filled), empty_database.url)
    held.release()
    assert said.code == 3
    assert "already runs the engine" in said.err


def test_an_interrupted_copy_leaves_nothing(
    filled: Terminal, source: Engine, empty_database: Database
) -> None:
    class PowerCut(Exception):
        pass

    def cut(name: str, done: int, total: int) -> None:
        if name == "booking":
            raise PowerCut

    with pytest.raises(PowerCut):
        copy_desk(source, empty_database.engine, Vault([b"k" * 32]), AUDIT_KEY, cut)
    assert plan_copy(source, empty_database.engine)["booking"] == 3
    assert set(map(len, contents(empty_database.engine).values())) == {0}


def test_an_altered_audit_log_is_not_carried_on(
    filled: Terminal, source: Engine, empty_database: Database
) -> None:
    with source.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_entry_no_update"))
        connection.execute(update(AuditEntry).where(AuditEntry.id == 2).values(actor="nobody"))
        connection.execute(
            text("CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN SELECT 1; END")
        )
    said = filled("db", "copy", url_of(filled), empty_database.url)
    assert (said.code, "altered before entry 2" in said.err) == (3, True)
    assert contents(empty_database.engine)["audit_entry"] == []


def test_a_vault_key_that_does_not_fit_is_found_before_anything_is_kept(
    filled: Terminal, empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENTANA_VAULT_KEY_FILE", str(tmp_path / "other.key"))
    said = filled("db", "copy", url_of(filled), empty_database.url)
    assert (said.code, "which this vault has not" in said.err) == (3, True)
    assert contents(empty_database.engine)["booking"] == []


def test_a_database_is_not_copied_onto_itself(filled: Terminal) -> None:
    assert filled("db", "copy", url_of(filled), url_of(filled)).code == 2


def test_balances_come_from_the_ledger_again(
    source: Engine, empty_database: Database, filled: Terminal
) -> None:
    assert filled("db", "copy", url_of(filled), empty_database.url).code == 0
    with empty_database.engine.connect() as connection:
        assert connection.scalars(select(Entitlement.balance_minutes)).all() == [600 - 2 * 60]
        assert connection.scalars(select(Booking.rev).order_by(Booking.id)).all() == [1, 2, 2]


def test_the_names_of_the_engines_tables_are_the_ones_it_makes(source: Engine) -> None:
    known = {table.name for table in Base.metadata.sorted_tables} | {"alembic_version"}
    from scheduler.engine import table_names

    assert set(inspect(source).get_table_names()) - known <= table_names()


def test_a_copy_that_differs_is_refused(
    filled: Terminal, source: Engine, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scheduler.operation import copying

    honest = copying._values

    def careless(table: object, row: object) -> dict[str, object]:
        return {name: value for name, value in honest(table, row).items() if name != "session_generation"}  # type: ignore[arg-type]

    with source.begin() as connection:
        connection.execute(text("UPDATE contact SET session_generation = 2"))
    monkeypatch.setattr(copying, "_values", careless)
    with pytest.raises(CopyRefused, match="contact differs"):
        copy_desk(source, empty_database.engine, Vault([b"k" * 32]), AUDIT_KEY)
