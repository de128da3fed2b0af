"""Change one's own password, /account/password: the old one is asked for, and everything else that is open ends."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.rules.refusals import InvalidInput, Refusal, TooManyTries
from scheduler.store.engines import write
from scheduler.team import passwords
from web import security
from web.app import now
from web.parts.refusing import NOTHING, Shown, show
from web.parts.staff import actor
from web.security import staff_required
from web.technician.first_password import require_same
from web.technician.proving import not_theirs, proved

blueprint = Blueprint("own_password", __name__, url_prefix="/account/password")


@blueprint.get("")
@staff_required()
def ask() -> ResponseReturnValue:
    """The form."""
    return _form(NOTHING)


@blueprint.post("")
@staff_required()
def change() -> ResponseReturnValue:
    """Keep the new one; only this browser stays signed in."""
    service = current_app.extensions["ventana"]
    first, second = request.form.get("password", ""), request.form.get("password_again", "")
    try:
        require_same(first, second)
        if not proved("old_password"):
            return _form(not_theirs("old_password"))
        with write(service.sessions) as session:
            person = passwords.change(session, service.desk(session), now(), actor(), first)
            security.sign_in(session, person, now())
    except (InvalidInput, TooManyTries) as refusal:
        refused: Refusal = refusal
        return _form(show([refused]))
    return redirect(url_for("technician.account.page", changed="password"), 303)


def _form(shown: Shown) -> ResponseReturnValue:
    person = security.current_person()
    email = person.email if person else ""
    return render_template("technician/own_password.html", email=email, shown=shown), shown.status
