"""How an agenda is looked at: view, first day, light and technician, as they travel in its address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import request, url_for

from web.parts.staff import number

VIEWS = ("day", "week", "list")
LIGHTS = ("ok", "warn", "fail", "waiting")
LIST_DAYS = 14
FARTHEST = timedelta(days=3660)
"""Ten years to each side: calendars of the year 9999 end in an error."""


@dataclass(frozen=True, slots=True)
class Look:
    """`first` is the first day shown: of a week its Monday."""

    view: str
    first: date
    light: str | None = None
    technician: int | None = None

    def url(self, **changes: Any) -> str:
        """The address of the agenda looked at this way, some of it changed."""
        changed = replace(self, **changes)
        values: dict[str, Any] = {
            "view": changed.view if changed.view != "week" else None,
            "from": changed.first.isoformat(),
            "light": changed.light,
            "technician": changed.technician,
        }
        return url_for("technician.agenda.page", **values)

    @property
    def length(self) -> int:
        """How many days are looked at."""
        return {"day": 1, "week": 7, "list": LIST_DAYS}[self.view]

    @property
    def earlier(self) -> str:
        """The address of the days before."""
        return self.url(first=self.first - timedelta(days=self.length))

    @property
    def later(self) -> str:
        """The address of the days after."""
        return self.url(first=self.first + timedelta(days=self.length))

    def shown(self, busy: Sequence[date], today: date) -> list[date]:
        """The days with a column: of a weekend only those on which something opens or happens, and today."""
        days = [self.first + timedelta(days=n) for n in range(self.length)]
        if self.view != "week":
            return days
        return [day for day in days if day.isoweekday() < 6 or day in busy or day == today]


def current_look(today: date) -> Look:
    """What this request's address asks for; nonsense counts as not asked."""
    view = request.args.get("view", "week")
    view = view if view in VIEWS else "week"
    first = _day(request.args.get("from"), today) or today
    if view == "week":
        first -= timedelta(days=first.weekday())
    light = request.args.get("light")
    technician = number(request.args.get("technician"))
    return Look(view, first, light if light in LIGHTS else None, technician)


def _day(text: str | None, today: date) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day is not None and abs(day - today) < FARTHEST else None
