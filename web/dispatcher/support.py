"""A customer's rights: granted, extended or ended, with their ledger, /customers/<id>/support."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.customers import granting, keeping, ledger
from scheduler.customers.granting import GrantForm
from scheduler.entitlements import facts_of, granted_minutes
from scheduler.rules.conditions import KINDS
from scheduler.rules.entitlement import last_day
from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read
from scheduler.store.models import Entitlement
from web.app import now
from web.dispatcher.customer_view import right_view
from web.parts.asked import attempt
from web.parts.ledger import ledger_csv, ledger_rows
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.public import kind_word
from web.security import staff_required

blueprint = Blueprint("support", __name__, url_prefix=f"/customers/<{ID}:customer_id>/support")
RENAMED = {"granted_hours": "hours"}
"""What refusals blame, as these forms call it."""
ONE = f"/<{ID}:entitlement_id>"


@blueprint.get("/new")
@staff_required("dispatcher")
def new(customer_id: int) -> ResponseReturnValue:
    """The form of one kind of right, ?kind=."""
    kind = request.args.get("kind", "hours")
    return _grant_form(customer_id, kind if kind in KINDS else "hours", {})


@blueprint.post("/new")
@staff_required("dispatcher")
def grant(customer_id: int) -> ResponseReturnValue:
    """Grant it and go to its page."""
    typed = {name: request.form.get(name, "") for name in GrantForm.__dataclass_fields__}

    def verb(session: Session, desk: DeskContext) -> str:
        right = granting.grant_right(session, desk, now(), actor(), customer_id, GrantForm(**typed))
        return url_for(".page", customer_id=customer_id, entitlement_id=right.id)

    kind = typed["kind"] if typed["kind"] in KINDS else "hours"
    return attempt(verb, lambda shown: _grant_form(customer_id, kind, typed, shown), RENAMED)


@blueprint.get(ONE)
@staff_required("dispatcher")
def page(customer_id: int, entitlement_id: int) -> ResponseReturnValue:
    """The right with every minute in and out."""
    return _page(customer_id, entitlement_id)


@blueprint.get(f"{ONE}/ledger.csv")
@staff_required("dispatcher")
def download(customer_id: int, entitlement_id: int) -> ResponseReturnValue:
    """The ledger as a file."""
    with read(current_app.extensions["ventana"].sessions) as session:
        return ledger_csv(session, _theirs(session, customer_id, entitlement_id))


@blueprint.post(f"{ONE}/end")
@staff_required("dispatcher")
def set_end(customer_id: int, entitlement_id: int) -> ResponseReturnValue:
    """Another last day: later extends, earlier ends."""

    def verb(session: Session, desk: DeskContext) -> str:
        _theirs(session, customer_id, entitlement_id)
        until = request.form.get("valid_until", "")
        granting.set_end(session, desk, now(), actor(), entitlement_id, until)
        return url_for(".page", customer_id=customer_id, entitlement_id=entitlement_id)

    return attempt(verb, lambda shown: _page(customer_id, entitlement_id, shown))


@blueprint.post(f"{ONE}/hours")
@staff_required("dispatcher")
def add_hours(customer_id: int, entitlement_id: int) -> ResponseReturnValue:
    """More bought hours."""

    def verb(session: Session, desk: DeskContext) -> str:
        right = _theirs(session, customer_id, entitlement_id)
        minutes = granting.clean_hours("granted_hours", request.form.get("hours", ""))
        ledger.add_hours(session, desk, now(), actor(), right, minutes)
        return url_for(".page", customer_id=customer_id, entitlement_id=entitlement_id) + "#ledger"

    return attempt(verb, lambda shown: _page(customer_id, entitlement_id, shown), RENAMED)


@blueprint.post(f"{ONE}/correct")
@staff_required("dispatcher")
def correct(customer_id: int, entitlement_id: int) -> ResponseReturnValue:
    """An entry that puts the balance right, with its reason."""

    def verb(session: Session, desk: DeskContext) -> str:
        right = _theirs(session, customer_id, entitlement_id)
        minutes = granting.clean_hours("correction", request.form.get("correction", ""))
        signed = -minutes if request.form.get("direction") == "take" else minutes
        ledger.correct(session, desk, now(), actor(), right, signed, request.form.get("reason", ""))
        return url_for(".page", customer_id=customer_id, entitlement_id=entitlement_id) + "#ledger"

    again = {"minutes": "correction", "entitlement": "correction"}
    return attempt(verb, lambda shown: _page(customer_id, entitlement_id, shown), again)


def _theirs(session: Session, customer_id: int, entitlement_id: int) -> Entitlement:
    right = granting.entitlement(session, entitlement_id)
    if right.customer_id != customer_id:
        raise NotFound("entitlement")
    return right


def _page(customer_id: int, entitlement_id: int, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        right = _theirs(session, customer_id, entitlement_id)
        granted = granted_minutes(session, [right.id]).get(right.id, 0)
        last = last_day(facts_of(right), desk.conditions)
        page = render_template(
            "dispatcher/support.html",
            row=right.customer,
            right=right_view(desk, right, granted, desk.today(now())),
            kind=right.kind,
            until=last.isoformat() if last else "",
            lines=ledger_rows(session, right) if right.metered or granted else [],
            typed=request.form,
            shown=shown,
        )
    return page, shown.status


def _grant_form(customer_id: int, kind: str, typed: Any, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk, row = service.desk(session), keeping.customer(session, customer_id)
        page = render_template(
            "dispatcher/grant.html",
            row=row,
            kind=kind,
            kinds=[(each, kind_word(each)) for each in KINDS],
            typed=typed,
            today=desk.today(now()).isoformat(),
            conditions=desk.conditions,
            shown=shown,
        )
    return page, shown.status
