"""Booking for a customer: where the open slots of a technician's calendar lead, /agenda/book."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.context import DeskContext
from scheduler.rules.hours import to_utc
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound, Refusal
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Technician
from web import i18n
from web.app import now
from web.parts.for_customer import best_right, choices, typed_door
from web.parts.refusing import NOTHING, Shown, show
from web.parts.staff import actor, number
from web.security import current_zone, staff_required
from web.technician.who import dispatching

blueprint = Blueprint("booking_for", __name__, url_prefix="/agenda/book")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address or the form asks for; `start` is as typed, on the clock of `zone`.

    No technician: the first free one, the customer's assigned one before the others.
    """

    technician: Technician | None
    start: str
    minutes: int
    zone: ZoneInfo


@blueprint.get("")
@staff_required()
def choose() -> ResponseReturnValue:
    """The form: for whom, on which system, when."""
    return _page()


@blueprint.post("")
@staff_required()
def confirm() -> ResponseReturnValue:
    """Book it and go to the session."""
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            row = _book(session, service.desk(session))
            target = url_for("technician.session.page", booking_id=row.id)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _page(show([refusal], {"duration": "minutes"}))
    return redirect(target, 303)


def _book(session: Session, desk: DeskContext) -> Booking:
    wanted = _wanted(session, desk, request.form)
    door = typed_door(session, request.form.get("door"))
    topic = request.form.get("topic") or None
    asked = bookings.BookingRequest(
        access_point_id=door.id,
        entitlement_id=best_right(session, desk, door, wanted.minutes, topic),
        starts_at=_instant(wanted),
        minutes=wanted.minutes,
        zone=wanted.zone.key,
        technician_id=wanted.technician.id if wanted.technician else None,
        topic=topic,
        description=request.form.get("description", ""),
        override_reason=request.form.get("override_reason", "").strip() or None,
    )
    return bookings.book(session, desk, now(), actor(), asked)


def _wanted(session: Session, desk: DeskContext, given: Any) -> Wanted:
    """Raises NotAllowed for another technician's calendar, unless a dispatcher asks; NotFound."""
    technician = _technician(session, number(given.get("technician")))
    minutes = number(given.get("minutes")) or desk.conditions.durations_minutes[0]
    zone = current_zone()
    return Wanted(technician, _on_clock(given.get("start", "")[:40], zone), minutes, zone)


def _technician(session: Session, chosen: int | None) -> Technician | None:
    if dispatching() and chosen is None:
        return None
    chosen = chosen or actor().id
    if chosen != actor().id and not dispatching():
        raise NotAllowed("agenda")
    technician = session.get(Technician, chosen)
    if technician is None:
        raise NotFound("technician")
    return technician


def _on_clock(text: str, zone: ZoneInfo) -> str:
    """A start with an offset as the clock of `zone` shows it; anything else as it was typed."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return text
    return (moment.astimezone(zone) if moment.tzinfo else moment).strftime("%Y-%m-%dT%H:%M")


def _instant(wanted: Wanted) -> datetime:
    try:
        moment = datetime.fromisoformat(wanted.start)
    except ValueError:
        raise InvalidInput("start", "not_a_date" if wanted.start else "required") from None
    return to_utc(moment, wanted.zone)


def _page(shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        wanted = _wanted(session, desk, request.values)
        page = render_template(
            "technician/book.html",
            shown=shown,
            wanted=wanted,
            moment=_said(wanted),
            **choices(session, desk),
            typed=request.form,
            override=dispatching(),
        )
    return page, shown.status


def _said(wanted: Wanted) -> str:
    """The window as people say it, where the start can be read."""
    try:
        start = _instant(wanted)
    except Refusal:
        return ""
    return i18n.say_window(start, start + timedelta(minutes=wanted.minutes), wanted.zone)
