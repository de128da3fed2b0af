"""A company we do not know, or that has no support: a form to the desk instead of a dead end."""

from functools import partial

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.identity.people import claim_purchase, clean_cif
from scheduler.rules.refusals import Refusal
from scheduler.rules.text import clean_text
from scheduler.store.engines import write
from web.app import now
from web.customer.journey import Trip, steps
from web.gatekeeping import client_network
from web.parts.refusing import NOTHING, Collector, Shown, show

FIELDS = ("company", "cif", "email", "serial", "invoice")

blueprint = Blueprint("claim", __name__, url_prefix="/book/unknown")


@blueprint.get("")
def form() -> ResponseReturnValue:
    """The form, or the thanks after it was sent."""
    return _page({}, sent="sent" in request.args)


@blueprint.post("")
def send() -> ResponseReturnValue:
    """Hand the company's data to the desk."""
    typed = {name: request.form.get(name, "") for name in FIELDS}
    refusals = _unreadable(typed)
    if not refusals:
        try:
            with write(current_app.extensions["ventana"].sessions) as session:
                claim_purchase(session, now(), client_network(), **typed)
        except Refusal as refusal:
            refusals = [refusal]
    if refusals:
        return _page(typed, shown=show(refusals))
    return redirect(url_for("customer.claim.form", sent=1), 303)


def _unreadable(typed: dict[str, str]) -> list[Refusal]:
    found = Collector()
    for name in FIELDS:
        found.attempt(partial(clean_text, name, typed[name], 200, required=name != "invoice"))
    if typed["cif"].strip() and all(refusal.field != "cif" for refusal in found.refusals):
        found.attempt(clean_cif, typed["cif"])
    return found.refusals


def _page(typed: dict[str, str], shown: Shown = NOTHING, sent: bool = False) -> ResponseReturnValue:
    page = render_template(
        "customer/unknown.html", steps=steps(Trip(), 1), typed=typed, shown=shown, sent=sent
    )
    return page, shown.status
