"""How a booking wins its place: facts read, rules asked, then one INSERT or UPDATE that the database decides."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from scheduler import entitlements
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.links import booking_token, token_hash
from scheduler.rules import refusals
from scheduler.rules.access import refuse_tools, require_method
from scheduler.rules.intervals import Interval
from scheduler.rules.lead_time import LeadLedger
from scheduler.rules.text import clean_text
from scheduler.slots.availability import alternatives, candidates
from scheduler.slots.bookable import Wish, refuse_unbookable
from scheduler.store import booking_rows
from scheduler.store.bookings import Booking, Entitlement
from scheduler.store.people import Customer
from scheduler.store.systems import AccessPoint, System

DESCRIPTION_LENGTH = 4000
OVERRIDE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """What is asked for; `starts_at` is UTC, `zone` is the one the person chose the time in."""

    access_point_id: int
    entitlement_id: int
    starts_at: datetime
    minutes: int
    zone: str
    technician_id: int | None = None
    """None: the first free technician, the customer's assigned one first."""
    topic: str | None = None
    description: str = ""
    override_reason: str | None = None
    """Dispatchers only: why the lead time does not apply; written into booking and audit."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a booking should go: start (UTC) as chosen in `zone`, and another technician or the same."""

    seen_rev: int
    starts_at: datetime
    zone: str
    technician_id: int | None = None
    override_reason: str | None = None


_DOOR = (
    select(AccessPoint)
    .where(AccessPoint.id == bindparam("id"))
    .options(
        joinedload(AccessPoint.system, innerjoin=True)
        .joinedload(System.customer, innerjoin=True)
        .joinedload(Customer.contacts)
    )
)


def insert(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    request: BookingRequest,
    status: str,
    held_until: datetime | None = None,
) -> Booking:
    """Insert a booking in this status for the first technician who may take it.

    Raises the refusals of `refuse_unbookable`, SlotTaken, NotEntitled and its kin, MethodNotAccepted, ToolNotAccepted,
    InvalidInput, and NotFound for a door or an entitlement of somebody else.
    """
    point, customer = _door(session, actor, request.access_point_id)
    require_method(desk.conditions, point.system.platform, point.method)
    text = _texts(desk, actor, request)
    entitlement = entitlements.require(
        session, desk, request.starts_at, request.minutes, request.entitlement_id, customer.id, request.topic
    )
    wish = Wish(
        starts_at=request.starts_at,
        minutes=request.minutes,
        kind=entitlement.kind,
        technicians=tuple(candidates(session, customer, point.system.platform, request.technician_id)),
        override=request.override_reason is not None,
    )
    bookable = refuse_unbookable(session, desk, now, wish)
    fixed = text | _identity(desk) | _parties(point, customer, entitlement)
    fixed |= {"status": status, "held_until": held_until, "topic": request.topic, "created_by": str(actor)}
    fixed |= _lead(now, bookable.ledger, request.override_reason) | {"changed_at": now}
    span = Interval(request.starts_at, request.starts_at + timedelta(minutes=request.minutes))
    for technician in bookable.technicians:
        values = fixed | _when(technician.id, span, request.zone)
        booking = booking_rows.insert_booking(session, values)
        if booking is None and booking_rows.expire_holds(session, technician.id, now):
            booking = booking_rows.insert_booking(session, values)
        if booking is not None:
            return booking
    raise _taken(session, desk, now, wish, bookable.ledger)


def _door(session: Session, actor: Actor, access_point_id: int) -> tuple[AccessPoint, Customer]:
    point = session.scalars(_DOOR, {"id": access_point_id}).unique().one_or_none()
    if point is None or (actor.customer_id is not None and point.system.customer_id != actor.customer_id):
        raise refusals.NotFound("access_point")
    return point, point.system.customer


def _texts(desk: DeskContext, actor: Actor, request: BookingRequest) -> dict[str, Any]:
    description = clean_text("description", request.description, DESCRIPTION_LENGTH, multiline=True)
    refuse_tools(desk.conditions, "description", description)
    reason = request.override_reason
    if reason is not None:
        reason = override_reason(actor, reason)
    return {"description": description, "override_reason": reason}


def override_reason(actor: Actor, reason: str) -> str:
    """The cleaned reason. Raises NotAllowed unless a dispatcher writes it, InvalidInput when it says nothing."""
    if actor.kind not in ("dispatcher", "system"):
        raise refusals.NotAllowed("override_lead_time")
    cleaned = clean_text("override_reason", reason, OVERRIDE_LENGTH)
    if len(cleaned) < 10:
        raise refusals.InvalidInput("override_reason", "too_short", minimum=10)
    return cleaned


def _identity(desk: DeskContext) -> dict[str, Any]:
    uid = f"{uuid.uuid4()}@{desk.domain}"
    return {"uid": uid, "link_hash": token_hash(booking_token(desk.installation.keys.link, uid))}


def _parties(point: AccessPoint, customer: Customer, entitlement: Entitlement) -> dict[str, Any]:
    return {
        "customer_id": customer.id,
        "system_id": point.system_id,
        "access_point_id": point.id,
        "entitlement_id": entitlement.id,
    }


def _when(technician_id: int, span: Interval, zone: str) -> dict[str, Any]:
    wall = span.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return {
        "technician_id": technician_id,
        "starts_at": span.start.astimezone(UTC),
        "ends_at": span.end.astimezone(UTC),
        "wall_start": wall.isoformat(timespec="minutes"),
        "wall_zone": zone,
    }


def _lead(now: datetime, ledger: LeadLedger, override: str | None) -> dict[str, Any]:
    """The lead rule as it was applied, which the database checks again."""
    return {
        "requested_at": now,
        "lead_minutes": ledger.lead.minutes,
        "lead_counted": ledger.lead.counted,
        "earliest_at": ledger.earliest_at,
        "override_reason": override,
    }


def _kept_lead(booking: Booking, override: str | None) -> dict[str, Any]:
    """The lead rule as it was applied when this very start was asked for."""
    names = ("requested_at", "lead_minutes", "lead_counted", "earliest_at")
    kept = {name: getattr(booking, name) for name in names}
    return kept | {"override_reason": override or booking.override_reason}


def place(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, booking: Booking, to: Move
) -> None:
    """Win the new slot for the booking, trying each technician who may take it."""
    span = Interval(to.starts_at, to.starts_at + (booking.ends_at - booking.starts_at))
    reason = None if to.override_reason is None else override_reason(actor, to.override_reason)
    wish = _wish(session, booking, span, to)
    asked_at = later_than(booking.changed_at, now)  # a clock that was set back shortens nobody's notice
    bookable = refuse_unbookable(session, desk, asked_at, wish, ignore=frozenset({booking.id}))
    untested = {"verdict": "unknown", "verdict_code": None, "checked_at": None}
    lead = _kept_lead(booking, reason) if wish.kept else _lead(asked_at, bookable.ledger, reason)
    version = next_version(booking, now)
    fixed = lead | version | untested | {"asked_sequence": version["sequence"]}
    for technician in bookable.technicians:
        values = _when(technician.id, span, to.zone) | fixed
        moved = booking_rows.move_booking(session, booking.id, to.seen_rev, values)
        if moved is booking_rows.Lost.STALE:
            raise refusals.StaleRevision(current_rev=to.seen_rev + 1)
        if moved:
            session.refresh(booking)
            return
    raise _taken(session, desk, now, wish, bookable.ledger)


def _wish(session: Session, booking: Booking, span: Interval, to: Move) -> Wish:
    wanted = to.technician_id or booking.technician_id
    return Wish(
        starts_at=span.start,
        minutes=int((span.end - span.start).total_seconds() // 60),
        kind=booking.entitlement.kind,
        technicians=tuple(candidates(session, booking.customer, booking.system.platform, wanted)),
        override=to.override_reason is not None,
        kept=span.start == booking.starts_at,
    )


def next_version(booking: Booking, now: datetime) -> dict[str, Any]:
    """What every visible change of a booking writes, so that calendar clients notice it."""
    return {"sequence": booking.sequence + 1, "changed_at": later_than(booking.changed_at, now)}


def later_than(before: datetime, now: datetime) -> datetime:
    """`now`, or one second after `before` if the clock has not passed it: calendar clients need growth."""
    return max(now, before + timedelta(seconds=1))


def _taken(
    session: Session, desk: DeskContext, now: datetime, wish: Wish, ledger: LeadLedger
) -> refusals.SlotTaken:
    not_before = now if wish.override else ledger.earliest_at
    length = timedelta(minutes=wish.minutes)
    wanted = Interval(wish.starts_at, wish.starts_at + length)
    return refusals.SlotTaken(
        alternatives=alternatives(session, desk, now, wish.technicians, wanted, not_before)
    )
