"""The list of customers, searched by name or CIF, and the forms of a company's record: /customers."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.customers import claims, keeping, merging
from scheduler.customers.finding import find_customers
from scheduler.customers.keeping import CustomerForm
from scheduler.intake import mail_requests, rma
from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read
from scheduler.store.models import Customer
from scheduler.waiting.joining import count_waiting
from web.app import now
from web.dispatcher.choices import LANGUAGES, technicians, zones
from web.dispatcher.customer_view import customer_view
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor, number
from web.security import staff_required

blueprint = Blueprint("customers", __name__, url_prefix="/customers")
FARTHEST_PAGE = 100_000


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """Customers by name, fifty on a page; ?q= searches."""
    typed = request.args.get("q", "")[:200]
    page = min(max(number(request.args.get("page")) or 1, 1), FARTHEST_PAGE)
    with read(current_app.extensions["ventana"].sessions) as session:
        return render_template(
            "dispatcher/customers.html",
            found=find_customers(session, typed, page),
            typed=typed,
            page=page,
            waiting=claims.count_open(session),
            asked=mail_requests.count_open(session),
            returning=rma.count_open(session),
            queued=count_waiting(session),
        )


@blueprint.get(f"/<{ID}:customer_id>")
@staff_required("dispatcher")
def page(customer_id: int) -> ResponseReturnValue:
    """Everything about one customer; the number of a merged one leads to the one that took it in."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        row = session.get(Customer, customer_id)
        if row is None:
            into = merging.former(session, customer_id)
            if into is None:
                raise NotFound("customer")
            return redirect(url_for(".page", customer_id=into), 302)
        view = customer_view(session, service.desk(session), row, now())
        return render_template("dispatcher/customer.html", it=view, row=row)


@blueprint.get("/new")
@staff_required("dispatcher")
def new() -> ResponseReturnValue:
    """The form for a company that the desk does not know yet."""
    return _form(None, {"locale": "es", "zone": "Europe/Madrid"})


@blueprint.post("/new")
@staff_required("dispatcher")
def add() -> ResponseReturnValue:
    """Keep the company and go to its page."""

    def verb(session: Session, desk: DeskContext) -> str:
        row = keeping.add_customer(session, desk, now(), actor(), _typed())
        return url_for(".page", customer_id=row.id)

    return attempt(verb, lambda shown: _form(None, request.form, shown))


@blueprint.get(f"/<{ID}:customer_id>/edit")
@staff_required("dispatcher")
def edit(customer_id: int) -> ResponseReturnValue:
    """The form with what is kept."""
    with read(current_app.extensions["ventana"].sessions) as session:
        row = keeping.customer(session, customer_id)
        names = ("company", "cif", "locale", "zone")
        values = {name: getattr(row, name) for name in names} | {"technician": row.technician_id or ""}
    return _form(customer_id, values)


@blueprint.post(f"/<{ID}:customer_id>/edit")
@staff_required("dispatcher")
def change(customer_id: int) -> ResponseReturnValue:
    """Keep what was changed."""

    def verb(session: Session, desk: DeskContext) -> str:
        keeping.change_customer(session, desk, now(), actor(), customer_id, _typed())
        return url_for(".page", customer_id=customer_id)

    return attempt(verb, lambda shown: _form(customer_id, request.form, shown))


def _typed() -> CustomerForm:
    given = request.form
    return CustomerForm(
        company=given.get("company", ""),
        cif=given.get("cif", ""),
        locale=given.get("locale", ""),
        zone=given.get("zone", ""),
        technician_id=number(given.get("technician")),
    )


def _form(customer_id: int | None, typed: Any, shown: Shown = NOTHING) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        staff = technicians(session)
    page = render_template(
        "dispatcher/customer_form.html",
        customer_id=customer_id,
        typed=typed,
        shown=shown,
        technicians=staff,
        languages=LANGUAGES,
        zones=zones(typed.get("zone")),
    )
    return page, shown.status
