"""The live check of a session's door for the desk: asked for, watched while it runs, and the host key confirmed."""

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from sqlalchemy.orm import Session

from scheduler import pictures
from scheduler.checks import pins, planning
from scheduler.context import DeskContext
from scheduler.rules.refusals import NotFound, TooManyTries
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Check
from web.app import now
from web.i18n import language
from web.parts.check_view import Place
from web.parts.live import Drawn, prepare_streams, stream
from web.parts.screens import png
from web.parts.slots import written
from web.parts.staff import ID, actor
from web.security import staff_required
from web.technician.check_words import live_check
from web.technician.who import own_session

blueprint = Blueprint("access", __name__, url_prefix=f"/s/<{ID}:booking_id>")
blueprint.record_once(prepare_streams)


@blueprint.post("/check")
@staff_required()
def ask(booking_id: int) -> ResponseReturnValue:
    """Test the access now; too many tests lead back with the moment from which there may be more."""
    back = url_for("technician.session.page", booking_id=booking_id)
    try:
        with write(current_app.extensions["ventana"].sessions) as session:
            row = own_session(session, booking_id)
            if testable(row):
                planning.ask(session, now(), actor(), row.access_point, row)
    except TooManyTries as refusal:
        return redirect(f"{back}?wait={written(refusal.retry_at)}", 303)
    return redirect(f"{back}#access", 303)


@blueprint.post("/host-key")
@staff_required()
def confirm_host_key(booking_id: int) -> ResponseReturnValue:
    """The host key was compared with the customer: pinned, and the access tested again with it."""
    with write(current_app.extensions["ventana"].sessions) as session:
        row = own_session(session, booking_id)
        point = row.access_point
        pins.confirm(session, point, request.form.get("fingerprint", ""), actor(), now())
        session.expire(point, ["pins"])
        try:
            if testable(row):
                planning.ask(session, now(), actor(), point, row)
        except TooManyTries:
            current_app.logger.info("host key of access point %s confirmed, not tested again now", point.id)
    return redirect(url_for("technician.session.page", booking_id=booking_id) + "#access", 303)


@blueprint.get(f"/check/<{ID}:check_id>/events")
@staff_required()
def events(booking_id: int, check_id: int) -> ResponseReturnValue:
    """The steps of a running check of this session as they end (text/event-stream)."""
    locale = language()

    def draw(session: Session, desk: DeskContext) -> Drawn:
        row, check = own_session(session, booking_id), session.get(Check, check_id)
        if check is None or check.booking_id != row.id:
            raise NotFound("check")
        with force_locale(locale):
            view = live_check(session, desk, check, row.access_point, place_of(row))
        return Drawn(view, over=check.state not in ("planned", "running"))

    return stream(check_id, draw)


@blueprint.get(f"/picture/<{ID}:check_id>")
@staff_required()
def picture(booking_id: int, check_id: int) -> ResponseReturnValue:
    """The screen as a check of this session saw it (image/png)."""
    with read(current_app.extensions["ventana"].sessions) as session:
        row = own_session(session, booking_id)
        check, body = pictures.of_check(session, check_id, now())
        if check.booking_id != row.id:
            raise NotFound("picture")
        return png(body)


def place_of(row: Booking) -> Place:
    """Where the check of a session is asked, watched and repaired."""
    return Place(
        ask=url_for("technician.access.ask", booking_id=row.id),
        confirm=url_for("technician.access.confirm_host_key", booking_id=row.id),
        here=url_for("technician.session.page", booking_id=row.id) + "#access",
        edit=None,
        events=lambda check_id: url_for("technician.access.events", booking_id=row.id, check_id=check_id),
        kind=row.entitlement.kind,
        picture=lambda check_id: url_for("technician.access.picture", booking_id=row.id, check_id=check_id),
    )


def testable(row: Booking) -> bool:
    """A test still helps: the session is ahead or under way."""
    return row.status in ("pending", "confirmed", "in_session") and now() < row.ends_at
