"""People of the desk come in: e-mail and password."""

from flask import Blueprint, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from scheduler.identity import people
from scheduler.rules.refusals import InvalidInput, SignInFailed, TooManyTries
from scheduler.rules.text import clean_text
from scheduler.store.engines import write
from web import gatekeeping, security
from web.app import now
from web.parts.refusing import NOTHING, Shown, show

blueprint = Blueprint("door", __name__, url_prefix=security.STAFF_DOOR)
EMAIL_LENGTH = 254
HOME = "/"
"""Nobody asked for a page in particular."""
PASSWORD_LENGTH = 1000
"""Longer ones only cost hashing time."""


@blueprint.get("")
def ask() -> ResponseReturnValue:
    """The form; who is in already goes on."""
    onward = gatekeeping.local_path(request.args.get("next"), HOME)
    person = security.current_person()
    if person is not None and person.staff:
        return redirect(_goal(onward, person.actor.kind), 303)
    return _form(onward)


@blueprint.post("")
def enter() -> ResponseReturnValue:
    """Try e-mail and password; the same answer for an unknown address and a wrong password."""
    onward = gatekeeping.local_path(request.form.get("next"), HOME)
    typed = request.form.get("email", "")
    try:
        email = clean_text("email", typed, EMAIL_LENGTH)
        with write(current_app.extensions["ventana"].sessions) as session:
            password = request.form.get("password", "")[:PASSWORD_LENGTH]
            person = people.sign_in_staff(session, now(), email, password, gatekeeping.client_network())
            if person is not None:
                security.sign_in(session, person, now())
                onward = _goal(onward, person.role)
    except (InvalidInput, TooManyTries) as refusal:
        return _form(onward, typed, show([refusal]))
    if person is None:
        return _form(onward, typed, show([SignInFailed()]))
    return redirect(onward, 303)


def _goal(onward: str, role: str) -> str:
    return security.first_page(role) if onward == HOME else onward


def _form(onward: str, email: str = "", shown: Shown = NOTHING) -> ResponseReturnValue:
    page = render_template("technician/sign_in.html", onward=onward, email=email, shown=shown)
    return page, shown.status
