"""A session's verbs from start to end: started, closed with its follow-up, missed, and a closing taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.bookings import closing
from scheduler.context import DeskContext
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound, Refusal
from scheduler.slots.placing import BookingRequest
from scheduler.store.engines import write
from scheduler.store.models import Booking
from web.app import now
from web.gatekeeping import local_path
from web.parts.refusing import show
from web.parts.slots import instant
from web.parts.staff import ID, actor
from web.security import staff_required
from web.technician.session import session_page
from web.technician.who import FIELDS, own_session, seen_rev

blueprint = Blueprint("closing", __name__, url_prefix=f"/s/<{ID}:booking_id>")
LONGEST_TEXT = 8
"""Characters of an hour count; more is not one."""
MOST_HOURS = 24
"""No session is longer; 1e999 hours would not even divide."""

Step = Callable[[Session, DeskContext, datetime, Booking], object]


@blueprint.post("/start")
@staff_required()
def start(booking_id: int) -> ResponseReturnValue:
    """The technician sits down."""

    def sit_down(session: Session, desk: DeskContext, at: datetime, row: Booking) -> None:
        closing.start(session, desk, at, actor(), row.id, seen_rev())

    return _do(booking_id, sit_down)


@blueprint.post("/close")
@staff_required()
def close(booking_id: int) -> ResponseReturnValue:
    """The work is done: hours used, a note, and perhaps the next session.

    A session that nobody started is started and closed in one step.
    """

    def finish(session: Session, desk: DeskContext, at: datetime, row: Booking) -> None:
        asked = closing.Closing(minutes_of(request.form.get("hours", "")), _note(), _follow_up(row))
        rev = seen_rev()
        if row.status == "confirmed" and row.ends_at <= at:
            rev = closing.start(session, desk, at, actor(), row.id, rev).rev
        closing.complete(session, desk, at, actor(), row.id, rev, asked)

    return _do(booking_id, finish)


@blueprint.post("/no-show")
@staff_required()
def miss(booking_id: int) -> ResponseReturnValue:
    """Nobody, or nothing that works, was there."""

    def end(session: Session, desk: DeskContext, at: datetime, row: Booking) -> None:
        closing.miss(session, desk, at, actor(), row.id, seen_rev(), _note())

    return _do(booking_id, end)


@blueprint.post("/undo")
@staff_required()
def undo(booking_id: int) -> ResponseReturnValue:
    """It was closed by mistake."""

    def back(session: Session, desk: DeskContext, at: datetime, row: Booking) -> None:
        closing.undo(session, desk, at, actor(), row.id, seen_rev())

    return _do(booking_id, back)


def _do(booking_id: int, step: Step) -> ResponseReturnValue:
    """The step, and back to the page; or the page again with what was refused and typed."""
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            step(session, service.desk(session), now(), own_session(session, booking_id))
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        typed = {name: request.form.get(name, "") for name in ("hours", "note", "start")}
        return session_page(booking_id, show([refusal], FIELDS), typed | {"hours": typed["hours"][:40]})
    page = url_for("technician.session.page", booking_id=booking_id)
    return redirect(local_path(request.form.get("next"), page), 303)


def _note() -> str:
    return request.form.get("note", "")


def _follow_up(row: Booking) -> BookingRequest | None:
    """The next session of the same door and technician, at the time that was picked; None for none."""
    picked = request.form.get("start", "")
    if not picked:
        return None
    starts_at = instant(picked)
    if starts_at is None:
        raise InvalidInput("start", "not_a_date")
    return BookingRequest(
        access_point_id=row.access_point_id,
        entitlement_id=row.entitlement_id,
        starts_at=starts_at,
        minutes=int((row.ends_at - row.starts_at) / timedelta(minutes=1)),
        zone=row.wall_zone,
        technician_id=row.technician_id,
        topic=row.topic,
        description=row.description,
    )


def minutes_of(text: str) -> int:
    """Minutes of an hour count such as 0,75 or 1.5. Raises InvalidInput("minutes_used", "quarter_hours")."""
    try:
        hours = Decimal(text.strip()[:LONGEST_TEXT].replace(",", "."))
    except InvalidOperation:
        hours = Decimal("NaN")
    if not hours.is_finite() or abs(hours) > MOST_HOURS or (hours * 60) % 1:
        raise InvalidInput("minutes_used", "quarter_hours")
    return int(hours * 60)
