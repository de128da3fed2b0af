"""Starting and closing a session: the clock begins, hours leave the bundle, the customer gets a copy."""

from decimal import Decimal, InvalidOperation

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from scheduler import booking as bookings
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound, Refusal
from scheduler.store.engines import write
from web.app import now
from web.gatekeeping import local_path
from web.parts.refusing import show
from web.parts.staff import ID, actor
from web.security import staff_required
from web.technician.session import session_page
from web.technician.who import FIELDS, own_session, seen_rev

blueprint = Blueprint("closing", __name__, url_prefix=f"/s/<{ID}:booking_id>")
LONGEST_TEXT = 8
"""Characters of an hour count; more is not one."""
MOST_HOURS = 24
"""No session is longer; 1e999 hours would not even divide."""


@blueprint.post("/start")
@staff_required()
def start(booking_id: int) -> ResponseReturnValue:
    """The technician sits down."""
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            row = own_session(session, booking_id)
            bookings.start(session, service.desk(session), now(), actor(), row.id, seen_rev())
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return session_page(booking_id, show([refusal], FIELDS))
    return redirect(url_for("technician.session.page", booking_id=booking_id), 303)


@blueprint.post("/close")
@staff_required()
def close(booking_id: int) -> ResponseReturnValue:
    """The work is done: hours used and a note. A session that nobody started is started and closed in one step."""
    service = current_app.extensions["ventana"]
    note = request.form.get("note", "")
    try:
        minutes = minutes_of(request.form.get("hours", ""))
        with write(service.sessions) as session:
            desk, at = service.desk(session), now()
            row, rev = own_session(session, booking_id), seen_rev()
            if row.status == "confirmed" and row.ends_at <= at:
                rev = bookings.start(session, desk, at, actor(), row.id, rev).rev
            bookings.complete(session, desk, at, actor(), row.id, rev, minutes, note)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        typed = {"hours": request.form.get("hours", "")[:40], "note": note}
        return session_page(booking_id, show([refusal], FIELDS), typed)
    page = url_for("technician.session.page", booking_id=booking_id)
    return redirect(local_path(request.form.get("next"), page), 303)


def minutes_of(text: str) -> int:
    """Minutes of an hour count such as 0,75 or 1.5. Raises InvalidInput("minutes_used", "quarter_hours")."""
    try:
        hours = Decimal(text.strip()[:LONGEST_TEXT].replace(",", "."))
    except InvalidOperation:
        hours = Decimal("NaN")
    if not hours.is_finite() or abs(hours) > MOST_HOURS or (hours * 60) % 1:
        raise InvalidInput("minutes_used", "quarter_hours")
    return int(hours * 60)
