"""A session given to another technician at the same time, by a dispatcher, from the session's own page."""

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.bookings.reassigning import reassign
from scheduler.rules.refusals import NotAllowed, NotFound, Refusal
from scheduler.store.engines import write
from web.app import now
from web.parts.refusing import show
from web.parts.staff import ID, actor, number
from web.security import staff_required
from web.technician.session import session_page
from web.technician.who import FIELDS, own_session, seen_rev

blueprint = Blueprint("reassigning", __name__, url_prefix=f"/s/<{ID}:booking_id>/reassign")


@blueprint.post("")
@staff_required()
def give(booking_id: int) -> ResponseReturnValue:
    """Give it away, if the session still is what the page showed; the customer and both technicians are told."""
    service = current_app.extensions["ventana"]
    wanted = number(request.form.get("technician"))
    reason = request.form.get("override_reason", "").strip() or None
    try:
        with write(service.sessions) as session:
            row = own_session(session, booking_id)
            reassign(session, service.desk(session), now(), actor(), row.id, seen_rev(), wanted, reason)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return session_page(booking_id, show([refusal], FIELDS))
    return redirect(url_for("technician.session.page", booking_id=booking_id), 303)
