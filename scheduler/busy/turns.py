"""Whose turn it is to be read: what the engine asks of the rows. Light, since every process that plans imports it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.busy.calendars import KIND
from scheduler.store.models import BusyCalendar

__all__ = ["KIND", "far_end", "overdue"]


def overdue(session: Session, before: datetime) -> Iterable[tuple[int, int, datetime]]:
    """(id, rev, due_at) of the calendars whose turn has come."""
    rows = session.execute(
        select(BusyCalendar.id, BusyCalendar.rev, BusyCalendar.due_at).where(BusyCalendar.due_at <= before)
    )
    return [(row.id, row.rev, row.due_at) for row in rows]


def far_end(session: Session, calendar_id: int) -> str:
    """The host: one at a time, so that a slow one holds a single place among the works with a far end."""
    row = session.get(BusyCalendar, calendar_id)
    return "busy:gone" if row is None else f"busy:{row.host}"
