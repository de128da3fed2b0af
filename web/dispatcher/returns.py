"""Returns under warranty, /rma: the list, and each one's steps with a note."""

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.intake import rma
from scheduler.store.engines import read
from web.app import now
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.returns import document, return_view
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("returns", __name__, url_prefix="/rma")


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """The open ones first."""
    with read(current_app.extensions["ventana"].sessions) as session:
        rows = [return_view(session, row) for row in rma.listing(session)]
        return render_template("dispatcher/returns.html", rows=rows)


@blueprint.get(f"/<{ID}:rma_id>")
@staff_required("dispatcher")
def page(rma_id: int) -> ResponseReturnValue:
    """One return. Raises NotFound."""
    return _page(rma_id)


@blueprint.get(f"/<{ID}:rma_id>/document")
@staff_required("dispatcher")
def paper(rma_id: int) -> ResponseReturnValue:
    """The request document. Raises NotFound."""
    with read(current_app.extensions["ventana"].sessions) as session:
        return document(return_view(session, rma.find(session, rma_id)), url_for(".page", rma_id=rma_id))


@blueprint.post(f"/<{ID}:rma_id>")
@staff_required("dispatcher")
def step(rma_id: int) -> ResponseReturnValue:
    """Lead it one step on."""

    def verb(session: Session, desk: DeskContext) -> str:
        given = request.form
        rma.take_step(session, desk, now(), actor(), rma_id, given.get("step", ""), given.get("note", ""))
        return url_for(".page", rma_id=rma_id)

    return attempt(verb, lambda shown: _page(rma_id, shown))


def _page(rma_id: int, shown: Shown = NOTHING) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        view = return_view(session, rma.find(session, rma_id))
        note = request.form.get("note", "")
        page = render_template("dispatcher/return.html", it=view, note=note, shown=shown)
    return page, shown.status
