"""Hours: the balance is the sum of the ledger, never below zero, and the past cannot be rewritten."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.store.engines import is_overdrawn, is_slot_taken, read, write
from scheduler.store.models import AuditEntry, Entitlement, LedgerEntry
from tests.store.rows import NOW, add_people

SPENDERS = 16


def _enter(session: Session, reason: str, minutes: int, **changed: Any) -> None:
    entry = {"entitlement_id": 1, "reason": reason, "minutes": minutes, "at": NOW, "by": "system"} | changed
    session.add(LedgerEntry(**entry))
    session.flush()


def _with_minutes(database: Database, minutes: int) -> None:
    with write(database.sessions) as session:
        add_people(session)
        _enter(session, "grant", minutes)


def _balances(database: Database) -> tuple[int, int]:
    """What the entitlement says, and what the ledger adds up to."""
    with read(database.sessions) as session:
        total = session.scalar(select(func.sum(LedgerEntry.minutes)))
        return session.get_one(Entitlement, 1).balance_minutes, total or 0


def test_the_balance_follows_the_ledger(database: Database) -> None:
    _with_minutes(database, 120)
    with write(database.sessions) as session:
        _enter(session, "hold", -60)
        _enter(session, "release", 60)
        _enter(session, "consume", -30)
    assert _balances(database) == (90, 90)


def test_an_overdraft_is_refused_and_leaves_no_entry(database: Database) -> None:
    _with_minutes(database, 60)
    with pytest.raises(IntegrityError) as refused, write(database.sessions) as session:
        _enter(session, "hold", -61)
    assert is_overdrawn(refused.value)
    assert not is_slot_taken(refused.value)
    assert _balances(database) == (60, 60)
    with write(database.sessions) as session:
        _enter(session, "hold", -60)
    assert _balances(database) == (0, 0)


@pytest.mark.parametrize(("reason", "minutes"), [("grant", -1), ("hold", 1), ("consume", 0), ("gift", 5)])
def test_a_movement_has_the_sign_of_its_reason(database: Database, reason: str, minutes: int) -> None:
    _with_minutes(database, 60)
    with pytest.raises(IntegrityError, match="ck_ledger_entry_"), write(database.sessions) as session:
        _enter(session, reason, minutes)


def _spend(database: Database, seed: int) -> int:
    """Book and cancel at random until the hours run out; returns how often it was refused."""
    chance, refused = random.Random(seed), 0  # noqa: S311 - a repeatable test
    for _ in range(8):
        try:
            with write(database.sessions) as session:
                _enter(session, "hold", -30)
                if chance.random() < 0.3:
                    _enter(session, "release", 30)
        except IntegrityError as error:
            if not is_overdrawn(error):
                raise
            refused += 1
    return refused


def test_parallel_spenders_never_overspend(database: Database) -> None:
    _with_minutes(database, 600)
    with ThreadPoolExecutor(SPENDERS) as pool:
        refused = sum(pool.map(lambda seed: _spend(database, seed), range(SPENDERS)))
    assert refused > 0
    assert _balances(database) == (0, 0)


DROP_CHECK = "ALTER TABLE entitlement DROP CONSTRAINT ck_entitlement_balance"


def test_without_the_check_the_same_spenders_overspend(postgresql_database: Database) -> None:
    """The control: a service that looks first and spends then is not enough."""
    _with_minutes(postgresql_database, 600)
    with write(postgresql_database.sessions) as session:
        session.execute(text(DROP_CHECK))
    with ThreadPoolExecutor(SPENDERS) as pool:
        list(pool.map(lambda seed: _spend(postgresql_database, seed), range(SPENDERS)))
    balance, total = _balances(postgresql_database)
    assert balance == total < 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET minutes = 6000",
        "UPDATE ledger_entry SET by = 'customer:1'",
        "DELETE FROM ledger_entry",
        "UPDATE entitlement SET balance_minutes = 6000",
        "UPDATE entitlement SET balance_minutes = balance_minutes + 1",
        "INSERT INTO entitlement (customer_id, kind, metered, balance_minutes, valid_from, created_at)"
        " SELECT customer_id, kind, metered, 60, valid_from, created_at FROM entitlement",
    ],
)
def test_hours_are_not_made_past_the_ledger(database: Database, statement: str) -> None:
    _with_minutes(database, 60)
    refusal = r"ledger_entry_append_only|balance_not_from_ledger"
    with pytest.raises(IntegrityError, match=refusal), write(database.sessions) as session:
        session.execute(text(statement))
    assert _balances(database) == (60, 60)


def test_other_facts_of_an_entitlement_may_change(database: Database) -> None:
    _with_minutes(database, 60)
    with write(database.sessions) as session:
        session.get_one(Entitlement, 1).invoice = "F-2026-17"
        session.execute(text("UPDATE entitlement SET balance_minutes = 60"))
    assert _balances(database) == (60, 60)


def test_replacing_is_not_a_way_to_rewrite(sqlite_database: Database) -> None:
    _with_minutes(sqlite_database, 60)
    replace = text(
        "INSERT OR REPLACE INTO ledger_entry (id, entitlement_id, reason, minutes, at, by)"
        " VALUES (1, 1, 'grant', 6000, 0, 'system')"
    )
    with (
        pytest.raises(IntegrityError, match="ledger_entry_append_only"),
        write(sqlite_database.sessions) as session,
    ):
        session.execute(replace)
    assert _balances(sqlite_database) == (60, 60)


@pytest.mark.parametrize("statement", ["TRUNCATE ledger_entry CASCADE", "TRUNCATE audit_entry"])
def test_truncating_is_refused(postgresql_database: Database, statement: str) -> None:
    _with_minutes(postgresql_database, 60)
    with pytest.raises(DBAPIError, match="append_only"), write(postgresql_database.sessions) as session:
        session.execute(text(statement))


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry"])
def test_the_audit_is_append_only(database: Database, statement: str) -> None:
    with write(database.sessions) as session:
        entry = AuditEntry(at=NOW, actor="system", action="grant", subject="1", facts={}, chain=b"0")
        session.add(entry)
    with (
        pytest.raises(IntegrityError, match="audit_entry_append_only"),
        write(database.sessions) as session,
    ):
        session.execute(text(statement))
    with read(database.sessions) as session:
        assert session.scalars(select(AuditEntry.actor)).all() == ["system"]
