"""The desk as the rules need it: hours, zone, holidays and conditions, read once per request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.rules.conditions import Conditions
from scheduler.rules.hours import WeeklyHours, open_intervals, parse_weekly_hours
from scheduler.rules.intervals import Interval
from scheduler.rules.refusals import NotFound
from scheduler.store.models import Desk


@dataclass(frozen=True, slots=True)
class Keys:
    """Application keys that never reach the database; each is derived for one purpose."""

    link: bytes = field(repr=False)
    feed: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    web: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a desk has besides its database: the conditions file, the keys and its public address."""

    conditions: Conditions
    keys: Keys
    link_base: str
    organizer: str = ""
    """Address that answers to invitations go to; empty: the desk's."""
    replies: bool = False
    """Whether somebody reads those answers, so that invitations may ask for one."""


@dataclass(frozen=True, slots=True)
class DeskContext:
    """One desk and its conditions; all times of its hours are in `zone`."""

    name: str
    zone: ZoneInfo
    email: str
    phone: str
    reseller_phone: str
    source_address: str
    domain: str
    weekly_hours: WeeklyHours
    holiday_country: str
    holiday_region: str | None
    own_holidays: tuple[tuple[str, str], ...]
    installation: Installation

    @property
    def conditions(self) -> Conditions:
        """The enforced support conditions."""
        return self.installation.conditions

    def holidays_between(self, first: date, last: date) -> Mapping[date, str]:
        """Closed days in [first, last] with their names in Spanish."""
        years = tuple(range(first.year, last.year + 1))
        return _holidays(self.holiday_country, self.holiday_region, self.own_holidays, years)

    def today(self, now: datetime) -> date:
        """The desk's calendar day at `now`."""
        return now.astimezone(self.zone).date()

    def open_intervals(self, window: Interval) -> tuple[Interval, ...]:
        """When the desk attends inside `window`: weekly hours less holidays."""
        closed = self.holidays_between(self.today(window.start), self.today(window.end))
        return open_intervals(self.weekly_hours, self.zone, closed, (), window)


@lru_cache(maxsize=64)
def _holidays(
    country: str, region: str | None, own: tuple[tuple[str, str], ...], years: tuple[int, ...]
) -> Mapping[date, str]:
    days: dict[date, str] = {}
    if country:
        days.update(holidays.country_holidays(country, subdiv=region, years=years, language="es"))
    days.update({date.fromisoformat(day): name for day, name in own})
    return days


@lru_cache(maxsize=64)
def weekly_hours_of(text: str) -> WeeklyHours:
    """Parsed weekly hours, cached by their JSON text since every request needs them."""
    return parse_weekly_hours(json.loads(text))


_DESK = select(Desk).where(Desk.id == 1)


def load_desk(session: Session, installation: Installation) -> DeskContext:
    """Read the desk row. Raises NotFound("desk") when nothing has been loaded yet."""
    row = session.scalar(_DESK)
    if row is None:
        raise NotFound("desk")
    return DeskContext(
        name=row.name,
        zone=ZoneInfo(row.zone),
        email=row.email,
        phone=row.phone,
        reseller_phone=row.reseller_phone,
        source_address=row.source_address,
        domain=row.domain,
        weekly_hours=hours_of(row.weekly_hours),
        holiday_country=row.holiday_country,
        holiday_region=row.holiday_region,
        own_holidays=tuple((day, name) for day, name in row.own_holidays),
        installation=installation,
    )


def hours_of(weekly: Mapping[str, Any]) -> WeeklyHours:
    """Weekly hours from their stored form."""
    return weekly_hours_of(json.dumps(weekly, sort_keys=True))


def day_window(desk: DeskContext, first: date, days: int) -> Interval:
    """The instants of `days` whole desk days from `first`."""
    start = datetime.combine(first, datetime.min.time(), desk.zone)
    end = datetime.combine(first + timedelta(days=days), datetime.min.time(), desk.zone)
    return Interval(_utc(start), _utc(end))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
