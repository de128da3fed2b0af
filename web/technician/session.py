"""The page of one session, /s/<id>: what to know before it, what to do in it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.bookings.reassigning import able
from scheduler.checks import planning
from scheduler.context import DeskContext
from scheduler.rules.lifecycle import allowed_verbs
from scheduler.rules.refusals import NotAllowed, NotFound, Refusal
from scheduler.store.engines import read, write
from scheduler.store.models import Booking
from web.app import now
from web.parts.answers import answers_view
from web.parts.refusing import NOTHING, Shown, show
from web.parts.slots import instant
from web.parts.staff import ID, actor
from web.security import current_zone, staff_required
from web.technician import check_words
from web.technician.access import place_of, testable
from web.technician.closing_view import closing_view
from web.technician.pbx_words import pbx_state
from web.technician.session_view import session_view
from web.technician.who import FIELDS, dispatching, own_session, seen_rev

blueprint = Blueprint("session", __name__, url_prefix=f"/s/<{ID}:booking_id>")


@blueprint.get("")
@staff_required()
def page(booking_id: int) -> ResponseReturnValue:
    """For the session's own technician and for dispatchers."""
    return session_page(booking_id)


@blueprint.get("/cancel")
@staff_required()
def ask_cancel(booking_id: int) -> ResponseReturnValue:
    """A page of its own: cancelling is not a slip of the finger."""
    return _cancel_page(booking_id)


@blueprint.post("/cancel")
@staff_required()
def cancel(booking_id: int) -> ResponseReturnValue:
    """Cancel, if the session still is what the page showed; the customer is told by mail."""
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            row = own_session(session, booking_id)
            bookings.cancel(session, service.desk(session), now(), actor(), row.id, seen_rev())
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _cancel_page(booking_id, show([refusal], FIELDS))
    return redirect(url_for("technician.session.page", booking_id=booking_id), 303)


def session_page(
    booking_id: int, shown: Shown = NOTHING, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """The page as it is now; with what was refused, when something was."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        row = own_session(session, booking_id)
        facts = _facts(session, service.desk(session), row, typed)
        page_text = render_template("technician/session.html", shown=shown, **facts)
    return page_text, shown.status


def _facts(
    session: Session, desk: DeskContext, row: Booking, typed: Mapping[str, str] | None
) -> dict[str, Any]:
    zone, checks = current_zone(), planning.timeline(session, row)
    last = check_words.latest_begun(checks)
    return {
        "it": session_view(desk, row, actor(), now(), zone),
        "check": check_words.live_check(session, desk, last, row.access_point, place_of(row)),
        "testable": testable(row),
        "timeline_entries": check_words.timeline(session, desk, row, checks, zone),
        **closing_view(session, desk, row, now(), zone, typed),
        "answers": answers_view(session, row, zone),
        "pbx": pbx_state(session, row.access_point, now(), zone),
        "others": _others(session, row),
        "wait": instant(request.args.get("wait", "")),
    }


def _others(session: Session, row: Booking) -> list[tuple[str, str]]:
    """Who could take it instead, for a dispatcher to choose from."""
    if not dispatching() or "move" not in allowed_verbs(row.status) or row.starts_at <= now():
        return []
    return [(str(each.id), each.name) for each in able(session, row)]


def _cancel_page(booking_id: int, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        row = own_session(session, booking_id)
        view = session_view(service.desk(session), row, actor(), now(), current_zone())
    return render_template("technician/cancel.html", it=view, shown=shown), shown.status
