"""Add, read again and remove the calendars in which technicians are busy elsewhere, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.busy.address import FIELD, clean_address
from scheduler.context import DeskContext
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound, TooManyTries
from scheduler.rules.secret import Secret
from scheduler.store.models import BusyCalendar, BusyTime, Technician
from scheduler.store.vault import Vault
from scheduler.waking import wake

KIND = "busy"
"""The engine's name for reading one of them."""
MOST = 5
"""Calendars of one technician; more is a mistake, and each is read every quarter of an hour."""
AGAIN_AFTER = timedelta(minutes=1)


def calendars_of(session: Session, technician_id: int) -> Sequence[BusyCalendar]:
    """The technician's calendars, oldest first."""
    query = select(BusyCalendar).where(BusyCalendar.technician_id == technician_id).order_by(BusyCalendar.id)
    return session.scalars(query).all()


def add_calendar(
    session: Session,
    desk: DeskContext,
    vault: Vault,
    now: datetime,
    actor: Actor,
    technician_id: int,
    url: str,
) -> BusyCalendar:
    """Read this calendar from now on. Its address is a secret, so it is sealed and never shown again.

    Raises InvalidInput (calendar_url), NotAllowed for somebody else's, NotFound.
    """
    _require_own(actor, technician_id)
    if session.get(Technician, technician_id) is None:
        raise NotFound("technician")
    address = clean_address(url)
    counted = select(func.count()).where(BusyCalendar.technician_id == technician_id)
    if (session.scalar(counted) or 0) >= MOST:
        raise InvalidInput(FIELD, "too_many_calendars", maximum=MOST)
    host = urlsplit(address).hostname or ""
    row = BusyCalendar(technician_id=technician_id, host=host, address=b"", created_at=now, due_at=now)
    session.add(row)
    session.flush()
    row.address = vault.seal(Secret(address), "busy_calendar", row.id, "address", row.address_gen)
    session.flush()
    wake(session, KIND, row.id, row.rev, now)
    _audit(session, desk, now, actor, "busy_calendar.add", row)
    return row


def read_again(session: Session, now: datetime, actor: Actor, technician_id: int, calendar_id: int) -> None:
    """Read it now instead of at its next turn. Raises NotAllowed, NotFound, TooManyTries within a minute."""
    row = _own(session, actor, technician_id, calendar_id)
    if row.tried_at is not None and now < row.tried_at + AGAIN_AFTER:
        raise TooManyTries(retry_at=row.tried_at + AGAIN_AFTER)
    row.due_at, row.rev = now, row.rev + 1
    session.flush()
    wake(session, KIND, row.id, row.rev, now)


def remove_calendar(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, technician_id: int, calendar_id: int
) -> None:
    """Forget the calendar with its address and its busy times. Raises NotAllowed, NotFound."""
    row = _own(session, actor, technician_id, calendar_id)
    session.execute(delete(BusyTime).where(BusyTime.calendar_id == row.id))
    session.delete(row)
    session.flush()
    _audit(session, desk, now, actor, "busy_calendar.remove", row)


def _own(session: Session, actor: Actor, technician_id: int, calendar_id: int) -> BusyCalendar:
    _require_own(actor, technician_id)
    row = session.get(BusyCalendar, calendar_id)
    if row is None or row.technician_id != technician_id:
        raise NotFound("busy_calendar")
    return row


def _require_own(actor: Actor, technician_id: int) -> None:
    own = actor.kind == "technician" and actor.id == technician_id
    if not own and actor.kind not in ("dispatcher", "system"):
        raise NotAllowed("busy_calendar")


def _audit(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, what: str, row: BusyCalendar
) -> None:
    subject = f"technician:{row.technician_id}"
    audit.record(session, desk.installation, now, actor, what, subject, calendar=row.id, host=row.host)
