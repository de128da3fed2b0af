"""A customer's credential, shown for a minute to who has just typed their password again."""

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler import people
from scheduler.revealing import may_reveal, reveal
from scheduler.rules.refusals import NotAllowed, SignInFailed, TooManyTries
from scheduler.store.engines import read, write
from web.app import now
from web.gatekeeping import client_network
from web.i18n import gettext as _
from web.parts.refusing import plain, show
from web.parts.staff import ID, actor
from web.security import authenticated_again, current_person, staff_required
from web.technician.door import PASSWORD_LENGTH
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
        known = _proved()
    except TooManyTries as refusal:
        return session_page(booking_id, show([refusal]))
    if not known:
        title, text = (
            _("We could not verify your password"),
            _("Password: it is not the one you sign in with."),
        )
        return session_page(booking_id, plain("password", SignInFailed.code, title, text))
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


def _proved() -> bool:
    """Whether the password is this person's; each try is counted as one of signing in. Raises TooManyTries."""
    person = current_person()
    if person is None:
        return False
    password = request.form.get("password", "")[:PASSWORD_LENGTH]
    with write(current_app.extensions["ventana"].sessions) as session:
        found = people.sign_in_staff(session, now(), person.email, password, client_network())
        return found is not None and found.id == person.actor.id


def _gone_soon(text: str, page: str) -> Response:
    response = make_response(text)
    # Works without JavaScript, and in a tab that nobody looks at.
    response.headers["Refresh"] = f"{SHOWN_SECONDS}; url={page}"
    response.headers["Cache-Control"] = "no-store"
    return response
