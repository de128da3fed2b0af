"""The schema: what the migrations make is what the models say, and a newer one is left alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from fixtures.databases import Database
from scheduler.store import guards, migrations
from scheduler.store.engines import open_engine, write
from scheduler.store.migrations import migrate, require_current, schema_state
from scheduler.store.models import Base
from scheduler.store.trouble import StoreBehind, StoreTooNew, StoreUnusable


def _execute(database: Database, statement: str) -> None:
    with write(database.sessions) as session:
        session.execute(text(statement))


def test_models_and_migrations_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _ours})
        assert compare_metadata(context, Base.metadata) == []


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in Base.metadata.tables


def test_a_difference_would_be_seen(database: Database) -> None:
    _execute(database, "ALTER TABLE desk ADD COLUMN motto TEXT")
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) != []


def test_checks_of_models_and_migrations_agree(database: Database) -> None:
    migrated = _definitions(database)
    _execute_all(database, ["DROP TABLE alembic_version", *_drops(database)])
    with database.engine.begin() as connection:
        Base.metadata.create_all(connection)
        _install_guards(connection)
    assert _definitions(database) == migrated


def _execute_all(database: Database, statements: list[str]) -> None:
    for statement in statements:
        _execute(database, statement)


def _drops(database: Database) -> list[str]:
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    if database.kind == "sqlite":
        return [f"DROP TABLE {name}" for name in tables]
    functions = ["refuse_change", "keep_balance", "require_ledger", "refuse_short_notice"]
    return [f"DROP TABLE {name}" for name in tables] + [f"DROP FUNCTION {name}" for name in functions]


def _install_guards(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        statements = [*guards.SQLITE.values()]
    else:
        functions = [*guards.POSTGRESQL_FUNCTIONS, guards.LEAD_TIME_FUNCTION]
        statements = [*functions, *guards.POSTGRESQL.values()]
    dialect = connection.dialect.name
    for statement in [
        *statements,
        *guards.LEDGER_NOTE[dialect].values(),
        *guards.LEAD_TIME[dialect].values(),
    ]:
        connection.exec_driver_sql(statement)


def _definitions(database: Database) -> set[str]:
    """Every CHECK, trigger, index and STRICT of the database, in its own words without layout."""
    query = {
        "sqlite": """
            SELECT type || ' ' || sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'
        """,
        "postgresql": """
            SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
                AND conrelid <> 0 AND conrelid::regclass::text <> 'alembic_version'
            UNION SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
            UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        """,
    }[database.kind]
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql(query).scalars()
        return {part for sql in found for part in _parts(database, sql)}


def _parts(database: Database, sql: str) -> set[str]:
    words = " ".join(sql.split())
    if database.kind == "postgresql" or not words.startswith("table"):
        return {words}
    name = words.split()[3]
    return {f"{name}: {part}" for part in _columns(words)}


def _columns(words: str) -> set[str]:
    """What stands between the outermost commas: a column added later shares its line with another one."""
    inside, depth, parts = words[words.index("(") + 1 : words.rindex(")")], 0, [""]
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        parts = [*parts, ""] if letter == "," and depth == 0 else [*parts[:-1], parts[-1] + letter]
    return {part.strip() for part in parts} | {words[words.rindex(")") + 1 :].strip()}


def test_sqlite_tables_are_strict(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
        strict = {name: bool(flag) for name, flag in rows}
    assert {name for name, flag in strict.items() if not flag} == {"sqlite_schema", "alembic_version"}
    assert set(Base.metadata.tables) < set(strict)


def test_an_empty_database_is_migrated_and_again_is_nothing(empty_database: Database) -> None:
    engine = empty_database.engine
    assert schema_state(engine) == "empty"
    migrate(engine)
    assert schema_state(engine) == "current"
    require_current(engine)
    migrate(engine)
    assert schema_state(engine) == "current"


def test_tables_of_others_in_the_same_file_are_left_alone(empty_database: Database) -> None:
    _execute(empty_database, "CREATE TABLE workflow_status (workflow_uuid TEXT)")
    _execute(empty_database, "INSERT INTO workflow_status VALUES ('check:1:1')")
    assert schema_state(empty_database.engine) == "empty"
    migrate(empty_database.engine)
    require_current(empty_database.engine)
    with empty_database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM workflow_status").all() == [("check:1:1",)]


def test_processes_that_start_together_migrate_once(empty_database: Database) -> None:
    engines = [open_engine(empty_database.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, engines))
    for engine in engines:
        assert schema_state(engine) == "current"
        engine.dispose()


def test_a_newer_database_is_left_alone(database: Database) -> None:
    _execute(database, "UPDATE alembic_version SET version_num = '9999'")
    assert schema_state(database.engine) == "newer"
    for verb in (migrate, require_current):
        with pytest.raises(StoreTooNew, match="schema 9999") as refused:
            verb(database.engine)
        assert "más nueva" in refused.value.message("es")
    assert schema_state(database.engine) == "newer"


def test_an_older_database_is_named_behind(database: Database) -> None:
    _execute(database, "UPDATE alembic_version SET version_num = '0001'")
    assert schema_state(database.engine) == "behind"
    with pytest.raises(StoreBehind, match="ventana migrate"):
        require_current(database.engine)


def test_a_migration_that_fails_leaves_nothing(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = dict.fromkeys(["last"], "CREATE TRIGGER nonsense")
    monkeypatch.setattr(guards, "SQLITE", guards.SQLITE | broken)
    monkeypatch.setattr(guards, "POSTGRESQL", guards.POSTGRESQL | broken)
    with pytest.raises(Exception, match=r"syntax error|incomplete input"):
        migrate(empty_database.engine)
    assert schema_state(empty_database.engine) == "empty"
    with empty_database.engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "booking")


DROP_GUARD = {
    "sqlite": "DROP TRIGGER booking_slot_update",
    "postgresql": "ALTER TABLE booking DROP CONSTRAINT booking_slot_taken",
}


def test_a_guard_that_is_gone_stops_the_start(database: Database) -> None:
    _execute(database, DROP_GUARD[database.kind])
    with pytest.raises(StoreUnusable, match="booking_slot_") as refused:
        require_current(database.engine)
    assert refused.value.code == "guards"


def test_a_guard_that_is_switched_off_stops_the_start(postgresql_database: Database) -> None:
    _execute(postgresql_database, "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only")
    with pytest.raises(StoreUnusable, match="ledger_entry_append_only"):
        require_current(postgresql_database.engine)


def test_revisions_follow_one_line() -> None:
    assert migrations._known()[-1] == "0001"
    assert list(migrations._known()) == sorted(migrations._known(), reverse=True)


def test_the_file_names_tell_the_revisions_that_alembic_knows() -> None:
    script = ScriptDirectory.from_config(migrations._config())
    assert migrations._known() == tuple(each.revision for each in script.walk_revisions())


def test_a_ledger_of_an_earlier_version_keeps_its_entries_and_guards(empty_database: Database) -> None:
    """Migrated up to before the rounds, filled, and taken to the newest schema."""
    from alembic import command

    with empty_database.engine.begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
        for statement in _LEDGER_BEFORE_ROUNDS:
            connection.exec_driver_sql(statement.format(**_WORDS[empty_database.kind]))
    migrate(empty_database.engine)
    require_current(empty_database.engine)
    with empty_database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT reason, minutes, round FROM ledger_entry ORDER BY id").all()
        balance = connection.exec_driver_sql("SELECT balance_minutes FROM entitlement").scalar()
    assert [tuple(row) for row in rows] == [("grant", 600, 1), ("consume", -60, 1)]
    assert balance == 540
    with pytest.raises(IntegrityError, match="append_only"):
        _execute(empty_database, "DELETE FROM ledger_entry")


_WORDS = {"sqlite": {"now": "1790000000", "yes": "1"}, "postgresql": {"now": "now()", "yes": "1"}}
_LEDGER_BEFORE_ROUNDS = (
    "INSERT INTO customer (id, company, cif, locale, zone, created_at)"
    " VALUES (1, 'Sol', 'B46100343', 'es', 'Europe/Madrid', {now})",
    "INSERT INTO entitlement (id, customer_id, kind, metered, valid_from, created_at)"
    " VALUES (1, 1, 'hours', {yes}, '2026-01-01', {now})",
    "INSERT INTO ledger_entry (entitlement_id, reason, minutes, at, by) VALUES (1, 'grant', 600, {now}, 'system')",
    "INSERT INTO ledger_entry (entitlement_id, reason, minutes, at, by) VALUES (1, 'consume', -60, {now}, 'system')",
    "INSERT INTO ledger_note (entry_id, text) VALUES (2, 'se apuntó dos veces')",
)
