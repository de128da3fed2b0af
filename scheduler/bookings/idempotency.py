"""A retried request books once: the answer to an Idempotency-Key is kept in the transaction that gives it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.rules.refusals import IdempotencyConflict, NotFound
from scheduler.rules.text import clean_text
from scheduler.store.models import Booking, IdempotencyKey

KEY_LENGTH = 200


def book_once(
    session: Session,
    now: datetime,
    owner: str,
    key: str,
    body: Mapping[str, Any],
    book: Callable[[], Booking],
) -> tuple[Booking, bool]:
    """The booking made under this key, and whether it is an earlier one. `owner` keeps people's keys apart.

    Raises IdempotencyConflict when the key came with another body, InvalidInput for a key that is not plain text,
    and what `book` raises; a refused request leaves the key free.
    """
    key = clean_text("idempotency_key", key, KEY_LENGTH)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
    if not _claim(session, now, owner, key, digest):
        return _earlier(session, owner, key, digest), True
    booking = book()
    session.get_one(IdempotencyKey, (owner, key)).booking_id = booking.id
    return booking, False


def _claim(session: Session, now: datetime, owner: str, key: str, digest: str) -> bool:
    # Claimed before anything else: a parallel retry waits here for the first one's commit, and then finds its answer
    # instead of losing the slot to it.
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(IdempotencyKey)
        .values(owner=owner, key=key, request_hash=digest, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    return session.scalar(statement) is not None


def _earlier(session: Session, owner: str, key: str, digest: str) -> Booking:
    row = session.get_one(IdempotencyKey, (owner, key))
    if row.request_hash != digest:
        raise IdempotencyConflict
    booking = session.get(Booking, row.booking_id) if row.booking_id else None
    if booking is None:
        raise NotFound("booking")
    return booking
