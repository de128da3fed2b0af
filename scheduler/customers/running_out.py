"""Rights that come to their end: few hours left of a bundle, or few days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from scheduler.context import DeskContext
from scheduler.entitlements import facts_of
from scheduler.rules.entitlement import last_day
from scheduler.store.models import Entitlement

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class RunningOut:
    """A right, and what of it comes to an end: its last day, its hours, or both."""

    right: Entitlement
    last_on: date | None
    few_hours: bool

    def days_left(self, today: date) -> int | None:
        """Days until the last one, 0 on it; None where the day is not what ends it."""
        return (self.last_on - today).days if self.last_on is not None else None


def running_out(session: Session, desk: DeskContext, now: datetime, limit: int = 8) -> list[RunningOut]:
    """Rights in force with few hours (the conditions' low balance) or two weeks left; those with the least first.

    A used-up bundle is not about to end: it has ended.
    """
    today = desk.today(now)
    found = [each for row in _near(session, desk, today) if (each := _judged(desk, row, today))]
    return sorted(found, key=lambda each: (_urgency(each, today), each.right.id))[:limit]


def _near(session: Session, desk: DeskContext, today: date) -> Sequence[Entitlement]:
    few = desk.conditions.low_balance_minutes
    bought_after = today - timedelta(days=desk.conditions.purchase_days)
    query = select(Entitlement).where(
        Entitlement.valid_from <= today,
        or_(Entitlement.valid_until.is_(None), Entitlement.valid_until >= today),
        or_(
            Entitlement.valid_until <= today + SOON,
            Entitlement.bought_on.between(bought_after, bought_after + SOON),
            (Entitlement.metered == True) & (Entitlement.balance_minutes < few),  # noqa: E712
        ),
        or_(Entitlement.metered == False, Entitlement.balance_minutes > 0),  # noqa: E712
    )
    return session.scalars(query.options(joinedload(Entitlement.customer))).all()


def _judged(desk: DeskContext, row: Entitlement, today: date) -> RunningOut | None:
    last = last_day(facts_of(row), desk.conditions)
    if last is not None and last < today:
        return None
    soon = last if last is not None and last <= today + SOON else None
    few = row.metered and row.balance_minutes < desk.conditions.low_balance_minutes
    return RunningOut(row, soon, few) if few or soon is not None else None


def _urgency(each: RunningOut, today: date) -> float:
    """Half an hour left is as urgent as one day."""
    days = each.days_left(today)
    hours = each.right.balance_minutes / 30 if each.few_hours else float("inf")
    return min(hours, float(days) if days is not None else float("inf"))
