"""Who did what: an append-only log in which each entry is chained to the one before by HMAC."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.context import Installation
from scheduler.store.models import AuditEntry

_LOCK = 0x56454E54
"""PostgreSQL advisory lock of the chain; two writers that saw the same last entry would fork it."""


_CHAIN_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_LAST = select(AuditEntry.chain).order_by(AuditEntry.id.desc()).limit(1)
_APPEND = insert(AuditEntry)


def record(
    session: Session,
    installation: Installation,
    now: datetime,
    actor: Actor,
    action: str,
    subject: str,
    **facts: Any,
) -> None:
    """Append one entry; call it last in a transaction, since it holds the chain until the commit."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_CHAIN_LOCK, {"lock": _LOCK})
    last = session.scalar(_LAST) or b""
    entry = AuditEntry(
        at=now.replace(microsecond=0), actor=str(actor), action=action, subject=subject, facts=facts
    )
    values = {"at": entry.at, "actor": entry.actor, "action": action, "subject": subject, "facts": facts}
    session.execute(_APPEND, [values | {"chain": link(installation.keys.audit, last, entry)}])


def link(key: bytes, before: bytes, entry: AuditEntry) -> bytes:
    """The chain value of `entry` after `before`."""
    content = [entry.at.isoformat(), entry.actor, entry.action, entry.subject, entry.facts]
    return hmac.new(key, before + _canonical(content), hashlib.sha256).digest()


def first_broken(session: Session, key: bytes) -> int | None:
    """The id of the first entry that does not follow from the one before; None when the chain is whole."""
    before = b""
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
        if not hmac.compare_digest(entry.chain, link(key, before, entry)):
            return entry.id
        before = entry.chain
    return None


def digest(content: Any) -> str:
    """A short fingerprint of plain values, the same wherever they are equal."""
    return hashlib.sha256(_canonical(content)).hexdigest()[:24]


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
