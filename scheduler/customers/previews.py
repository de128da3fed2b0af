"""An uploaded file of customers: kept, shown as it was planned, confirmed by a person. No customer is written here."""

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.csv_reading import decode, rows
from scheduler.customers.import_turns import KIND, LEASE, REVS
from scheduler.customers.importing import Planned
from scheduler.customers.keeping import require_dispatcher
from scheduler.customers.planned_rows import unpack
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.store.models import CustomerImport, ImportFile, ImportPortion
from scheduler.waking import wake

KEPT = timedelta(days=30)
"""How long a file's rows, which name people, are kept once it was written or, if nobody confirmed it, brought."""
AT_ONCE = 400
"""A file of so many rows costs no longer than a page: whoever keeps it does the rest too, without the engine."""


class Upload:
    """A file that can be read as CSV, with its rows counted; made outside any transaction."""

    def __init__(self, filename: str, content: bytes) -> None:
        """Raises InvalidInput("file", …)."""
        self.text = decode(content)
        self.filename = filename[:200]
        self.total_rows = sum(1 for _ in rows(self.text))
        if not self.total_rows:
            raise InvalidInput("file", "file_empty")
        self.packed = zlib.compress(self.text.encode())


def keep(session: Session, now: datetime, actor: Actor, file: Upload, engine: bool = True) -> CustomerImport:
    """Keep the file to be planned, by the engine or (`engine` False) by the caller at once. Raises NotAllowed."""
    require_dispatcher(actor)
    row = CustomerImport(
        filename=file.filename,
        total_rows=file.total_rows,
        created_at=now,
        created_by=str(actor),
        due_at=now if engine else now + LEASE,
    )
    session.add(row)
    session.flush()
    session.add(ImportFile(import_id=row.id, content=file.packed))
    session.flush()
    if engine:
        wake(session, KIND, row.id, REVS["planning"], row.due_at)
    return row


def confirm(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, import_id: int, engine: bool = True
) -> CustomerImport:
    """Have written what the preview showed; a second click changes nothing. Raises NotAllowed, NotFound."""
    require_dispatcher(actor)
    due_at = now if engine else now + LEASE
    ready = (CustomerImport.id == import_id, CustomerImport.state == "ready")
    begun = session.execute(
        update(CustomerImport)
        .where(*ready)
        .values(state="writing", done_rows=0, due_at=due_at)
        .returning(CustomerImport.id)
    )
    first = begun.scalar() is not None
    row = preview(session, import_id)
    if first:
        if engine:
            wake(session, KIND, import_id, REVS["writing"], due_at)
        facts = {"file": row.filename} | row.counts
        audit.record(
            session, desk.installation, now, actor, "customer.import", f"import:{import_id}", **facts
        )
    return row


def preview(session: Session, import_id: int) -> CustomerImport:
    """The file's state and counts. Raises NotFound."""
    row = session.get(CustomerImport, import_id)
    if row is None:
        raise NotFound("import")
    return row


def planned(session: Session, import_id: int) -> Iterator[Planned]:
    """Every planned row's fate, as it was found or as it was written."""
    portions = select(ImportPortion.planned).where(ImportPortion.import_id == import_id)
    for kept in session.scalars(portions.order_by(ImportPortion.number).execution_options(yield_per=10)):
        yield from unpack(kept)


def forget(session: Session, now: datetime) -> None:
    """Delete what was brought and what became of it after its time; the audit log keeps who and how many."""
    ended = func.coalesce(CustomerImport.finished_at, CustomerImport.created_at)
    over = select(CustomerImport.id).where(CustomerImport.state.in_(("ready", "done")), ended < now - KEPT)
    for part in (ImportPortion, ImportFile):
        session.execute(delete(part).where(part.import_id.in_(over)))
    session.execute(delete(CustomerImport).where(CustomerImport.id.in_(over)))
