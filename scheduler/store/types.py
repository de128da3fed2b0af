"""Column types that mean the same on SQLite (STRICT) and PostgreSQL.

STRICT tables know only INTEGER, TEXT, BLOB and REAL, so SQLAlchemy's stock
DateTime, Boolean and JSON would make CREATE TABLE fail there.
"""

import json
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, Text, cast, extract, type_coerce
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, to the second: INTEGER epoch seconds on SQLite, timestamptz on PostgreSQL.

    Raises ValueError for a naive datetime: guessing its zone would book the wrong hour.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Integer())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        whole = value.astimezone(UTC).replace(microsecond=0)
        return whole if dialect.name == "postgresql" else int(whole.timestamp())

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)


def epoch_seconds(dialect: str, column: ColumnElement[datetime] | Any) -> ColumnElement[int]:
    """An instant in a query's answer as seconds since 1970 (UTC), without a datetime made of it."""
    if dialect == "postgresql":
        return cast(extract("epoch", column), BigInteger)
    return type_coerce(column, Integer)


class Day(TypeDecorator[date]):
    """A calendar date without zone: ISO text on both databases, so that it sorts and stays STRICT."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class Flag(TypeDecorator[bool]):
    """True or false as 1 or 0 (STRICT has no BOOLEAN)."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """A small JSON document: TEXT on SQLite, JSONB on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))  # None is NULL, not the word null
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return json.loads(value)
