"""Whose calendar an address is and in which state: all that decides whether anything changed, in one row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, case, func, select, true
from sqlalchemy.orm import Session

from scheduler.calendars.secrets import hash_secret
from scheduler.store.people import Contact, Customer, Desk, Technician
from scheduler.store.work import FeedSecret


@dataclass(frozen=True, slots=True)
class Subscription:
    """A calendar address with what its calendar follows from; instants are UTC."""

    id: int
    scope: str
    detail: str
    alarm_minutes: int | None
    last_read_at: datetime | None
    left_out: int
    technician_id: int | None
    customer_id: int | None
    ended: bool
    """Revoked, or its owner may no longer see what it shows."""
    name: str
    """Whose it is, as its title says: the technician, or the desk."""
    email: str
    locale: str
    zone: str
    domain: str
    rev: int
    """Grows with every change of what is shown."""
    changed_at: datetime


_TEAM_REV = select(func.sum(Technician.calendar_rev)).scalar_subquery()
_TEAM_CHANGED = select(func.max(Technician.calendar_changed_at)).scalar_subquery()

_QUERY = (
    select(
        FeedSecret.id,
        FeedSecret.scope,
        FeedSecret.detail,
        FeedSecret.alarm_minutes,
        FeedSecret.changed_at.label("settings_changed_at"),
        FeedSecret.revoked_at,
        FeedSecret.last_read_at,
        FeedSecret.left_out,
        FeedSecret.technician_id,
        Contact.customer_id,
        Technician.active,
        Technician.role,
        Technician.name,
        Technician.email,
        func.coalesce(Technician.locale, Customer.locale).label("locale"),
        func.coalesce(Technician.zone, Customer.zone).label("zone"),
        func.coalesce(Technician.calendar_rev, Customer.calendar_rev).label("rev"),
        func.coalesce(Technician.calendar_changed_at, Customer.calendar_changed_at).label("changed_at"),
        case((FeedSecret.scope == "team", _TEAM_REV)).label("team_rev"),
        case((FeedSecret.scope == "team", _TEAM_CHANGED)).label("team_changed_at"),
        Desk.name.label("desk"),
        Desk.domain,
    )
    .join_from(FeedSecret, Desk, true())
    .outerjoin(Technician, Technician.id == FeedSecret.technician_id)
    .outerjoin(Contact, Contact.id == FeedSecret.contact_id)
    .outerjoin(Customer, Customer.id == Contact.customer_id)
    .where(FeedSecret.secret_hash == bindparam("secret_hash"))
)


def find(session: Session, secret: str) -> Subscription | None:
    """The subscription of an address, by one query that gives one row; None for an unknown secret."""
    row = session.execute(_QUERY, {"secret_hash": hash_secret(secret)}).one_or_none()
    return None if row is None else _subscription(row)


def _subscription(row: Row[*tuple[Any, ...]]) -> Subscription:
    moments = (row.settings_changed_at, row.changed_at, row.team_changed_at)
    return Subscription(
        id=row.id,
        scope=row.scope,
        detail=row.detail,
        alarm_minutes=row.alarm_minutes,
        last_read_at=row.last_read_at,
        left_out=row.left_out,
        technician_id=row.technician_id,
        customer_id=row.customer_id,
        ended=_ended(row),
        name=row.desk if row.scope in ("team", "customer") else row.name,
        email=row.email or "",
        locale=row.locale,
        zone=row.zone,
        domain=row.domain,
        rev=row.rev if row.team_rev is None else int(row.team_rev),
        changed_at=max(moment for moment in moments if moment is not None),
    )


def _ended(row: Row[*tuple[Any, ...]]) -> bool:
    if row.revoked_at is not None:
        return True
    if row.scope == "customer":
        return False
    return not row.active or (row.scope == "team" and row.role != "dispatcher")
