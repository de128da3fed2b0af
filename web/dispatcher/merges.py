"""Two customers made one, /customers/<id>/merge: choose the one that stays, see what moves, confirm."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.customers import keeping, merging
from scheduler.customers.finding import find_customers
from scheduler.rules.refusals import InvalidInput, Refusal
from scheduler.store.engines import read
from web.app import now
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown, show
from web.parts.staff import ID, actor, number
from web.security import staff_required

blueprint = Blueprint("merges", __name__, url_prefix=f"/customers/<{ID}:customer_id>/merge")


@blueprint.get("")
@staff_required("dispatcher")
def ask(customer_id: int) -> ResponseReturnValue:
    """Search the one that stays by ?q=; with ?into= what will move."""
    return _page(customer_id, number(request.args.get("into")))


@blueprint.post("")
@staff_required("dispatcher")
def merge(customer_id: int) -> ResponseReturnValue:
    """Merge, and go to the one that stays."""
    into = number(request.form.get("into"))
    vault = current_app.extensions["ventana"].vault

    def verb(session: Session, desk: DeskContext) -> str:
        if into is None:
            raise InvalidInput("into", "required")
        merging.merge(session, desk, vault, now(), actor(), customer_id, into)
        return url_for("dispatcher.customers.page", customer_id=into)

    return attempt(verb, lambda shown: _page(customer_id, None, shown))


def _page(customer_id: int, into: int | None, shown: Shown = NOTHING) -> ResponseReturnValue:
    typed = request.args.get("q", "")[:200]
    with read(current_app.extensions["ventana"].sessions) as session:
        row, target = keeping.customer(session, customer_id), None
        if into is not None:
            try:
                target = merging.require_two(session, customer_id, into)[1]
            except Refusal as refusal:
                shown = show([refusal])
        facts: dict[str, Any] = {
            "row": row,
            "target": target,
            "moving": merging.moving(session, row.id),
            "found": [each for each in find_customers(session, typed).customers if each is not row]
            if typed
            else [],
        }
        page = render_template("dispatcher/merge.html", typed=typed, shown=shown, **facts)
    return page, shown.status
