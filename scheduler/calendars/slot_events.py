"""Open slots as VEVENTs: transparent, so that nobody looks busy by them, with a link to book them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from scheduler.calendars.content import event, head_lines, plain_line, text_line
from scheduler.calendars.lines import many_lines
from scheduler.calendars.words import words

BEFORE_START = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    uid: str
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    zone: str
    sequence: int = 0


@lru_cache(maxsize=8192)
def slot_event(
    technician_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    zone: str,
    locale: str,
    domain: str,
    link_base: str,
) -> bytes:
    """One open slot as content lines with CRLF; cached, since the same hundreds are asked for all day.

    UID and DTSTAMP follow from the slot itself: a slot never changes, it only goes, and clients keep what
    they know.
    """
    text = words(locale)
    minutes = (ends_at - starts_at) // timedelta(minutes=1)
    link = slot_url(link_base, technician_id, starts_at, minutes, zone)
    slot = _Slot(
        uid=f"slot-{technician_id}-{starts_at:%Y%m%dT%H%M}-{ends_at:%Y%m%dT%H%M}@{domain}",
        changed_at=starts_at - BEFORE_START,
        starts_at=starts_at,
        ends_at=ends_at,
        zone=zone,
    )
    return event(
        *head_lines(slot, text.open_slot.format(minutes=minutes)),
        text_line("DESCRIPTION", many_lines(f"{text.book_it}: {link}")),
        plain_line("TRANSP", "TRANSPARENT"),
        plain_line("URL", link),
        plain_line("X-MICROSOFT-CDO-BUSYSTATUS", "FREE"),
    )


def slot_url(link_base: str, technician_id: int, starts_at: datetime, minutes: int, zone: str) -> str:
    """Where staff book the slot for a customer (login needed); `start` is a wall clock with its offset."""
    start = starts_at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")
    query = urlencode({"technician": technician_id, "start": start, "minutes": minutes})
    return f"{link_base}/agenda/book?{query}"
