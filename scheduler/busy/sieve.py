"""What of a foreign calendar reaches the parser: the lines that tell times, of events that can matter. Pure text.

A calendar of years holds thousands of past meetings with long descriptions, and each line costs the parser
thirty times what it costs here. What remains is a valid calendar (RFC 5545 §3.4) that says when, never what.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

TELLING = frozenset(
    {
        "UID",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "STATUS",
        "TRANSP",
        "SEQUENCE",
        "FREEBUSY",
        "X-MICROSOFT-CDO-BUSYSTATUS",
    }
)
"""Properties of an event that say when it is and whether it keeps somebody busy; the rest is nobody's business."""
HEADER = frozenset({"VERSION", "PRODID", "CALSCALE", "X-WR-TIMEZONE"})
KEPT = frozenset({"VEVENT", "VFREEBUSY"})
BRACKETS = frozenset({"BEGIN", "END"})
_FREQUENT = re.compile(r"FREQ=(SECONDLY|MINUTELY)\b", re.IGNORECASE)
_DAY = re.compile(r"[:,](\d{8})(?:T\d{6}Z?)?\s*$")
_UNTIL = re.compile(r"UNTIL=(\d{8})", re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]")
_MARGIN = timedelta(days=2)
"""Zones differ by up to 26 hours, so a local date may stand for a neighbouring day."""


class Unreadable(Exception):
    """No calendar that can be read; a stable code and its facts. Seen by the busy room only."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(slots=True)
class _Block:
    """The lines of one event that are kept, and what decides whether it can matter."""

    lines: list[str]
    days: dict[str, str] = field(default_factory=dict)
    repeats: bool = False
    until: str = ""
    moved: bool = False
    timed: bool = False

    def take(self, name: str, line: str) -> None:
        self.lines.append(line)
        self.timed = self.timed or name in ("DTSTART", "FREEBUSY")
        if name in ("DTSTART", "DTEND") and (found := _DAY.search(line)):
            self.days[name] = found[1]
        elif name in ("RRULE", "RDATE", "FREEBUSY", "DURATION"):
            self.repeats = True
            self.until = found[1] if name == "RRULE" and (found := _UNTIL.search(line)) else ""
        elif name == "RECURRENCE-ID":
            self.moved = True

    def matters(self, first: str, last: str) -> bool:
        """Whether it may fall into the days [first, last]; a moved part of a series always stays with it."""
        start = self.days.get("DTSTART")
        if start is None or self.moved:
            return self.timed
        if start > last:
            return False
        if self.repeats:
            return not self.until or self.until >= first
        return self.days.get("DTEND", start) >= first


def sieve(text: str, first: date, last: date) -> str:
    """The calendar reduced to what may keep somebody busy on the days [first, last].

    Raises Unreadable: html, not_calendar, cut_short, too_frequent (an event every minute or second).
    """
    lines = [line for line in _FOLD.sub("", text.lstrip("\ufeff\r\n\t ")).splitlines() if line]
    _require_calendar(lines, text)
    frequent = next((line for line in lines if _FREQUENT.search(line) and "RULE" in line[:6].upper()), None)
    if frequent is not None:
        raise Unreadable("too_frequent")
    days = ((first - _MARGIN).strftime("%Y%m%d"), (last + _MARGIN).strftime("%Y%m%d"))
    return "\r\n".join([*_kept(lines, *days), ""])


def _require_calendar(lines: list[str], text: str) -> None:
    if not lines or lines[0].strip().upper() != "BEGIN:VCALENDAR":
        start = text.lstrip()[:2000].lower()
        raise Unreadable("html" if "<html" in start or "<!doctype html" in start else "not_calendar")
    if lines[-1].strip().upper() != "END:VCALENDAR":
        raise Unreadable("cut_short")


def _kept(lines: list[str], first: str, last: str) -> Iterator[str]:
    sieving = _Sieving(first, last)
    for line in lines:
        yield from sieving.pass_on(line, re.split("[:;]", line, maxsplit=1)[0].upper())


class _Sieving:
    """Walks the lines once: zones whole, events without what tells no time, nothing of tasks and journals."""

    def __init__(self, first: str, last: str) -> None:
        self._days = first, last
        self._open: list[str] = []
        self._block: _Block | None = None

    def pass_on(self, line: str, name: str) -> Iterator[str]:
        """The lines that may now go on: none, this one, or a whole event at its end. Raises Unreadable(cut_short)."""
        if name == "BEGIN":
            self._begin(line[6:].strip().upper())
        if len(self._open) == 1:
            if name in HEADER or name in BRACKETS:
                yield line
        elif self._open[1:2] == ["VTIMEZONE"]:
            yield line
        elif self._block is not None and len(self._open) == 2 and (name in TELLING or name in BRACKETS):
            self._block.take(name, line)
        if name == "END":
            yield from self._end(line[4:].strip().upper())

    def _begin(self, component: str) -> None:
        self._open.append(component)
        if len(self._open) == 2 and component in KEPT:
            self._block = _Block([])

    def _end(self, component: str) -> Iterator[str]:
        if not self._open or self._open.pop() != component:
            raise Unreadable("cut_short")
        if len(self._open) == 1 and self._block is not None:
            if self._block.matters(*self._days):
                yield from self._block.lines
            self._block = None
