"""The hour ledger as people read it: every minute in and out, by whom, for which session, with a running balance."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import audit, entitlements
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.keeping import require_dispatcher
from scheduler.mailing import notices
from scheduler.rules.refusals import InvalidInput
from scheduler.rules.text import clean_text
from scheduler.store.models import Booking, Contact, Entitlement, LedgerEntry, LedgerNote, Technician
from scheduler.wording import say_day, say_hours

SHORTEST_REASON = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: minutes with their sign, the balance after it, who moved it, and what for."""

    id: int
    at: datetime
    reason: str
    """grant, hold, consume, release, reverse, or correction: an entry of a dispatcher with a written reason."""
    minutes: int
    balance: int
    by: str
    """A person's name; "system" for the desk itself; "" for somebody who is no longer there."""
    booking: Booking | None
    note: str | None


def lines(session: Session, right: Entitlement) -> list[Line]:
    """The ledger of an entitlement, the oldest entry first."""
    rows = session.execute(
        select(LedgerEntry, LedgerNote.text, Booking)
        .outerjoin(LedgerNote, LedgerNote.entry_id == LedgerEntry.id)
        .outerjoin(Booking, Booking.id == LedgerEntry.booking_id)
        .where(LedgerEntry.entitlement_id == right.id)
        .order_by(LedgerEntry.id)
    ).all()
    names = people(session, {entry.by for entry, _, _ in rows})
    found, balance = [], 0
    for entry, note, booking in rows:
        balance += entry.minutes
        reason = "correction" if note else entry.reason
        by = names.get(entry.by, "")
        found.append(Line(entry.id, entry.at, reason, entry.minutes, balance, by, booking, note))
    return found


def people(session: Session, actors: Collection[str]) -> dict[str, str]:
    """The names of actors as ledger and audit log write them ("technician:3"), where they are still known."""
    found = {"system": "system"}
    ids: dict[str, set[int]] = {"staff": set(), "customer": set()}
    for actor in actors:
        kind, _, number = actor.partition(":")
        if number.isdigit():
            ids["customer" if kind == "customer" else "staff"].add(int(number))
    for person in session.execute(
        select(Technician.id, Technician.name).where(Technician.id.in_(ids["staff"]))
    ):
        found |= {f"{kind}:{person.id}": person.name for kind in ("technician", "dispatcher")}
    query = select(Contact.id, Contact.name).where(Contact.id.in_(ids["customer"]))
    return found | {f"customer:{person.id}": person.name for person in session.execute(query)}


def add_hours(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, right: Entitlement, minutes: int
) -> None:
    """More bought hours in an entitlement that counts them. Raises NotAllowed, InvalidInput("hours", …)."""
    require_dispatcher(actor)
    _require_metered(right)
    entitlements.grant(session, now, right, minutes, actor)
    _audit(session, desk, now, actor, "ledger.grant", right, minutes=minutes)


def correct(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    right: Entitlement,
    minutes: int,
    reason: str,
) -> None:
    """Put the balance right by an entry of its own, with a written reason; what was entered stays.

    Raises NotAllowed, InvalidInput("minutes" or "reason", …), HoursExhausted when more is taken than is there.
    """
    require_dispatcher(actor)
    _require_metered(right)
    text = clean_text("reason", reason, 500, required=True)
    if len(text) < SHORTEST_REASON:
        raise InvalidInput("reason", "too_short", minimum=SHORTEST_REASON)
    if minutes == 0 or minutes % 15:
        raise InvalidInput("minutes", "quarter_hours")
    with watching(session, desk, now, right):
        entry = entitlements.correct(session, now, right, minutes, actor)
    session.add(LedgerNote(entry_id=entry.id, text=text))
    session.flush()
    _audit(session, desk, now, actor, "ledger.correct", right, minutes=minutes, reason=text)


@contextmanager
def watching(session: Session, desk: DeskContext, now: datetime, right: Entitlement) -> Iterator[None]:
    """Tell the customer when what happens inside takes the balance below the conditions' threshold.

    Compared before and after, so that closing a session, which releases and consumes, warns once at most.
    """
    before, threshold = right.balance_minutes, desk.conditions.low_balance_minutes
    yield
    session.flush()
    if right.metered and right.balance_minutes < threshold <= before:
        _warn(session, desk, now, right)


def _warn(session: Session, desk: DeskContext, now: datetime, right: Entitlement) -> None:
    last = session.scalar(
        select(LedgerEntry.id)
        .where(LedgerEntry.entitlement_id == right.id)
        .order_by(LedgerEntry.id.desc())
        .limit(1)
    )
    locale = right.customer.locale
    until = right.valid_until
    facts = {
        "balance": say_hours(right.balance_minutes, locale),
        "company": right.customer.company,
        "until": f"{say_day(until, locale)}, {until.year}" if until else None,
        "link": f"{desk.installation.link_base}/book/support/{right.id}",
    }
    for person in right.customer.contacts:
        reader = notices.Reader(person.name, person.email, locale)
        notices.write(session, desk, now, f"low:{last}:{person.email}", "low_balance", reader, facts)


def _require_metered(right: Entitlement) -> None:
    if not right.metered:
        raise InvalidInput("granted_hours", "not_metered")


def _audit(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    action: str,
    right: Entitlement,
    **facts: object,
) -> None:
    subject = f"entitlement:{right.id}"
    audit.record(session, desk.installation, now, actor, action, subject, customer=right.customer_id, **facts)
