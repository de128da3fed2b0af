"""The end of a session: which hours to propose, when nobody came, and how long a closing can be taken back."""

from datetime import datetime, timedelta
from typing import Final

from scheduler.rules.conditions import Conditions
from scheduler.rules.intervals import require_aware
from scheduler.rules.refusals import TooEarly, UndoExpired

UNDO_FOR: Final = timedelta(minutes=10)
"""A slip is noticed within minutes; later the customer has read their balance, and a dispatcher corrects it."""

QUARTER: Final = 15
"""Hours are counted in quarters of an hour."""


def proposed_minutes(started_at: datetime | None, now: datetime, booked_minutes: int) -> int:
    """What the clock proposes: quarters begun since the start, at least one, at most what was booked.

    Without a start, what was booked. Raises ValueError for a naive moment.
    """
    if started_at is None:
        return booked_minutes
    elapsed = require_aware(now, "now") - require_aware(started_at, "started_at")
    quarters = max(1, -(-int(elapsed / timedelta(minutes=1)) // QUARTER))
    return min(booked_minutes, quarters * QUARTER)


def undo_until(closed_at: datetime) -> datetime:
    """The last moment at which a closing can be taken back."""
    return closed_at + UNDO_FOR


def refuse_late_undo(closed_at: datetime, now: datetime) -> None:
    """Raises UndoExpired(until) after the ten minutes; ValueError for a naive moment."""
    until = undo_until(require_aware(closed_at, "closed_at"))
    if require_aware(now, "now") > until:
        raise UndoExpired(until=until)


def no_show_from(conditions: Conditions, starts_at: datetime) -> datetime:
    """From when the technician may say that nobody, or nothing that works, was there."""
    return starts_at + timedelta(minutes=conditions.no_show_grace_minutes)


def refuse_early_no_show(conditions: Conditions, starts_at: datetime, now: datetime) -> None:
    """Raises TooEarly(from_at) before the minutes of grace are over; ValueError for a naive moment."""
    from_at = no_show_from(conditions, require_aware(starts_at, "starts_at"))
    if require_aware(now, "now") < from_at:
        raise TooEarly(from_at=from_at)


def reopened_minutes(booked: int, balance: int) -> int:
    """What is set aside again when a closing is taken back: what was booked, or what is left of it.

    Others may have spent what the closing freed; the session goes on in any case, and its closing takes what it takes.
    """
    return min(booked, balance)


def no_show_minutes(conditions: Conditions, kind: str, held: int) -> int:
    """The minutes that a missed session costs: what was set aside, or nothing, as the conditions say."""
    return held if conditions.no_show[kind] == "consume" else 0
