"""Hours of one day as people type and read them: 9:00-14:00, 15-18."""

import re
from collections.abc import Iterable
from datetime import time

from scheduler.rules.hours import WeeklyHours, parse_weekly_hours
from scheduler.rules.refusals import InvalidInput

_CLOCK = r"(\d{1,2})(?:\s*[:.h]\s*(\d{2})?)?"
_RANGE = re.compile(rf"\s*{_CLOCK}\s*(?:-|–|—|a|to)\s*{_CLOCK}\s*", re.ASCII | re.IGNORECASE)
_BETWEEN = re.compile(r"[,;/]|\b(?:y|and)\b", re.IGNORECASE)
LONGEST = 200
WEEK = range(1, 8)


def field_of(day: int) -> str:
    """How forms call the hours of an ISO weekday."""
    return f"hours_{day}"


def read_week(texts: dict[int, str]) -> WeeklyHours:
    """Weekly hours from what was typed for each ISO weekday; an empty day is closed.

    Raises InvalidInput(hours_<day>, problem): too_long, not_a_time, ends_before_start or overlap.
    """
    return {day: ranges for day in WEEK if (ranges := _read_day(texts.get(day, ""), day))}


def _read_day(text: str, day: int) -> tuple[tuple[time, time], ...]:
    field = field_of(day)
    if len(text) > LONGEST:
        raise InvalidInput(field, "too_long", limit=LONGEST)
    spans = [_read_span(part, field) for part in _BETWEEN.split(text) if part.strip()]
    try:
        return parse_weekly_hours({str(day): spans}, field).get(day, ())
    except InvalidInput as refused:
        problem = "ends_before_start" if refused.problem == "out_of_range" else refused.problem
        raise InvalidInput(field, problem) from None


def _read_span(text: str, field: str) -> list[str]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InvalidInput(field, "not_a_time")
    return [f"{int(found[1]):02}:{found[2] or '00'}", f"{int(found[3]):02}:{found[4] or '00'}"]


def write_day(ranges: Iterable[tuple[time, time]]) -> str:
    """The hours of a day as they are shown in a form: 09:00–14:00, 15:00–18:00."""
    return ", ".join(f"{start:%H:%M}–{_end(end)}" for start, end in ranges)


def stored(weekly: WeeklyHours) -> dict[str, list[list[str]]]:
    """The JSON form that the store keeps."""
    return {
        str(day): [[f"{start:%H:%M}", _end(end)] for start, end in ranges]
        for day, ranges in sorted(weekly.items())
    }


def outside(inner: WeeklyHours, outer: WeeklyHours) -> int | None:
    """The first ISO weekday on which a range of `inner` lies in no range of `outer`; None when all do."""
    for day, ranges in sorted(inner.items()):
        around = outer.get(day, ())
        if not all(any(_inside(one, other) for other in around) for one in ranges):
            return day
    return None


def _inside(one: tuple[time, time], other: tuple[time, time]) -> bool:
    return other[0] <= one[0] and _end(one[1]) <= _end(other[1])


def _end(at: time) -> str:
    return "24:00" if at == time(0) else f"{at:%H:%M}"
