"""A customer's page put together: people, systems, rights and sessions as a dispatcher reads them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from scheduler.context import DeskContext
from scheduler.customers import merging
from scheduler.doors import systems
from scheduler.entitlements import facts_of, granted_minutes
from scheduler.rules.entitlement import last_day
from scheduler.rules.verdict import light
from scheduler.store.models import Booking, Customer, Entitlement, FormerCustomer
from web import i18n
from web.i18n import gettext as _
from web.parts.ledger import full_date
from web.public import kind_word
from web.words.refusals import status_word

RECENT = 20


@dataclass(frozen=True, slots=True)
class Right:
    """One entitlement as a row of the page; minutes where they are counted."""

    id: int
    title: str
    about: str
    state: str
    """ok, warn (little is left, or something is missing) or done (over)."""
    left: int | None
    granted: int


def customer_view(session: Session, desk: DeskContext, row: Customer, at: datetime) -> dict[str, Any]:
    """What the template needs besides the customer itself."""
    former = session.scalars(select(FormerCustomer).where(FormerCustomer.customer_id == row.id))
    return {
        "rights": rights(session, desk, row.id, at),
        "doors": [_door(point) for point in systems.doors(session, row.id)],
        "bookings": [_booking(booking) for booking in _bookings(session, row.id)],
        "moving": merging.moving(session, row.id),
        "former": [f"{each.company} ({each.cif})" for each in former],
    }


def rights(session: Session, desk: DeskContext, customer_id: int, at: datetime) -> list[Right]:
    """The customer's entitlements, those in force first."""
    query = select(Entitlement).where(Entitlement.customer_id == customer_id).order_by(Entitlement.id.desc())
    rows = list(session.scalars(query))
    granted = granted_minutes(session, [row.id for row in rows])
    found = [right_view(desk, row, granted.get(row.id, 0), desk.today(at)) for row in rows]
    return sorted(found, key=lambda right: right.state == "done")


def right_view(desk: DeskContext, row: Entitlement, granted: int, today: date) -> Right:
    """One entitlement in words: what it is, until when, and what is wrong with it."""
    last = last_day(facts_of(row), desk.conditions)
    over = last is not None and last < today
    lacking = _lacking(desk, row, today)
    low = row.metered and row.balance_minutes < desk.conditions.low_balance_minutes
    about = [_dates(row, last, today), *lacking]
    if over and row.metered and row.balance_minutes:
        about.append(_("%(hours)s were not used", hours=i18n.say_hours(row.balance_minutes)))
    if row.serial:
        about.insert(0, _("serial number %(serial)s", serial=row.serial))
    if row.invoice:
        about.insert(1, _("invoice %(invoice)s", invoice=row.invoice))
    state = "done" if over else "warn" if low or lacking else "ok"
    left = row.balance_minutes if row.metered else None
    return Right(row.id, kind_word(row.kind), " · ".join(about), state, left, granted)


def _dates(row: Entitlement, last: date | None, today: date) -> str:
    if last is None:
        return _("without end")
    if last < today:
        return _("ended on %(day)s", day=full_date(last))
    if row.valid_from > today:
        return _("from %(day)s", day=full_date(row.valid_from))
    return _("until %(day)s", day=full_date(last))


def _lacking(desk: DeskContext, row: Entitlement, today: date) -> list[str]:
    """What a reseller still lacks for support by telephone."""
    if row.kind != "reseller":
        return []
    found = []
    if (row.purchases_cents or 0) <= desk.conditions.reseller_minimum_cents:
        least = i18n.say_euros(desk.conditions.reseller_minimum_cents)
        found.append(_("purchases have not passed %(amount)s", amount=least))
    if row.contract_on is None or row.contract_on > today:
        found.append(_("no reseller contract in force"))
    return found


def _door(point: Any) -> dict[str, Any]:
    return {
        "id": point.id,
        "name": point.system.name,
        "platform": i18n.say_platform(point.system.platform),
        "method": i18n.say_method(point.method),
        "address": f"{point.host}:{point.port}",
        "username": point.username,
        "credential": point.credential_kind,
    }


def _bookings(session: Session, customer_id: int) -> list[Booking]:
    query = (
        select(Booking)
        .where(Booking.customer_id == customer_id, Booking.status != "held")
        .options(joinedload(Booking.technician), joinedload(Booking.system))
        .order_by(Booking.starts_at.desc())
    )
    return list(session.scalars(query.limit(RECENT)))


def _booking(row: Booking) -> dict[str, Any]:
    return {
        "url": url_for("technician.session.page", booking_id=row.id),
        "when": i18n.say_window(row.starts_at, row.ends_at),
        "technician": row.technician.name,
        "system": row.system.name,
        "status": status_word(row.status),
        "light": light(row.verdict) if row.status == "confirmed" else None,
    }
