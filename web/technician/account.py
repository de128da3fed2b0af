"""One's own account: /account, with the calendars in which one is busy elsewhere."""

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from scheduler.store.engines import read
from scheduler.store.models import Technician
from web.app import now
from web.parts import busy_card
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
@staff_required()
def page() -> ResponseReturnValue:
    """Who one is here, and one's calendars."""
    return _page()


@blueprint.post("/calendars")
@staff_required()
def add() -> ResponseReturnValue:
    """Read one more calendar from now on."""
    return _after(busy_card.add(actor().id))


@blueprint.post(f"/calendars/<{ID}:calendar_id>/read")
@staff_required()
def read_again(calendar_id: int) -> ResponseReturnValue:
    """Read it now."""
    return _after(busy_card.read_again(actor().id, calendar_id))


@blueprint.post(f"/calendars/<{ID}:calendar_id>/remove")
@staff_required()
def remove(calendar_id: int) -> ResponseReturnValue:
    """Forget the calendar and its times."""
    busy_card.remove(actor().id, calendar_id)
    return _after(NOTHING)


def _after(shown: Shown) -> ResponseReturnValue:
    if shown.messages:
        return _page(shown)
    return redirect(url_for("technician.account.page") + "#calendars", 303)


def _page(shown: Shown = NOTHING) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        row = session.get_one(Technician, actor().id)
        cards = busy_card.busy_card(session, row.id, now())
        page = render_template("technician/account.html", row=row, calendars=cards, shown=shown)
    return page, shown.status
