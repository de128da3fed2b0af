"""The cards beside the agenda: the next session, and the sessions that still have to be closed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.calendars.words import short_customer
from scheduler.checks import explaining
from scheduler.context import DeskContext
from scheduler.rules.closing import proposed_minutes
from scheduler.store.models import Booking, Technician
from web import i18n
from web.i18n import gettext as _
from web.parts.answers import decline_lines
from web.technician.agenda_view import door_line
from web.technician.check_words import check_line, latest_done
from web.technician.ways_in import address_of

OPEN_FOR = timedelta(days=30)
"""Older sessions that nobody closed are the dispatcher's to sort out; the card would only grow."""
CLOSE_AT_ONCE = 5
"""How many sessions the card offers to close at a time."""


def next_session(session: Session, technician: Technician, at: datetime) -> Booking | None:
    """The session under way, else the next one to come."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.technician_id == technician.id,
            Booking.status.in_(("confirmed", "in_session")),
            Booking.ends_at > at,
        )
        .order_by(Booking.starts_at)
        .limit(1)
    )


def next_card(
    session: Session, desk: DeskContext, row: Booking, at: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """What to know in the minutes before a session."""
    return {
        "id": row.id,
        "when": _when(row, at),
        "title": short_customer(row.customer.company),
        "starts": _starts(row, at, zone),
        "line": door_line(row),
        "address": address_of(row.access_point),
        "lines": [
            *_check_lines(session, desk, row, at, zone),
            *decline_lines(session, row),
            *_balance_lines(row),
        ],
        "words": row.description,
        "url": url_for("technician.session.page", booking_id=row.id),
        "test": url_for("technician.access.ask", booking_id=row.id)
        if explaining.checkable(row.access_point.method)
        else None,
    }


def unclosed(session: Session, technician: Technician, at: datetime) -> list[Booking]:
    """Sessions past their end that nobody closed, the oldest first."""
    return list(
        session.scalars(
            select(Booking)
            .where(
                Booking.technician_id == technician.id,
                Booking.status.in_(("confirmed", "in_session")),
                Booking.starts_at > at - OPEN_FOR,
                Booking.ends_at <= at,
            )
            .order_by(Booking.starts_at)
            .limit(CLOSE_AT_ONCE)
        )
    )


def closing_form(
    row: Booking, at: datetime, zone: ZoneInfo, typed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The form that closes a session: hours to propose, and what they would leave."""
    proposed = proposed_for(row, at)
    given = typed or {}
    return {
        "id": row.id,
        "rev": row.rev,
        "title": short_customer(row.customer.company),
        "when": f"{i18n.say_short_moment(row.starts_at, zone)}–{i18n.say_time(row.ends_at, zone)}",
        "booked": i18n.say_hours(length_of(row)),
        "hours": given.get("hours", i18n.say_hours(proposed).removesuffix(" h")),
        "note": given.get("note", ""),
        "leaves": _leaves(row, proposed),
        "action": url_for("technician.closing.close", booking_id=row.id),
    }


def proposed_for(row: Booking, at: datetime) -> int:
    """The minutes to propose for a session that is closed now."""
    return proposed_minutes(row.session_started_at, at, length_of(row))


def length_of(row: Booking) -> int:
    """The booked minutes."""
    return int((row.ends_at - row.starts_at) / timedelta(minutes=1))


def _when(row: Booking, at: datetime) -> str:
    if row.status == "in_session":
        return _("The session is under way")
    if row.starts_at <= at:
        return _("Began %(ago)s", ago=i18n.say_ago(row.starts_at, at))
    return i18n.say_ago(row.starts_at, at)


def _starts(row: Booking, at: datetime, zone: ZoneInfo) -> str:
    end = i18n.say_time(row.ends_at, zone)
    if row.starts_at.astimezone(zone).date() == at.astimezone(zone).date():
        return f"{i18n.say_time(row.starts_at, zone)}–{end}"
    return f"{i18n.say_short_moment(row.starts_at, zone)}–{end}"


def _check_lines(
    session: Session, desk: DeskContext, row: Booking, at: datetime, zone: ZoneInfo
) -> list[dict[str, str]]:
    check = latest_done(session, [row.id]).get(row.id)
    if check is None:
        return [{"state": "waiting", "text": _("The access has not been tested yet.")}]
    line = check_line(session, desk, check, at, zone)
    return [{"state": line.state, "text": line.text}]


def _balance_lines(row: Booking) -> list[dict[str, str]]:
    """A warning when the session must not run over: what is left beside it is less than its own length."""
    right = row.entitlement
    if not right.metered or right.balance_minutes >= length_of(row):
        return []
    text = _(
        "Hour bundle: %(set_aside)s set aside for this session, %(left)s left beside them",
        set_aside=i18n.say_hours(length_of(row)),
        left=i18n.say_hours(right.balance_minutes),
    )
    return [{"state": "warn", "text": text}]


def _leaves(row: Booking, minutes: int) -> str:
    if not row.entitlement.metered:
        return _("The customer gets a copy by e-mail.")
    left = row.entitlement.balance_minutes + length_of(row) - minutes
    return _(
        "%(used)s leave %(left)s in the bundle. The customer gets a copy by e-mail.",
        used=i18n.say_hours(minutes),
        left=i18n.say_hours(max(0, left)),
    )
