"""The picker's view of a week: reads the slots, lays them out, and puts days and times into words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy.orm import Session

from scheduler.context import DeskContext, day_window
from scheduler.rules.intervals import Interval
from scheduler.rules.lead_time import LeadLedger
from scheduler.slots.availability import last_bookable_at, offers
from scheduler.store.models import Technician
from web import i18n
from web.i18n import gettext as _
from web.parts.slots import Block, Cell, Column, Marks, lay_out, working_days, written

DAYS = 5


@dataclass(frozen=True, slots=True)
class Looking:
    """Whose times of which length are looked at, from which day, on which clock, at which moment."""

    moment: datetime
    ledger: LeadLedger
    first: date
    minutes: int
    zone: ZoneInfo
    technicians: tuple[Technician, ...]
    ignore: frozenset[int] = frozenset()
    """Bookings that do not count as busy: the one that is moved, the customer's own hold."""


@dataclass(frozen=True, slots=True)
class WeekPage:
    """What `slot_week` draws, and the first free start in it."""

    grid: dict[str, Any]
    first_free: datetime | None


def week_page(
    session: Session,
    desk: DeskContext,
    looking: Looking,
    turn: Callable[..., str],
    chosen: datetime | None = None,
) -> WeekPage:
    """Five working days from `looking.first`; `turn(**changes)` gives the address of the same page, changed."""
    at, ledger = looking.moment, looking.ledger
    days, window = shown_days(desk, at, looking.first)
    length = timedelta(minutes=looking.minutes)
    found = offers(session, desk, at, looking.technicians, length, window, ledger.earliest_at, looking.ignore)
    last = last_bookable_at(desk, at)
    slots = [offer.slot for offer in found if offer.slot.start <= last]
    closed = desk.holidays_between(days[0], days[-1])
    week = lay_out(
        desk.open_intervals(window),
        slots,
        timedelta(minutes=desk.conditions.grid_minutes),
        looking.zone,
        Marks(at, ledger.earliest_at),
        days,
    )
    words = _Words(at.astimezone(looking.zone).date(), closed, ledger, chosen)
    grid = {
        "name": i18n.say_days(week.columns[0].day, week.columns[-1].day),
        "previous": _previous(desk, at, days, turn),
        "next": _next(desk, last, days, turn),
        "zone": i18n.say_zone(looking.zone, slots[0].start if slots else window.start),
        "zone_name": looking.zone.key,
        "zone_base": turn(zone="") + "&zone=",
        "zone_more": _zone_more(desk, looking.zone, window.start),
        "field": "start",
        "summary": None,
        "rows": week.rows,
        "days": [words.day(column) for column in week.columns],
    }
    return WeekPage(grid, slots[0].start if slots else None)


def shown_days(desk: DeskContext, at: datetime, first: date) -> tuple[tuple[date, ...], Interval]:
    """The working days shown from `first` on and their instants; within what can be booked, holidays included."""
    today = desk.today(at)
    first = min(max(first, today), today + timedelta(days=desk.conditions.horizon_days))
    days = working_days(first, DAYS, _attended(desk))
    return days, day_window(desk, days[0], (days[-1] - days[0]).days + 1)


def _attended(desk: DeskContext) -> Callable[[date], bool]:
    return lambda day: bool(desk.weekly_hours.get(day.isoweekday()))


def _previous(
    desk: DeskContext, at: datetime, days: tuple[date, ...], turn: Callable[..., str]
) -> str | None:
    before = working_days(days[0], DAYS, _attended(desk), backwards=True)
    here = days[0] > desk.today(at) and before and before[-1] >= desk.today(at)
    return turn(first=max(before[0], desk.today(at))) if here else None


def _next(desk: DeskContext, last: datetime, days: tuple[date, ...], turn: Callable[..., str]) -> str | None:
    after = days[-1] + timedelta(days=1)
    return turn(first=after) if after <= desk.today(last) else None


def _zone_more(desk: DeskContext, zone: ZoneInfo, moment: datetime) -> str | None:
    if moment.astimezone(zone).utcoffset() == moment.astimezone(desk.zone).utcoffset():
        return None
    return _("The technician works on the clock of %(zone)s.", zone=i18n.say_zone(desk.zone, moment))


@dataclass(frozen=True, slots=True)
class _Words:
    today: date
    closed: Mapping[date, str]
    ledger: LeadLedger
    chosen: datetime | None

    def day(self, column: Column) -> dict[str, Any]:
        name, spoken = _day_names(column.day, i18n.language())
        return {
            "key": column.day.isoformat(),
            "name": name,
            "number": column.day.day,
            "today": column.day == self.today,
            "past": column.day < self.today,
            "free": len(column.cells),
            "empty": _("Fully booked"),
            "blocks": [self._block(column.day, block) for block in column.blocks],
            "slots": [self._slot(cell, spoken) for cell in column.cells],
        }

    def _block(self, day: date, block: Block) -> dict[str, Any]:
        texts = {
            "lead": _("%(length)s notice", length=i18n.say_duration(self.ledger.lead.minutes)),
            "past": _("past"),
            "closed": self.closed.get(day) or _("closed"),
        }
        return {"kind": block.kind, "row": block.row, "span": block.span, "text": texts[block.kind]}

    def _slot(self, cell: Cell, spoken: str) -> dict[str, Any]:
        return {
            "value": written(cell.start),
            "time": cell.time,
            "row": cell.row,
            "spoken": f"{spoken}, {cell.time}",
            "chosen": cell.start == self.chosen,
        }


@lru_cache(maxsize=512)
def _day_names(day: date, locale: str) -> tuple[str, str]:
    """Short name and whole date; kept, because CLDR formatting costs more than finding the slots."""
    pattern = "EEEE d 'de' MMMM" if locale == "es" else "EEEE d MMMM"
    return format_date(day, "EEE", locale=locale).replace(".", ""), format_date(day, pattern, locale=locale)


def lead_view(desk: DeskContext, ledger: LeadLedger, zone: ZoneInfo) -> dict[str, Any]:
    """From when one can book, for the `lead_box` macro; the ledger's days are the desk's."""
    return {
        "earliest": i18n.say_moment(ledger.earliest_at, zone),
        "asked": i18n.say_duration(ledger.lead.minutes),
        "attention": ledger.lead.counted == "attention",
        "days": [
            {
                "day": f"{_day_names(entry.day, i18n.language())[0]} {entry.day.day}",
                "minutes": entry.minutes,
                "length": i18n.say_duration(entry.minutes),
            }
            for entry in ledger.days
        ],
        "phone": desk.phone,
    }


def summary_view(picked: str = "", text: str = "", held: str = "", button: str = "") -> dict[str, Any]:
    """The sticky bar for the `summary_bar` macro; without a pick it names the first free time."""
    return {"title": picked or _("No time chosen yet"), "text": text, "held": held, "button": button}


def day_in(text: str | None) -> date | None:
    """The day that an address carries as ISO date; None for anything else."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
