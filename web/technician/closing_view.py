"""What the session's page says of its end: the clock, the form that closes, what comes next, and what can be undone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy.orm import Session

from scheduler.bookings import closing
from scheduler.context import DeskContext
from scheduler.rules.closing import no_show_from, no_show_minutes, undo_until
from scheduler.rules.lifecycle import allowed_verbs
from scheduler.slots import follow_up
from scheduler.store.models import Booking
from web import i18n
from web.i18n import gettext as _
from web.parts.slots import written
from web.technician.cards import closing_form, length_of


def closing_view(
    session: Session,
    desk: DeskContext,
    row: Booking,
    at: datetime,
    zone: ZoneInfo,
    typed: Mapping[str, str] | None,
) -> dict[str, Any]:
    """The parts of the card "The session"."""
    undone = closing.undone_closing(session, row) if row.status == "in_session" and typed is None else None
    kept = (
        {"hours": i18n.say_hours(undone.minutes_used).removesuffix(" h"), "note": undone.note}
        if undone
        else None
    )
    return {
        "closing": closing_form(row, at, zone, typed or kept),
        "clock": clock_view(row, at, zone),
        "follow_ups": _follow_ups(session, desk, row, at, zone, (typed or {}).get("start", "")),
        "no_show": no_show_view(desk, row, at, zone),
        "undo": undo_view(session, row, at, zone),
        "next_one": _next_one(session, row, zone),
    }


def clock_view(row: Booking, at: datetime, zone: ZoneInfo) -> dict[str, str] | None:
    """Since when the session runs; a script lets the minutes go on, without one they are those of the page."""
    if row.status != "in_session" or row.session_started_at is None:
        return None
    minutes = max(0, int((at - row.session_started_at) / timedelta(minutes=1)))
    return {
        "since": _("since %(time)s", time=i18n.say_time(row.session_started_at, zone)),
        "worked": i18n.say_duration(minutes),
        "minutes": str(minutes),
    }


def no_show_view(desk: DeskContext, row: Booking, at: datetime, zone: ZoneInfo) -> dict[str, Any] | None:
    """The verb "nobody was there", and what it costs the customer; before its time only from when."""
    if "no_show" not in allowed_verbs(row.status) or at < row.starts_at:
        return None
    from_at = no_show_from(desk.conditions, row.starts_at)
    if at < from_at:
        text = _("From %(time)s you can say that nobody was there.", time=i18n.say_time(from_at, zone))
        return {"action": None, "text": text}
    action = url_for("technician.closing.miss", booking_id=row.id)
    return {"action": action, "text": _cost(desk, row)}


def undo_view(session: Session, row: Booking, at: datetime, zone: ZoneInfo) -> dict[str, Any] | None:
    """Until when the closing can be taken back; None when it no longer can."""
    last = closing.last_closing(session, row) if "reopen" in allowed_verbs(row.status) else None
    if last is None or at > undo_until(last.closed_at):
        return None
    return {
        "action": url_for("technician.closing.undo", booking_id=row.id),
        "until": i18n.say_time(undo_until(last.closed_at), zone),
    }


def _cost(desk: DeskContext, row: Booking) -> str:
    if not row.entitlement.metered:
        return _("It costs the customer nothing; they are told by e-mail.")
    minutes = no_show_minutes(desk.conditions, row.entitlement.kind, length_of(row))
    if not minutes:
        return _("The hours set aside return to the bundle; the customer is told by e-mail.")
    return _(
        "What was set aside (%(used)s) is used up; the customer is told by e-mail.",
        used=i18n.say_hours(minutes),
    )


def _follow_ups(
    session: Session, desk: DeskContext, row: Booking, at: datetime, zone: ZoneInfo, picked: str
) -> list[dict[str, Any]]:
    """The times to go on; only where the session can be closed."""
    if "complete" not in allowed_verbs(row.status):
        return []
    slots = follow_up.next_slots(session, desk, at, row)
    return [
        {
            "value": written(slot.start),
            "text": f"{i18n.say_moment(slot.start, zone)}–{i18n.say_time(slot.end, zone)}",
            "picked": written(slot.start) == picked,
        }
        for slot in slots
    ]


def _next_one(session: Session, row: Booking, zone: ZoneInfo) -> dict[str, str] | None:
    """The session that was booked with the closing."""
    last = closing.last_closing(session, row)
    found = session.get(Booking, last.follow_up_id) if last and last.follow_up_id else None
    if found is None:
        return None
    moment = i18n.say_short_moment(found.starts_at, zone)
    return {"url": url_for("technician.session.page", booking_id=found.id), "when": moment}
