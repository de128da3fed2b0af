"""A customer's credential, shown for a minute to who has just typed their password again."""

from flask import Blueprint, Response, current_app, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from scheduler.doors.revealing import may_reveal, reveal
from scheduler.rules.refusals import NotAllowed, TooManyTries
from scheduler.store.engines import read, write
from web.app import now
from web.parts.refusing import show
from web.parts.staff import ID, actor
from web.security import authenticated_again, staff_required
from web.technician.proving import not_theirs, proved
from web.technician.session import session_page
from web.technician.who import own_session

blueprint = Blueprint("revealing", __name__, url_prefix=f"/s/<{ID}:booking_id>")
SHOWN_SECONDS = 60


@blueprint.post("/credential")
@staff_required()
def show_credential(booking_id: int) -> ResponseReturnValue:
    """Ask for the password again, write it down in the audit log, tell the customer, show it; then it is gone."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        # Before the password: a wrong moment must not cost one of the counted tries.
        if not may_reveal(actor(), own_session(session, booking_id), now()).allowed:
            raise NotAllowed("credential")
    try:
        known = proved("password")
    except TooManyTries as refusal:
        return session_page(booking_id, show([refusal]))
    if not known:
        return session_page(booking_id, not_theirs("password"))
    with write(service.sessions) as session:
        row = own_session(session, booking_id)
        authenticated_again(session, now())
        opened = reveal(session, service.desk(session), service.vault, now(), actor(), row)
        point, page = row.access_point, url_for("technician.session.page", booking_id=booking_id)
        text = render_template(
            "technician/credential.html",
            point=point,
            secret=opened.reveal(),
            back=page,
            seconds=SHOWN_SECONDS,
        )
    return _gone_soon(text, page)


def _gone_soon(text: str, page: str) -> Response:
    response = make_response(text)
    # Works without JavaScript, and in a tab that nobody looks at.
    response.headers["Refresh"] = f"{SHOWN_SECONDS}; url={page}"
    response.headers["Cache-Control"] = "no-store"
    return response
