"""The audit chain: what is edited, deleted or swapped behind the guards is found."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from scheduler import audit
from scheduler.actor import SYSTEM, Actor
from scheduler.store.models import AuditEntry
from tests.services.conftest import NOW, Bench

GUARDS = {
    "sqlite": ["DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete"],
    "postgresql": ["DROP TRIGGER audit_entry_append_only ON audit_entry"],
}


@pytest.fixture
def chained(bench: Bench) -> Bench:
    """Five entries, and the guards gone: the attacker owns the database."""
    with bench.writing() as (session, desk):
        for number in range(5):
            at = NOW + timedelta(seconds=number)
            audit.record(session, desk.installation, at, SYSTEM, "test", f"n:{number}", number=number)
    assert first_broken(bench) is None
    with bench.writing() as (session, _):
        for statement in GUARDS[bench.database.kind]:
            session.execute(text(statement))
    return bench


def first_broken(bench: Bench, key: bytes | None = None) -> int | None:
    with bench.writing() as (session, desk):
        return audit.first_broken(session, key or desk.installation.keys.audit)


def ids(bench: Bench) -> list[int]:
    with bench.writing() as (session, _):
        return list(
            session.scalars(select(AuditEntry.id).where(AuditEntry.action == "test").order_by(AuditEntry.id))
        )


def run(bench: Bench, statement: str, **values: object) -> None:
    with bench.writing() as (session, _):
        session.execute(text(statement), values)


def test_a_whole_chain_is_whole(chained: Bench) -> None:
    assert first_broken(chained) is None
    assert len(ids(chained)) == 5


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'customer:1'",
        "action = 'nothing'",
        "subject = 'n:99'",
        "facts = '{\"number\": 7}'",
        "chain = (SELECT chain FROM audit_entry ORDER BY id LIMIT 1)",
    ],
)
def test_an_edited_entry_is_found(chained: Bench, change: str) -> None:
    third = ids(chained)[2]
    run(chained, f"UPDATE audit_entry SET {change} WHERE id = :id", id=third)  # noqa: S608 - constants above
    assert first_broken(chained) == third


def test_a_moved_moment_is_found(chained: Bench) -> None:
    third = ids(chained)[2]
    later = "at + 3600" if chained.database.kind == "sqlite" else "at + interval '1 hour'"
    run(chained, f"UPDATE audit_entry SET at = {later} WHERE id = :id", id=third)  # noqa: S608 - constants
    assert first_broken(chained) == third


def test_a_deleted_entry_is_found(chained: Bench) -> None:
    _, second, third, *_ = ids(chained)
    run(chained, "DELETE FROM audit_entry WHERE id = :id", id=second)
    assert first_broken(chained) == third


def test_swapped_entries_are_found(chained: Bench) -> None:
    _, second, third, *_ = ids(chained)
    for old, new in ((second, -1), (third, second), (-1, third)):
        run(chained, "UPDATE audit_entry SET id = :new WHERE id = :old", old=old, new=new)
    assert first_broken(chained) == second


def test_the_chain_cannot_be_made_without_the_key(chained: Bench) -> None:
    assert first_broken(chained, key=b"another" * 5) is not None


def test_the_database_refuses_to_rewrite(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        audit.record(session, desk.installation, NOW, SYSTEM, "test", "n:1")
    for statement in ("UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"):
        with pytest.raises(Exception, match="audit_entry_append_only"):
            run(bench, statement)


def test_facts_come_back_as_they_were_signed(bench: Bench) -> None:
    with bench.writing() as (session, desk):
        audit.record(
            session,
            desk.installation,
            NOW,
            Actor("dispatcher", 3, "Elena"),
            "test",
            "ñ:1",
            motivo="«señal» 🙂",
            n=1.5,
        )
        audit.record(
            session,
            desk.installation,
            NOW.replace(microsecond=999_999),
            SYSTEM,
            "test",
            "n:2",
            nothing=None,
            many=[1],
        )
    assert first_broken(bench) is None
