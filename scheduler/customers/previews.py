"""An uploaded file of customers between its preview and its confirmation: kept, shown, written as it was shown."""

import zlib
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers import importing
from scheduler.customers.csv_reading import decode, rows
from scheduler.customers.importing import Planned, Tally
from scheduler.customers.keeping import require_dispatcher
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.store.models import CustomerImport


def upload(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, filename: str, content: bytes
) -> CustomerImport:
    """Keep the file with its preview; no customer is written. Raises NotAllowed, InvalidInput("file", …)."""
    require_dispatcher(actor)
    text = decode(content)
    row = CustomerImport(
        filename=filename[:200],
        content=zlib.compress(text.encode()),
        created_at=now,
        created_by=str(actor),
        due_at=now,
    )
    _note(row, tally(session, desk, text))
    session.add(row)
    session.flush()
    return row


def confirm(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, import_id: int
) -> CustomerImport | None:
    """Write what the preview showed, in the caller's one transaction.

    None when customers changed meanwhile: nothing of it is written, and the preview is the new one.
    A value, not a refusal, so that the caller's commit keeps the new preview.
    """
    require_dispatcher(actor)
    row = preview(session, import_id)
    if row.state == "done":
        return row
    text = _text(row)
    now_planned = tally(session, desk, text)
    if now_planned.plan_hash != row.plan_hash:
        _note(row, now_planned)
        row.stale = True
        return None
    importing.write(session, desk, now, actor, importing.plan(session, rows(text), desk.zone.key))
    row.state, row.stale, row.finished_at = "done", False, now
    session.flush()
    return row


def preview(session: Session, import_id: int) -> CustomerImport:
    """The kept file. Raises NotFound."""
    row = session.get(CustomerImport, import_id)
    if row is None:
        raise NotFound("import")
    return row


def planned(session: Session, desk: DeskContext, row: CustomerImport) -> Iterator[Planned]:
    """Every row's fate as customers stand now."""
    return importing.plan(session, rows(_text(row)), desk.zone.key)


def tally(session: Session, desk: DeskContext, text: str) -> Tally:
    """The fates counted. Raises InvalidInput("file", …)."""
    found = Tally()
    for each in importing.plan(session, rows(text), desk.zone.key):
        found.take(each)
    if not found.total:
        raise InvalidInput("file", "file_empty")
    return found


def _note(row: CustomerImport, found: Tally) -> None:
    row.state, row.counts, row.plan_hash = "ready", dict(found.counts), found.plan_hash
    row.total_rows = row.done_rows = found.total


def _text(row: CustomerImport) -> str:
    return zlib.decompress(row.content).decode()
