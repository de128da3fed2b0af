"""Free/busy (RFC 5545 §3.6.4): when a technician cannot be had, and nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime

from scheduler.calendars.lines import folded, one_line

KINDS = ("BUSY", "BUSY-UNAVAILABLE")


def vfreebusy(
    uid: str,
    stamp: datetime,
    first: datetime,
    end: datetime,
    name: str,
    email: str,
    periods: Sequence[tuple[datetime, datetime, str]],
) -> bytes:
    """A published VFREEBUSY (RFC 5546 §3.3.1) as content lines with CRLF.

    `periods` are (start, end, kind) with a kind of `KINDS`; those that touch are written as one. `email` is the
    organiser's, which the standard demands.
    """
    lines = [
        "BEGIN:VFREEBUSY",
        f"UID:{one_line(uid)}",
        f"DTSTAMP:{_utc(stamp)}",
        f"DTSTART:{_utc(first)}",
        f"DTEND:{_utc(end)}",
        f"ORGANIZER;CN={quoted(name)}:mailto:{one_line(email)}",
    ]
    for kind in KINDS:
        taken = joined([(start, until) for start, until, its in periods if its == kind])
        lines += [f"FREEBUSY;FBTYPE={kind}:{_utc(start)}/{_utc(until)}" for start, until in taken]
    return b"".join(folded(line.encode()) for line in [*lines, "END:VFREEBUSY"])


def joined(periods: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The periods in order, those that overlap or touch as one (RFC 5545 §3.8.2.6)."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted(periods):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def quoted(name: str) -> str:
    """A parameter's value (RFC 5545 §3.1): in quotation marks, which it cannot contain itself."""
    return '"' + one_line(name).replace('"', "'") + '"'


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
