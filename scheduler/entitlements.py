"""A customer's rights to interventions, and the hour ledger that fills and spends them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.rules.entitlement import EntitlementFacts, Judgement, judge, propose
from scheduler.rules.refusals import HoursExhausted, InvalidInput, NotFound
from scheduler.store.bookings import Booking, Entitlement, LedgerEntry
from scheduler.store.engines import is_overdrawn


def facts_of(row: Entitlement) -> EntitlementFacts:
    """The plain facts that the rules judge."""
    return EntitlementFacts(
        id=row.id,
        kind=row.kind,
        metered=row.metered,
        balance_minutes=row.balance_minutes,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        bought_on=row.bought_on,
        serial=row.serial,
        purchases_cents=row.purchases_cents,
        contract_on=row.contract_on,
    )


def rights(
    session: Session,
    desk: DeskContext,
    now: datetime,
    customer_id: int,
    minutes: int,
    topic: str | None = None,
) -> tuple[Judgement, ...]:
    """Every entitlement of the customer, judged for an intervention of `minutes`; the best first."""
    rows = session.scalars(
        select(Entitlement).where(Entitlement.customer_id == customer_id).order_by(Entitlement.id)
    )
    return propose([facts_of(row) for row in rows], desk.conditions, desk.today(now), minutes, topic)


def granted_minutes(session: Session, entitlement_ids: Collection[int]) -> dict[int, int]:
    """Minutes ever granted, by entitlement: what a balance is compared with. Those without any are left out."""
    rows = session.execute(
        select(LedgerEntry.entitlement_id, func.sum(LedgerEntry.minutes))
        .where(LedgerEntry.entitlement_id.in_(entitlement_ids), LedgerEntry.reason == "grant")
        .group_by(LedgerEntry.entitlement_id)
    )
    return {id_: int(minutes) for id_, minutes in rows}


_ONE = select(Entitlement).where(Entitlement.id == bindparam("id"))


def require(
    session: Session,
    desk: DeskContext,
    at: datetime,
    booking_minutes: int,
    entitlement_id: int,
    customer_id: int,
    topic: str | None,
) -> Entitlement:
    """The entitlement, if it allows this intervention on the desk's day of `at`.

    Raises NotFound for another customer's, HoursExhausted, TopicRequired, TopicExcluded or NotEntitled(reasons).
    """
    row = session.scalar(_ONE, {"id": entitlement_id})
    if row is None or row.customer_id != customer_id:
        raise NotFound("entitlement")
    verdict = judge(facts_of(row), desk.conditions, desk.today(at), booking_minutes, topic)
    if not verdict.allowed:
        raise verdict.refusal()
    return row


def grant(session: Session, now: datetime, entitlement: Entitlement, minutes: int, actor: Actor) -> None:
    """Add bought minutes. Raises InvalidInput("minutes") unless positive."""
    if minutes <= 0:
        raise InvalidInput("minutes", "out_of_range", minimum=1)
    _enter(session, now, entitlement.id, None, "grant", minutes, actor)


def correct(
    session: Session, now: datetime, entitlement: Entitlement, minutes: int, actor: Actor
) -> LedgerEntry:
    """Add (positive) or take minutes without a booking. Raises HoursExhausted when they are not there."""
    if minutes > 0:
        return _enter(session, now, entitlement.id, None, "grant", minutes, actor)
    return _take(session, now, entitlement, None, "consume", -minutes, actor)


def hold(
    session: Session, now: datetime, booking: Booking, minutes: int, actor: Actor, round_: int = 1
) -> None:
    """Set the booking's minutes aside. Raises HoursExhausted when a parallel booking spent them first.

    `round_` counts the closings of the booking that were taken back; in each, every reason stands once at most.
    """
    entitlement = session.get_one(Entitlement, booking.entitlement_id)
    if not entitlement.metered:
        return
    _take(session, now, entitlement, booking, "hold", minutes, actor, round_)


def release(session: Session, now: datetime, booking: Booking, actor: Actor, round_: int = 1) -> None:
    """Give the minutes held for a booking back."""
    held = held_minutes(session, booking, round_)
    if held:
        _enter(session, now, booking.entitlement_id, booking.id, "release", held, actor, round_)


def settle(
    session: Session, now: datetime, booking: Booking, used_minutes: int, actor: Actor, round_: int = 1
) -> None:
    """At close-out: give back what was held and take what was used. Raises HoursExhausted when that is not there."""
    release(session, now, booking, actor, round_)
    entitlement = session.get_one(Entitlement, booking.entitlement_id)
    if entitlement.metered and used_minutes:
        _take(session, now, entitlement, booking, "consume", used_minutes, actor, round_)


def reverse(
    session: Session, now: datetime, booking: Booking, used_minutes: int, actor: Actor, round_: int
) -> None:
    """Give back what a closing of this round took, by an entry of its own: the ledger forgets nothing."""
    if used_minutes:
        _enter(session, now, booking.entitlement_id, booking.id, "reverse", used_minutes, actor, round_)


def held_minutes(session: Session, booking: Booking, round_: int = 1) -> int:
    """The minutes set aside for the booking in this round; 0 where minutes are not counted."""
    query = select(LedgerEntry.minutes).where(
        LedgerEntry.booking_id == booking.id, LedgerEntry.reason == "hold", LedgerEntry.round == round_
    )
    return -(session.scalar(query) or 0)


def _take(
    session: Session,
    now: datetime,
    entitlement: Entitlement,
    booking: Booking | None,
    reason: str,
    minutes: int,
    actor: Actor,
    round_: int = 1,
) -> LedgerEntry:
    """Take minutes off the balance; whether they are there is the database's to say, since others spend too."""
    left = entitlement.balance_minutes
    try:
        with session.begin_nested():
            booking_id = booking.id if booking else None
            return _enter(session, now, entitlement.id, booking_id, reason, -minutes, actor, round_)
    except IntegrityError as error:
        if is_overdrawn(error):
            raise HoursExhausted(needed_minutes=minutes, left_minutes=left) from None
        raise


def _enter(
    session: Session,
    now: datetime,
    entitlement_id: int,
    booking_id: int | None,
    reason: str,
    minutes: int,
    actor: Actor,
    round_: int = 1,
) -> LedgerEntry:
    entry = LedgerEntry(
        entitlement_id=entitlement_id,
        booking_id=booking_id,
        reason=reason,
        minutes=minutes,
        at=now,
        by=str(actor),
        round=round_,
    )
    session.add(entry)
    session.flush()
    # The trigger has changed it; a mail that says the balance must not say the old one.
    session.expire(session.get_one(Entitlement, entitlement_id), ["balance_minutes"])
    return entry
