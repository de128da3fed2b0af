"""From a sieved calendar to busy times, by the libraries. In the bounded child only: a rule can be endless work."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
import x_wr_timezone
from icalendar import Calendar

from scheduler.busy.sieve import Unreadable
from scheduler.rules.intervals import Interval, merge

MOST = 10_000
"""Nobody has more appointments in two months; a calendar that does was made to cost."""
_OURS = r"(slot-\d+-[0-9T-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})@"


def busy_times(text: str, window: Interval, zone: ZoneInfo, own_domain: str) -> tuple[Interval, ...]:
    """When the calendar's owner is busy inside `window`, merged.

    `zone` reads times without one. Left out: what is cancelled (STATUS), what is transparent (TRANSP, RFC 5545
    §3.8.2.7), and our own interventions and open slots, which the owner may have copied or subscribed to.
    Raises Unreadable(too_many), and whatever the libraries raise for a broken calendar.
    """
    ours = re.compile(_OURS + re.escape(own_domain))
    found: list[Interval] = []
    for component in _occurrences(text, window):
        if _frees(component) or ours.fullmatch(str(component.get("UID", ""))):
            continue
        found.extend(_within(window, *_span(component, zone)))
        if len(found) > MOST:
            raise Unreadable("too_many", most=MOST)
    for start, end in _free_busy(text, zone):
        found.extend(_within(window, start, end))
    return merge(found)


def _occurrences(text: str, window: Interval) -> Iterator[Any]:
    for calendar in Calendar.from_ical(text, multiple=True):
        whole = x_wr_timezone.to_standard(calendar)
        yield from recurring_ical_events.of(whole, skip_bad_series=True).between(window.start, window.end)


def _frees(component: Any) -> bool:
    status = str(component.get("STATUS", "")).upper()
    free = str(component.get("TRANSP", "")).upper() == "TRANSPARENT"
    # Outlook says "free" by its own property and leaves TRANSP out.
    outlook = str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "FREE"
    return status == "CANCELLED" or free or outlook


def _span(component: Any, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end in UTC; an event of days lasts from midnight to midnight of `zone`."""
    start, end = component.start, component.end
    if not isinstance(start, datetime) and end <= start:
        end = start + timedelta(days=1)  # a day without an end is that whole day (RFC 5545 §3.6.1)
    return _instant(start, zone), _instant(end, zone)


def _instant(moment: date, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(0))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _within(window: Interval, start: datetime, end: datetime) -> Iterator[Interval]:
    start, end = max(start, window.start), min(end, window.end)
    if start < end:  # an event without length keeps nobody busy
        yield Interval(start, end)


def _free_busy(text: str, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The periods of VFREEBUSY (RFC 5545 §3.6.4), which some servers publish instead of events."""
    if "FREEBUSY" not in text:
        return
    for calendar in Calendar.from_ical(text, multiple=True):
        for component in calendar.walk("VFREEBUSY"):
            periods = component.get("FREEBUSY", [])
            for period in periods if isinstance(periods, list) else [periods]:
                if str(period.params.get("FBTYPE", "BUSY")).upper() != "FREE":
                    yield _instant(period.start, zone), _instant(period.end, zone)
