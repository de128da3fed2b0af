"""Step 1: who the company is, proven by a code sent to its registered address."""

from functools import partial

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.identity.people import clean_cif, redeem_code, send_code
from scheduler.rules.refusals import Refusal
from scheduler.rules.text import clean_text
from scheduler.store.engines import write
from web.app import now
from web.customer.journey import Trip, steps
from web.gatekeeping import client_network, local_path
from web.i18n import gettext as _
from web.i18n import ngettext
from web.parts.refusing import NOTHING, Collector, Shown, plain, show
from web.security import browser_token, current_person, sign_in

blueprint = Blueprint("arrival", __name__, url_prefix="/book")


@blueprint.get("")
def start() -> ResponseReturnValue:
    """Company and CIF; somebody who is in already goes on or leaves."""
    person = current_person()
    if person is not None and person.actor.kind == "customer":
        return render_template("customer/known.html", steps=steps(Trip(), 1), onward=_onward())
    return _page(asked="sent" in request.args)


@blueprint.post("")
def ask() -> ResponseReturnValue:
    """Send a code, if the data match; the answer is the same either way."""
    service = current_app.extensions["ventana"]
    typed = {name: request.form.get(name, "") for name in ("company", "cif")}
    refusals = _unreadable(typed)
    if not refusals:
        try:
            with write(service.sessions) as session:
                desk = service.desk(session)
                send_code(session, desk, now(), **typed, browser=browser_token(), network=client_network())
        except Refusal as refusal:
            refusals = [refusal]
    if refusals:
        return _page(typed=typed, shown=show(refusals))
    return redirect(url_for("customer.arrival.start", sent=1, next=request.form.get("next") or None), 303)


@blueprint.post("/code")
def redeem() -> ResponseReturnValue:
    """Try the code; a wrong one says how many tries are left."""
    service = current_app.extensions["ventana"]
    code = request.form.get("code", "")[:100]
    with write(service.sessions) as session:
        tried = redeem_code(session, service.desk(session), now(), code, browser_token())
        if tried.contact is not None:
            sign_in(session, tried.contact, now())
    if tried.contact is not None:
        return redirect(_onward(), 303)
    return _page(asked=True, shown=_wrong_code(tried.tries_left))


def _unreadable(typed: dict[str, str]) -> list[Refusal]:
    found = Collector()
    found.attempt(partial(clean_text, "company", typed["company"], 200, required=True))
    found.attempt(partial(clean_text, "cif", typed["cif"], 20, required=True)) and found.attempt(
        clean_cif, typed["cif"]
    )
    return found.refusals


def _wrong_code(tries_left: int) -> Shown:
    title = _("The code cannot be used")
    if tries_left:
        left = ngettext("You have %(num)s try left.", "You have %(num)s tries left.", tries_left)
        return plain("code", "sign_in_failed", title, _("Code: this is not the code we sent."), left)
    return plain(
        "code",
        "sign_in_failed",
        title,
        _("Code: it has expired, was used already, or there were too many tries."),
        _("Ask for a new code and use the newest message."),
    )


def _onward() -> str:
    return local_path(request.values.get("next"), url_for("customer.entitlement.choose"))


def _page(
    asked: bool = False, typed: dict[str, str] | None = None, shown: Shown = NOTHING
) -> ResponseReturnValue:
    page = render_template(
        "customer/start.html",
        steps=steps(Trip(), 1),
        asked=asked,
        typed=typed or {},
        shown=shown,
        onward=request.values.get("next", ""),
    )
    return page, shown.status
