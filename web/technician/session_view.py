"""What a session's pages say of it: when, who, the way in with its ready command, and what may be done now."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from scheduler.actor import Actor
from scheduler.calendars.words import short_customer
from scheduler.context import DeskContext
from scheduler.doors.revealing import ENTRUSTED, may_reveal
from scheduler.intake.mail_requests import topic_name
from scheduler.rules.access import PRECHECK, Decision
from scheduler.rules.lifecycle import allowed_verbs
from scheduler.store.models import Booking
from web import i18n
from web.i18n import gettext as _
from web.public import kind_word
from web.technician.agenda_view import door_line, event_state
from web.technician.ways_in import ways_view


def session_view(
    desk: DeskContext, row: Booking, actor: Actor, at: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """One session for its page, on the reader's clock."""
    customer_zone = ZoneInfo(row.wall_zone)
    elsewhere = (
        row.starts_at.astimezone(customer_zone).utcoffset() != row.starts_at.astimezone(zone).utcoffset()
    )
    return {
        "id": row.id,
        "rev": row.rev,
        "status": row.status,
        "state": event_state(row, at),
        "company": row.customer.company,
        "title": short_customer(row.customer.company),
        "cif": row.customer.cif,
        "when": f"{i18n.say_moment(row.starts_at, zone)}–{i18n.say_time(row.ends_at, zone)}",
        "zone": i18n.say_zone(zone, row.starts_at),
        "theirs": i18n.say_window(row.starts_at, row.ends_at, customer_zone) if elsewhere else None,
        "soon": i18n.say_ago(row.starts_at, at) if row.starts_at > at else None,
        "technician": row.technician,
        "mine": row.technician_id == actor.id,
        "line": door_line(row),
        "system": row.system.name,
        "words": row.description,
        "topic": topic_name(desk, row.topic, i18n.language()) if row.topic else None,
        "override": row.override_reason,
        "note": row.session_note,
        "used": i18n.say_hours(row.minutes_used) if row.minutes_used is not None else None,
        "contacts": row.customer.contacts,
        "right": right_view(row),
        **ways_view(row),
        "pins": [pin_view(pin, zone) for pin in row.access_point.pins],
        "credential": credential_view(row, actor, at, zone),
        **_possible(row, at, zone),
    }


def credential_view(row: Booking, actor: Actor, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Whether there is something to reveal, and whether now is the time."""
    kind = row.access_point.credential_kind
    decision = may_reveal(actor, row, at)
    return {
        "kind": kind,
        "entrusted": kind in ENTRUSTED,
        "allowed": kind in ENTRUSTED and decision.allowed,
        "why": None if decision.allowed else _why_not(decision, zone),
        "username": row.access_point.username,
    }


def right_view(row: Booking) -> dict[str, Any]:
    """The entitlement it is given under, with what is left of it."""
    right = row.entitlement
    return {
        "title": kind_word(right.kind),
        "left": i18n.say_hours(right.balance_minutes) if right.metered else None,
        "until": i18n.say_day(right.valid_until) if right.valid_until else None,
        "serial": right.serial,
    }


def pin_view(pin: Any, zone: ZoneInfo) -> dict[str, Any]:
    """A host key of the door: confirmed, or seen and waiting for somebody to compare it."""
    moment = pin.confirmed_at or pin.first_seen_at
    return {
        "kind": _("certificate") if pin.public_key.startswith("sha256:") else pin.public_key.split(" ", 1)[0],
        "fingerprint": pin.fingerprint,
        "confirmed": pin.state == "confirmed",
        "when": i18n.say_short_moment(moment, zone),
    }


def _why_not(decision: Decision, zone: ZoneInfo) -> str:
    if decision.reason == "too_early" and decision.until is not None:
        moment = i18n.say_short_moment(decision.until, zone)
        return _("It can be shown from the start of the session: %(moment)s.", moment=moment)
    if decision.reason == "over":
        return _("The session's time is over: it can no longer be shown.")
    return _("It can only be shown while the session takes place.")


def _possible(row: Booking, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The verbs that make sense now, with their addresses; what the session has left behind is not offered."""
    verbs = allowed_verbs(row.status)
    begins_at = row.starts_at - PRECHECK
    started = at >= begins_at
    return {
        "startable": "start" in verbs and started and at < row.ends_at,
        "start_from": i18n.say_short_moment(begins_at, zone) if "start" in verbs and not started else None,
        "closable": "complete" in verbs or (row.status == "confirmed" and row.ends_at <= at),
        "movable": "move" in verbs and at < row.ends_at,
        "cancellable": "cancel" in verbs,
        "cancel_url": url_for("technician.session.ask_cancel", booking_id=row.id),
        "move_url": url_for("technician.moving.choose", booking_id=row.id),
        "page_url": url_for("technician.session.page", booking_id=row.id),
    }
