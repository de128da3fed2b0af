"""The queue: joining it for a range of days, leaving it, being taken off it, and reading it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler import audit, entitlements
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.granting import require_day
from scheduler.customers.keeping import clean_zone, require_dispatcher
from scheduler.doors import systems
from scheduler.rules.access import refuse_tools, require_method
from scheduler.rules.intervals import Interval
from scheduler.rules.refusals import (
    BeyondHorizon,
    DurationNotOffered,
    InvalidInput,
    LeadTimeTooShort,
    NotFound,
    RangeHasFreeTimes,
)
from scheduler.rules.text import clean_text
from scheduler.slots.availability import candidates, last_bookable_at, lead_ledger, offers
from scheduler.slots.placing import DESCRIPTION_LENGTH
from scheduler.store.engines import is_duplicate
from scheduler.store.models import AccessPoint, Customer, Entitlement, SlotOffer, WaitingEntry
from scheduler.waiting.closing import close_entry, withdraw
from scheduler.waiting.offering import first_start
from scheduler.waiting.telling import tell_ended

REASON_LENGTH = 500
SHOWN_FREE = 3


@dataclass(frozen=True, slots=True)
class WaitingForm:
    """What was typed: first and last day as ISO text, on the clock of `zone`; the rest as for a booking."""

    access_point_id: int
    entitlement_id: int
    minutes: int
    zone: str
    from_on: str
    until_on: str
    technician_id: int | None = None
    topic: str | None = None
    description: str = ""


def join(session: Session, desk: DeskContext, now: datetime, actor: Actor, form: WaitingForm) -> WaitingEntry:
    """Wait for any slot of this length inside the range; the last in the queue. Staff put customers on it as well.

    Raises InvalidInput (from_on, until_on, description; waiting: too_many, waiting_already), LeadTimeTooShort and
    BeyondHorizon where nothing of the range could be booked, RangeHasFreeTimes where something can, the refusals of
    `entitlements.require`, MethodNotAccepted, ToolNotAccepted, DurationNotOffered, NotFound.
    """
    point = systems.visible_door(session, actor, form.access_point_id)
    customer_id = point.system.customer_id
    require_method(desk.conditions, point.system.platform, point.method)
    if form.minutes not in desk.conditions.durations_minutes:
        raise DurationNotOffered(offered=desk.conditions.durations_minutes)
    wanted = _range(desk, now, form)
    right = entitlements.require(
        session,
        desk,
        max(now, wanted.start),
        form.minutes,
        form.entitlement_id,
        customer_id,
        form.topic,
    )
    description = clean_text("description", form.description, DESCRIPTION_LENGTH, multiline=True)
    refuse_tools(desk.conditions, "description", description)
    _refuse_free(session, desk, now, point, right, wanted, form)
    _refuse_hopeless(desk, now, right.kind, wanted, form.minutes)
    _refuse_many(session, desk, customer_id)
    entry = _keep(session, now, actor, customer_id, form, wanted, description)
    _audit(session, desk, now, actor, "waiting.join", entry, minutes=entry.minutes)
    return entry


def leave(session: Session, desk: DeskContext, now: datetime, actor: Actor, entry_id: int) -> WaitingEntry:
    """Wait no longer; a slot kept for it is let go. A second time changes nothing. Raises NotFound."""
    entry = find(session, entry_id, actor.customer_id)
    if close_entry(session, now, entry, "left", actor):
        withdraw(session, now, entry)
        _audit(session, desk, now, actor, "waiting.leave", entry)
    return entry


def remove(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, entry_id: int, reason: str
) -> WaitingEntry:
    """Take an entry off the list; the reason is mailed to the customer.

    Raises NotAllowed for anybody but a dispatcher, NotFound, InvalidInput("reason").
    """
    require_dispatcher(actor)
    entry = find(session, entry_id)
    said = clean_text("reason", reason, REASON_LENGTH, required=True)
    if close_entry(session, now, entry, "removed", actor, said):
        withdraw(session, now, entry)
        tell_ended(session, desk, now, entry)
        _audit(session, desk, now, actor, "waiting.remove", entry, reason=said)
    return entry


def find(session: Session, entry_id: int, customer_id: int | None = None) -> WaitingEntry:
    """One entry; with `customer_id` only theirs. Raises NotFound."""
    entry = session.get(WaitingEntry, entry_id)
    if entry is None or customer_id not in (None, entry.customer_id):
        raise NotFound("waiting_entry")
    return entry


def queue(session: Session, customer_id: int | None = None) -> list[WaitingEntry]:
    """Who waits, in the order in which they are asked; of one customer or of all."""
    query = select(WaitingEntry).where(WaitingEntry.state == "waiting")
    if customer_id is not None:
        query = query.where(WaitingEntry.customer_id == customer_id)
    return list(session.scalars(query.order_by(WaitingEntry.created_at, WaitingEntry.id)))


def past(session: Session, customer_id: int | None = None, limit: int = 50) -> list[WaitingEntry]:
    """Who no longer waits, the last first."""
    query = select(WaitingEntry).where(WaitingEntry.state != "waiting")
    if customer_id is not None:
        query = query.where(WaitingEntry.customer_id == customer_id)
    newest = query.order_by(WaitingEntry.closed_at.desc(), WaitingEntry.id.desc())
    return list(session.scalars(newest.limit(limit)))


def count_waiting(session: Session, customer_id: int | None = None) -> int:
    """How many wait."""
    query = select(func.count()).select_from(WaitingEntry).where(WaitingEntry.state == "waiting")
    if customer_id is not None:
        query = query.where(WaitingEntry.customer_id == customer_id)
    return session.scalar(query) or 0


def offers_of(session: Session, entries: Sequence[WaitingEntry]) -> dict[int, list[SlotOffer]]:
    """What each entry was offered, by its id, in time order."""
    found: dict[int, list[SlotOffer]] = {entry.id: [] for entry in entries}
    query = select(SlotOffer).where(SlotOffer.entry_id.in_(found)).order_by(SlotOffer.id)
    for offer in session.scalars(query):
        found[offer.entry_id].append(offer)
    return found


def _range(desk: DeskContext, now: datetime, form: WaitingForm) -> Interval:
    zone = ZoneInfo(clean_zone(form.zone))
    today = now.astimezone(zone).date()
    first, last = _day("from_on", form.from_on, today), _day("until_on", form.until_on, today)
    if last < first:
        raise InvalidInput("until_on", "before_start", start=first)
    longest = desk.conditions.waiting.longest_days
    if (last - first).days >= longest:
        raise InvalidInput("until_on", "range_too_long", longest_days=longest)
    return Interval(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def _day(name: str, typed: str, today: date) -> date:
    day = require_day(name, typed)
    if day < today:
        raise InvalidInput(name, "in_the_past", today=today)
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone).astimezone(UTC)


def _refuse_hopeless(desk: DeskContext, now: datetime, kind: str, wanted: Interval, minutes: int) -> None:
    ledger = first_start(desk, kind, now)
    if ledger.earliest_at + timedelta(minutes=minutes) > wanted.end:
        raise LeadTimeTooShort(earliest_at=ledger.earliest_at, ledger=ledger)
    last = last_bookable_at(desk, now)
    if wanted.start > last:
        raise BeyondHorizon(last_on=desk.today(last))


def _refuse_free(
    session: Session,
    desk: DeskContext,
    now: datetime,
    point: AccessPoint,
    right: Entitlement,
    wanted: Interval,
    form: WaitingForm,
) -> None:
    """Who can book at once has nothing to wait for, and would be offered one slot after another."""
    people = candidates(session, point.system.customer, point.system.platform, form.technician_id)
    if not people:
        raise NotFound("technician")
    earliest_at = lead_ledger(desk, right.kind, now).earliest_at
    start, end = max(wanted.start, earliest_at), min(wanted.end, last_bookable_at(desk, now))
    if start >= end:
        return
    length = timedelta(minutes=form.minutes)
    found = offers(session, desk, now, people, length, Interval(start, end), earliest_at)
    if found:
        raise RangeHasFreeTimes(alternatives=[offer.slot.start for offer in found[:SHOWN_FREE]])


def _refuse_many(session: Session, desk: DeskContext, customer_id: int) -> None:
    most = desk.conditions.waiting.entries_per_customer
    # Two of one company at the same moment would both count one too few.
    session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    if count_waiting(session, customer_id) >= most:
        raise InvalidInput("waiting", "too_many", limit=most)


def _keep(
    session: Session,
    now: datetime,
    actor: Actor,
    customer_id: int,
    form: WaitingForm,
    wanted: Interval,
    description: str,
) -> WaitingEntry:
    entry = WaitingEntry(
        customer_id=customer_id,
        contact_id=None if actor.staff else actor.id or None,
        access_point_id=form.access_point_id,
        entitlement_id=form.entitlement_id,
        technician_id=form.technician_id,
        topic=form.topic,
        description=description,
        minutes=form.minutes,
        zone=form.zone,
        from_at=wanted.start,
        until_at=wanted.end,
        state="waiting",
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(entry)
            session.flush()
    except IntegrityError as error:
        if is_duplicate(error, "uq_waiting_entry_open"):
            raise InvalidInput("waiting", "waiting_already") from None
        raise
    return entry


def _audit(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    action: str,
    entry: WaitingEntry,
    **facts: object,
) -> None:
    facts |= {"from": entry.from_at.isoformat(), "until": entry.until_at.isoformat()}
    audit.record(session, desk.installation, now, actor, action, f"waiting:{entry.id}", **facts)
