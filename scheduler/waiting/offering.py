"""Every few seconds: turns that passed unanswered end, and each slot that is free goes to the first who waits for it.

Looking reads without a lock; choosing who is next, keeping the slot, the offer and its mail are one transaction.
Several processes may sweep at once: the database lets an entry have one open offer at most, and a slot one booking.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from scheduler import audit
from scheduler.actor import SYSTEM
from scheduler.bookings.booking import release_holds
from scheduler.clock import Clock
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.links import token_hash
from scheduler.rules.intervals import Interval
from scheduler.rules.lead_time import LeadLedger
from scheduler.rules.refusals import Refusal, SlotTaken
from scheduler.rules.slots import Slot
from scheduler.slots.availability import candidates, counted_from, last_bookable_at, lead_ledger, offers
from scheduler.slots.placing import BookingRequest, insert
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, SlotOffer, WaitingEntry
from scheduler.waiting.closing import close_entry, close_offer, holder
from scheduler.waiting.telling import offer_token, tell_ended, tell_offer

LOG = logging.getLogger(__name__)
_LOCK = 0x57414954
"""PostgreSQL advisory lock of the queue."""
MOST_AT_ONCE = 50
"""Offers of one sweep; the next one goes on where it stopped."""


def sweep(factory: sessionmaker[Session], clock: Clock, installation: Installation) -> None:
    """End what has passed, then offer what is free. Safe to run in several processes at once."""
    with read(factory) as session:
        if session.scalar(select(WaitingEntry.id).where(WaitingEntry.state == "waiting").limit(1)) is None:
            return
        desk = load_desk(session, installation)
    _close_passed(factory, desk, clock())
    passed_over: set[int] = set()
    for _ in range(MOST_AT_ONCE):
        with read(factory) as session:
            if _next(session, desk, clock(), passed_over) is None:
                return
        _offer(factory, installation, clock(), passed_over)


def answer_until(desk: DeskContext, now: datetime) -> datetime:
    """Until when a slot offered now is kept."""
    return counted_from(desk, desk.conditions.waiting.answer, now).earliest_at


def first_start(desk: DeskContext, kind: str, now: datetime) -> LeadLedger:
    """The earliest start that may be offered now: the notice must still be kept when the answer comes last."""
    return lead_ledger(desk, kind, answer_until(desk, now))


def request_of(entry: WaitingEntry, starts_at: datetime, technician_id: int | None) -> BookingRequest:
    """The wish of an entry for one slot."""
    return BookingRequest(
        access_point_id=entry.access_point_id,
        entitlement_id=entry.entitlement_id,
        starts_at=starts_at,
        minutes=entry.minutes,
        zone=entry.zone,
        technician_id=technician_id,
        topic=entry.topic,
        description=entry.description,
    )


def _close_passed(factory: sessionmaker[Session], desk: DeskContext, now: datetime) -> None:
    """Let go of what nobody answered in time, and end the wait of those whom nothing can be offered any more."""
    with read(factory) as session:
        lapsed = list(session.scalars(_passed(now)))
        times = _FreeTimes(session, desk, now, idle := _idle(session))
        over = [entry.id for entry in idle if times.over(entry)]
    for offer_id in lapsed:
        with write(factory) as session:
            _lapse(session, desk, now, session.get_one(SlotOffer, offer_id))
    for entry_id in over:
        with write(factory) as session:
            _end(session, desk, now, session.get_one(WaitingEntry, entry_id), "ended")


def _passed(now: datetime) -> Select[int]:
    return (
        select(SlotOffer.id)
        .where(SlotOffer.state == "open", SlotOffer.expires_at <= now)
        .order_by(SlotOffer.id)
    )


def _lapse(session: Session, desk: DeskContext, now: datetime, offer: SlotOffer) -> None:
    """Nobody answered: the slot is free for the next; who never answers is asked no more."""
    entry = offer.entry
    if not close_offer(session, now, offer, "expired"):
        return
    release_holds(session, now, holder(entry))
    silent = select(func.count()).where(SlotOffer.entry_id == entry.id, SlotOffer.state == "expired")
    if (session.scalar(silent) or 0) >= desk.conditions.waiting.unanswered_offers:
        _end(session, desk, now, entry, "unanswered")


def _end(session: Session, desk: DeskContext, now: datetime, entry: WaitingEntry, state: str) -> None:
    if close_entry(session, now, entry, state, SYSTEM):
        tell_ended(session, desk, now, entry)
        audit.record(session, desk.installation, now, SYSTEM, f"waiting.{state}", f"waiting:{entry.id}")


def _idle(session: Session) -> Sequence[WaitingEntry]:
    """Who waits and is not being asked, in order."""
    asked = exists().where(SlotOffer.entry_id == WaitingEntry.id, SlotOffer.state == "open")
    query = select(WaitingEntry).where(WaitingEntry.state == "waiting", ~asked)
    return session.scalars(query.order_by(WaitingEntry.created_at, WaitingEntry.id)).all()


def _next(
    session: Session, desk: DeskContext, now: datetime, passed_over: set[int]
) -> tuple[int, datetime] | None:
    """The first in the queue for whom something is free, and the first start that they have not been offered."""
    idle = [entry for entry in _idle(session) if entry.id not in passed_over]
    times, known = _FreeTimes(session, desk, now, idle), _offered(session, idle)
    for entry in idle:
        for slot in times.of(entry):
            if not any(slot.start < end and start < slot.end for start, end in known[entry.id]):
                return entry.id, slot.start
    return None


def _offered(
    session: Session, entries: Sequence[WaitingEntry]
) -> Mapping[int, list[tuple[datetime, datetime]]]:
    """Windows that each entry has been offered and did not take.

    Nobody is asked twice about the same time, or about half an hour later in the same gap before the next in order is.
    """
    rows = session.execute(
        select(SlotOffer.entry_id, Booking.starts_at, Booking.ends_at)
        .join(Booking, Booking.id == SlotOffer.held_id)
        .where(SlotOffer.entry_id.in_([entry.id for entry in entries]), SlotOffer.state != "withdrawn")
    )
    found: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for entry_id, starts_at, ends_at in rows:
        found[entry_id].append((starts_at, ends_at))
    return found


_Wish = tuple[str, int | None, int, str]
"""Platform, technician, minutes, kind of entitlement: what free times depend on, but for the range."""


class _FreeTimes:
    """What is free at one moment: searched once for all entries that differ in their ranges only."""

    def __init__(
        self, session: Session, desk: DeskContext, now: datetime, entries: Sequence[WaitingEntry]
    ) -> None:
        self._session, self._desk, self._now = session, desk, now
        self._ranges: defaultdict[_Wish, list[Interval]] = defaultdict(list)
        for entry in entries:
            self._ranges[_wish(entry)].append(Interval(entry.from_at, entry.until_at))
        self._found: dict[_Wish, tuple[Slot, ...]] = {}
        self._first: dict[str, datetime] = {}

    def of(self, entry: WaitingEntry) -> list[Slot]:
        """The free slots inside the entry's range that may be offered now, in time order."""
        wish = _wish(entry)
        if wish not in self._found:
            self._found[wish] = self._search(wish)
        return [it for it in self._found[wish] if entry.from_at <= it.start and it.end <= entry.until_at]

    def over(self, entry: WaitingEntry) -> bool:
        """Whether no slot of the entry's range will ever be far enough ahead again."""
        return self._earliest(entry.entitlement.kind) + timedelta(minutes=entry.minutes) > entry.until_at

    def _search(self, wish: _Wish) -> tuple[Slot, ...]:
        platform, technician_id, minutes, kind = wish
        first, ranges = self._earliest(kind), self._ranges[wish]
        start = max(first, min(each.start for each in ranges))
        end = min(last_bookable_at(self._desk, self._now), max(each.end for each in ranges))
        people = candidates(self._session, None, platform, technician_id)
        if start >= end or not people:
            return ()
        length, window = timedelta(minutes=minutes), Interval(start, end)
        found = offers(self._session, self._desk, self._now, people, length, window, start)
        return tuple(offer.slot for offer in found)

    def _earliest(self, kind: str) -> datetime:
        if kind not in self._first:
            self._first[kind] = first_start(self._desk, kind, self._now).earliest_at
        return self._first[kind]


def _wish(entry: WaitingEntry) -> _Wish:
    return entry.access_point.system.platform, entry.technician_id, entry.minutes, entry.entitlement.kind


def _offer(
    factory: sessionmaker[Session], installation: Installation, now: datetime, passed_over: set[int]
) -> None:
    """Keep the next slot for whoever is next, and write to them; `passed_over` gets those whose right refuses it."""
    entry_id = 0
    try:
        with write(factory) as session:
            _alone(session)
            desk = load_desk(session, installation)
            found = _next(session, desk, now, passed_over)
            if found is not None:
                entry_id, starts_at = found
                _keep(session, desk, now, session.get_one(WaitingEntry, entry_id), starts_at)
    except SlotTaken:
        LOG.info("waiting entry %d: somebody was faster; looked for anew", entry_id)
    except Refusal as refusal:
        passed_over.add(entry_id)
        LOG.info("waiting entry %d is not offered a slot: %s", entry_id, refusal)


def _alone(session: Session) -> None:
    """Only one process at a time chooses who is next, or a slot could pass by the first; SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _keep(
    session: Session, desk: DeskContext, now: datetime, entry: WaitingEntry, starts_at: datetime
) -> None:
    until, request = answer_until(desk, now), request_of(entry, starts_at, entry.technician_id)
    held = insert(session, desk, now, holder(entry), request, status="held", held_until=until)
    offer = SlotOffer(
        entry_id=entry.id,
        held_id=held.id,
        token_hash=token_hash(offer_token(desk.installation, held.uid)),
        offered_at=now,
        expires_at=until,
        state="open",
    )
    session.add(offer)
    session.flush()
    tell_offer(session, desk, now, offer)
    facts = {"starts_at": starts_at.isoformat(), "technician": held.technician_id}
    audit.record(session, desk.installation, now, SYSTEM, "waiting.offer", f"waiting:{entry.id}", **facts)
