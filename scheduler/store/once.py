"""Rows that may be asked for twice and must exist once."""

from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.store.base import Base


def insert_once(session: Session, table: type[Base], key: str) -> Any:
    """An INSERT that returns the new row's id, or nothing where one with this unique `key` column stands already."""
    return _insert(session.get_bind().dialect.name, table, key)


@cache
def _insert(dialect: str, table: type[Base], key: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing(index_elements=[key]).returning(table.id)  # type: ignore[attr-defined]
