"""Which files of customers wait for the engine: what it asks of the rows, without what reads and writes them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.store.models import CustomerImport

KIND = "customer_import"
"""The engine's name for this work."""
REVS = {"planning": 0, "writing": 1}
"""What is done at which rev; in the other states a file waits for a person, or for nobody."""
LEASE = timedelta(seconds=5)
"""How long a portion keeps others from its file; whoever has not finished it by then is taken for dead."""


def overdue(session: Session, before: datetime) -> Iterable[tuple[int, int, datetime]]:
    """(id, rev, due_at) of the files that somebody should be at."""
    rows = session.execute(
        select(CustomerImport.id, CustomerImport.state, CustomerImport.due_at).where(
            CustomerImport.state.in_(list(REVS)), CustomerImport.due_at <= before
        )
    )
    return [(row.id, REVS[row.state], row.due_at) for row in rows]
