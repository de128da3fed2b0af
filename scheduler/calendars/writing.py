"""Calendar bytes follow their booking: written in the transaction that changes it, so readers never wait.

Whoever changes what a technician sees calls `write_event` last, after the booking's row is as it shall be.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    SQLColumnExpression,
    bindparam,
    func,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from scheduler.calendars import sync
from scheduler.calendars.event import (
    GONE,
    SERIALISER_VERSION,
    EventFacts,
    FailedStep,
    busy_bytes,
    event_bodies,
)
from scheduler.calendars.faces import LINK_PLACE
from scheduler.calendars.invite import invite_event, invite_facts
from scheduler.context import DeskContext
from scheduler.rules.conditions import Conditions
from scheduler.store.bookings import Booking, CalendarObject, Entitlement
from scheduler.store.people import Customer, Technician
from scheduler.store.systems import AccessPoint, System
from scheduler.store.types import Instant

CANCELLED_STAYS = timedelta(days=7)
"""A cancelled event is shown as such for a week: clients that merely miss it may keep the old one."""

Explain = Callable[[Session, Booking, str], FailedStep | None]
"""Says in a language (es, en) which step of the booking's last check failed; None: none did."""


def code_alone(_session: Session, booking: Booking, _locale: str) -> FailedStep | None:
    """The failure as its stable code, for callers that know no more words for it."""
    if booking.verdict not in ("not_ready", "at_risk") or booking.verdict_code is None:
        return None
    return FailedStep(booking.verdict_code.replace("_", " "), booking.verdict_code)


def write_event(
    session: Session,
    desk: DeskContext,
    booking: Booking,
    now: datetime,
    *,
    left_technician_id: int | None = None,
    explain: Explain = code_alone,
    new: bool = False,
) -> None:
    """Serialise the booking for its technician and count the change on every calendar it touches.

    A hold, and a booking that ended before it ever showed, write nothing: five minutes are not worth a
    client's poll. `left_technician_id` had it until now; `new`: it was inserted in this transaction.
    PostgreSQL: the technicians' rows are locked here, in order of id; callers that lock the booking first and
    technicians elsewhere risk a deadlock, which the store's `retrying` resolves.
    """
    session.flush()
    kept = None if new else session.get(CalendarObject, booking.id, populate_existing=True)
    if kept is None and (booking.status == "held" or booking.status in GONE):
        return
    touched = {booking.technician_id, left_technician_id, kept.technician_id if kept else None}
    technicians = count_change(session, [id_ for id_ in touched if id_ is not None], now)
    facts = event_facts(session, desk, booking, technicians[booking.technician_id], explain)
    locale = _count_for_customer(session, booking.customer_id, now)
    theirs = invite_facts(session, desk, booking, locale, LINK_PLACE)
    if kept is None:
        kept = CalendarObject(booking_id=booking.id)
        session.add(kept)
    elif kept.technician_id != booking.technician_id:
        sync.leave(session, kept.technician_id, booking.id, technicians[kept.technician_id].calendar_rev, now)
        sync.come_back(session, booking.technician_id, booking.id)
    _fill(kept, booking, facts, now)
    kept.calendar_rev = technicians[booking.technician_id].calendar_rev
    kept.vevent_customer = invite_event(theirs)
    session.flush()


def _fill(kept: CalendarObject, booking: Booking, facts: EventFacts, now: datetime) -> None:
    kept.technician_id = booking.technician_id
    kept.starts_at = booking.starts_at
    kept.ends_at = booking.ends_at
    kept.leaves_at = (kept.leaves_at or now + CANCELLED_STAYS) if booking.status in GONE else None
    kept.zone = facts.zone
    kept.rev = booking.rev
    kept.vevent, kept.vevent_with_host = event_bodies(facts)
    kept.vevent_busy = busy_bytes(facts)
    kept.serialiser = SERIALISER_VERSION


def count_change(session: Session, technician_ids: Collection[int], now: datetime) -> dict[int, Technician]:
    """Raise the revision of these calendars; their change time grows by a second at least.

    Two changes in one second would otherwise share a Last-Modified, and a client would miss the second one.
    """
    session.flush()
    raised = _raise_technician(session.get_bind().dialect.name)
    # One by one in order of id, so that two moves between the same technicians wait for each other.
    return {id_: session.scalars(raised, {"whose": id_, "now": now}).one() for id_ in sorted(technician_ids)}


@cache
def _raise_technician(dialect: str) -> ReturningUpdate[Technician]:
    return (
        update(Technician)
        .where(Technician.id == bindparam("whose"))
        .values(
            calendar_rev=Technician.calendar_rev + 1,
            calendar_changed_at=_later(dialect, Technician.calendar_changed_at),
        )
        .returning(Technician)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def _count_for_customer(session: Session, customer_id: int, now: datetime) -> str:
    """Raise the revision of the customer's own calendar; the language it is written in.

    The customer is not read anew with it: with their row, their contacts would be read again for the mails.
    """
    raised = _raise_customer(session.get_bind().dialect.name)
    locale = session.scalars(raised, {"whose": customer_id, "now": now}).one()
    known = session.identity_map.get(session.identity_key(Customer, customer_id))
    if known is not None:
        session.expire(known, ["calendar_rev", "calendar_changed_at"])
    return locale


@cache
def _raise_customer(dialect: str) -> ReturningUpdate[str]:
    changed_at = func.coalesce(Customer.calendar_changed_at, Customer.created_at)
    return (
        update(Customer)
        .where(Customer.id == bindparam("whose"))
        .values(calendar_rev=Customer.calendar_rev + 1, calendar_changed_at=_later(dialect, changed_at))
        .returning(Customer.locale)
        .execution_options(synchronize_session=False)
    )


def _later(dialect: str, before: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """The bound `now`, or a second after the last change if the clock has not passed it."""
    now = bindparam("now", type_=Instant())
    if dialect == "postgresql":
        return func.greatest(now, before + text("interval '1 second'"))
    return func.max(now, type_coerce(before, Integer) + 1)


def event_facts(
    session: Session,
    desk: DeskContext,
    booking: Booking,
    technician: Technician,
    explain: Explain = code_alone,
) -> EventFacts:
    """What the technician's calendar says, read fresh: relationships may still show the old row."""
    customer = session.get_one(Customer, booking.customer_id)
    system = session.get_one(System, booking.system_id)
    door = session.get_one(AccessPoint, booking.access_point_id)
    return EventFacts(
        uid=booking.uid,
        sequence=booking.sequence,
        changed_at=booking.changed_at,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        zone=technician.zone,
        locale=technician.locale,
        status=booking.status,
        verdict=booking.verdict,
        checked_at=booking.checked_at,
        failed_step=explain(session, booking, technician.locale),
        platform=system.platform,
        system_name=system.name,
        method=door.method,
        host=door.host,
        port=door.port,
        customer=customer.company,
        contact=_contact(customer, booking),
        entitlement=session.get_one(Entitlement, booking.entitlement_id).kind,
        topic=_topic(desk.conditions, booking.topic, technician.locale),
        description=booking.description,
        session_url=f"{desk.installation.link_base}/s/{booking.id}",
    )


def _contact(customer: Customer, booking: Booking) -> str:
    """Who booked, or the customer's first contact when the desk did."""
    people = customer.contacts
    booked = [person for person in people if booking.created_by == f"customer:{person.id}"]
    person = next(iter(booked or people), None)
    return ", ".join(filter(None, (person.name, person.phone, person.email))) if person else ""


def _topic(conditions: Conditions, code: str | None, locale: str) -> str:
    """The topic's name; a code that the conditions no longer list stands for itself."""
    names = {t.code: t.en if locale.startswith("en") else t.es for t in conditions.topics_included}
    return names.get(code, code) if code else ""
