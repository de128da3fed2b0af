"""Set one's own password by the link of a mail, /sign-in/password/<token>. Scanners open it: GET uses nothing up."""

from flask import Blueprint, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from scheduler.rules.refusals import InvalidInput, Refusal, SignInFailed
from scheduler.store.engines import read, write
from scheduler.team import passwords
from web import security
from web.app import now
from web.log_lines import hide_feed_secret
from web.parts.refusing import NOTHING, Shown, show

blueprint = Blueprint("first_password", __name__, url_prefix="/sign-in/password")
LONGEST_TOKEN = 100


@blueprint.before_request
def _hide_token() -> None:
    """A log line about this request must not hold what opens the account."""
    request.path = hide_feed_secret(request.path)


@blueprint.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """The form, for whoever holds a link that still works."""
    return _form(token, NOTHING)


@blueprint.post("/<token>")
def keep(token: str) -> ResponseReturnValue:
    """Use the link and come in."""
    service = current_app.extensions["ventana"]
    first, second = request.form.get("password", ""), request.form.get("password_again", "")
    try:
        require_same(first, second)
        with write(service.sessions) as session:
            person = passwords.set_password(
                session, service.desk(session), now(), token[:LONGEST_TOKEN], first
            )
            security.sign_in(session, person, now())
            goal = security.first_page(person.role)
    except (InvalidInput, SignInFailed) as refusal:
        refused: Refusal = refusal
        return _form(token, show([refused]))
    return redirect(goal, 303)


def require_same(first: str, second: str) -> None:
    """Raises InvalidInput("password_again", "differs")."""
    if first != second:
        raise InvalidInput("password_again", "differs")


def _form(token: str, shown: Shown) -> ResponseReturnValue:
    try:
        with read(current_app.extensions["ventana"].sessions) as session:
            name = passwords.holder(session, now(), token[:LONGEST_TOKEN]).name
    except SignInFailed as refusal:
        dead = show([refusal])
        return render_template("technician/first_password.html", name=None, shown=dead), dead.status
    page = render_template("technician/first_password.html", name=name, shown=shown)
    return page, shown.status
