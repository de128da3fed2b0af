"""Returns under warranty, /book/rma: ask for one, follow it, print its document."""

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.intake import rma
from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read
from web.app import now
from web.customer.journey import ID
from web.customer.who import actor, customer_id
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.returns import document, return_view
from web.security import customer_required

blueprint = Blueprint("returns", __name__, url_prefix="/book/rma")


@blueprint.get("")
@customer_required
def form() -> ResponseReturnValue:
    """The form, and one's returns."""
    return _page({})


@blueprint.post("")
@customer_required
def send() -> ResponseReturnValue:
    """Ask for a return and go to its page."""
    typed = {name: request.form.get(name, "") for name in ("serial", "symptoms", "invoice")}

    def verb(session: Session, desk: DeskContext) -> str:
        row = rma.ask(session, desk, now(), actor(), rma.RmaForm(**typed))
        return url_for(".page", rma_id=row.id)

    return attempt(verb, lambda shown: _page(typed, shown))


@blueprint.get(f"/<{ID}:rma_id>")
@customer_required
def page(rma_id: int) -> ResponseReturnValue:
    """One's own return. Raises NotFound for another customer's."""
    with read(current_app.extensions["ventana"].sessions) as session:
        view = return_view(session, rma.find(session, rma_id, customer_id()))
        return render_template("customer/return.html", it=view)


@blueprint.get(f"/<{ID}:rma_id>/document")
@customer_required
def paper(rma_id: int) -> ResponseReturnValue:
    """The request document, once the desk has sent it. Raises NotFound before."""
    with read(current_app.extensions["ventana"].sessions) as session:
        view = return_view(session, rma.find(session, rma_id, customer_id()))
        if not view["printable"]:
            raise NotFound("document")
        return document(view, url_for(".page", rma_id=rma_id))


def _page(typed: dict[str, str], shown: Shown = NOTHING) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        mine = [return_view(session, row) for row in rma.listing(session, customer_id())]
        page = render_template("customer/returns.html", mine=mine, typed=typed, shown=shown)
    return page, shown.status
