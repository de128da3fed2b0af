"""The customer's own hour ledger, /book/support/<id>: every minute in and out, as the desk sees it."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read
from scheduler.store.models import Entitlement
from web.customer.journey import ID
from web.customer.who import customer_id
from web.parts.ledger import full_date, ledger_csv, ledger_rows
from web.public import kind_word
from web.security import customer_required

blueprint = Blueprint("support", __name__, url_prefix=f"/book/support/<{ID}:entitlement_id>")


@blueprint.get("")
@customer_required
def page(entitlement_id: int) -> ResponseReturnValue:
    """One's own ledger. Raises NotFound for another customer's."""
    with read(current_app.extensions["ventana"].sessions) as session:
        right = _own(session, entitlement_id)
        return render_template(
            "customer/support.html",
            right=right,
            title=kind_word(right.kind),
            until=full_date(right.valid_until) if right.valid_until else None,
            lines=ledger_rows(session, right),
        )


@blueprint.get("/ledger.csv")
@customer_required
def download(entitlement_id: int) -> ResponseReturnValue:
    """The same as a file."""
    with read(current_app.extensions["ventana"].sessions) as session:
        return ledger_csv(session, _own(session, entitlement_id))


def _own(session: Session, entitlement_id: int) -> Entitlement:
    right = session.get(Entitlement, entitlement_id)
    if right is None or right.customer_id != customer_id():
        raise NotFound("entitlement")
    return right
