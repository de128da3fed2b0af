"""The desk's hours and closed days: proposed, shown with what would have to move, and then kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import holidays
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.busy.conflicts import dispatchers
from scheduler.context import DeskContext
from scheduler.mailing import notices
from scheduler.rules.hours_text import field_of, read_week, stored
from scheduler.rules.refusals import ChangedMeanwhile, InvalidInput, NotAllowed
from scheduler.rules.text import clean_text
from scheduler.store.models import Desk
from scheduler.team.absences import clean_day
from scheduler.team.misplaced import Misplaced, would_move
from scheduler.wording import say_window

MOST_OWN = 60


@dataclass(frozen=True, slots=True)
class HoursForm:
    """What was typed: hours by ISO weekday, a country and region of `holidays`, own closed days as (day, name)."""

    hours: Mapping[int, str]
    country: str = ""
    region: str = ""
    closed: Sequence[tuple[str, str]] = ()


def countries() -> Mapping[str, Sequence[str]]:
    """ISO country code → the codes of its regions, as far as their holidays are known."""
    known: Mapping[str, Sequence[str]] = holidays.list_supported_countries()
    return known


def proposed(desk: DeskContext, form: HoursForm) -> DeskContext:
    """The desk as it would be. Raises InvalidInput for hours_<day>, country, region, day_<n> or name_<n>."""
    week = read_week(dict(form.hours))
    if not week:
        raise InvalidInput(field_of(1), "never_open")
    known = countries()
    if form.country and form.country not in known:
        raise InvalidInput("country", "not_offered")
    if form.region and form.region not in known.get(form.country, ()):
        raise InvalidInput("region", "not_offered")
    return replace(
        desk,
        weekly_hours=week,
        holiday_country=form.country,
        holiday_region=form.region or None,
        own_holidays=_closed_days(form.closed),
    )


def save(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, form: HoursForm, seen: str
) -> list[Misplaced]:
    """Keep the proposed hours. Sessions that no longer fit stay booked; the dispatchers get their list by mail.

    What is booked keeps the lead time it was booked with; the new hours count for what is booked or moved from now on.
    Raises NotAllowed, InvalidInput, ChangedMeanwhile.
    """
    if actor.kind not in ("dispatcher", "system"):
        raise NotAllowed("desk_hours")
    row = session.get_one(Desk, 1, with_for_update=True)
    if seen != mark(desk):
        raise ChangedMeanwhile("desk_hours")
    wanted = proposed(desk, form)
    moves = would_move(session, desk, wanted, now)
    row.weekly_hours = stored(wanted.weekly_hours)
    row.holiday_country, row.holiday_region = wanted.holiday_country, wanted.holiday_region
    row.own_holidays = [list(each) for each in wanted.own_holidays]
    session.flush()
    _tell(session, wanted, now, moves)
    facts = {
        "hours": row.weekly_hours,
        "country": row.holiday_country,
        "region": row.holiday_region,
        "closed": row.own_holidays,
        "to_move": [each.booking.id for each in moves],
    }
    audit.record(session, desk.installation, now, actor, "desk.hours", "desk:1", **facts)
    return moves


def mark(desk: DeskContext) -> str:
    """What tells one state of the hours from another, so that two forms do not undo each other."""
    own = [list(each) for each in desk.own_holidays]
    return audit.digest([stored(desk.weekly_hours), desk.holiday_country, desk.holiday_region, own])


def closed_days(desk: DeskContext, year: int) -> list[tuple[date, str]]:
    """The closed days of a year with their names, by day."""
    found = desk.holidays_between(date(year, 1, 1), date(year, 12, 31))
    return sorted((day, name) for day, name in found.items() if day.year == year)


def _closed_days(typed: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for number, (day, name) in enumerate(typed):
        if not day.strip() and not name.strip():
            continue
        iso = clean_day(f"day_{number}", day).isoformat()
        if iso in found:
            raise InvalidInput(f"day_{number}", "twice")
        found[iso] = clean_text(f"name_{number}", name, 80, required=True)
    if len(found) > MOST_OWN:
        raise InvalidInput("day_0", "out_of_range", minimum=0, maximum=MOST_OWN)
    return tuple(sorted(found.items()))


def _tell(session: Session, desk: DeskContext, now: datetime, moves: Sequence[Misplaced]) -> None:
    if not moves:
        return
    for reader in dispatchers(session, desk):
        lines = [
            f"{say_window(each.booking.starts_at, each.booking.ends_at, desk.zone, reader.locale)}"
            f" · {each.booking.customer.company} · {each.booking.technician.name}"
            for each in moves
        ]
        facts = {"lines": lines, "link": f"{desk.installation.link_base}/desk/to-move"}
        key = f"to_move:{mark(desk)}:{int(now.timestamp())}:{reader.address}"
        notices.write(session, desk, now, key, "to_move", reader, facts)
