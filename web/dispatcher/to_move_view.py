"""Sessions to be moved, as lists show them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.store.models import Absence, Booking
from scheduler.team.misplaced import WAITING, Misplaced
from web import i18n
from web.i18n import gettext as _
from web.security import current_zone

MOST_COMING = 100


def move_lines(moves: Iterable[Misplaced]) -> list[dict[str, Any]]:
    """Each session with why it cannot stay."""
    return [_line(each.booking) | {"why": _why(each)} for each in moves]


def coming_lines(session: Session, technician_id: int, at: datetime) -> Sequence[dict[str, Any]]:
    """The technician's sessions to come, to be given to somebody else."""
    query = (
        select(Booking)
        .where(Booking.technician_id == technician_id, Booking.ends_at > at, Booking.status.in_(WAITING))
        .order_by(Booking.starts_at)
        .limit(MOST_COMING)
    )
    return [_line(row) for row in session.scalars(query)]


def _line(row: Booking) -> dict[str, Any]:
    return {
        "when": i18n.say_moment(row.starts_at),
        "company": row.customer.company,
        "technician": row.technician.name,
        "url": url_for("technician.session.page", booking_id=row.id),
        "move": url_for("technician.moving.choose", booking_id=row.id),
        "id": row.id,
    }


def _why(each: Misplaced) -> str:
    words = {
        "desk_closed": _("outside the desk's hours"),
        "away": _("the technician is away then"),
        "calendar": _("the technician's own calendar says busy"),
    }
    return _("closed: %(holiday)s", holiday=each.holiday) if each.reason == "holiday" else words[each.reason]


def absence_words(absence: Absence) -> str:
    """From when to when, as days where it lasts whole ones in the reader's zone."""
    start, end = (at.astimezone(current_zone()) for at in (absence.starts_at, absence.ends_at))
    if start.time() != time(0) or end.time() != time(0):
        return f"{i18n.say_short_moment(absence.starts_at)} – {i18n.say_short_moment(absence.ends_at)}"
    first, last = start.date(), (end - timedelta(days=1)).date()
    return i18n.say_day(first) if first == last else f"{i18n.say_day(first)} – {i18n.say_day(last)}"
