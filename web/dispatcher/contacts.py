"""A customer's people: added, changed and removed by the dispatcher, /customers/<id>/contacts."""

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.customers import keeping
from scheduler.customers.keeping import ContactForm
from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read
from scheduler.store.models import Contact
from web.app import now
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("contacts", __name__, url_prefix=f"/customers/<{ID}:customer_id>/contacts")
FIELDS = ("name", "email", "phone")


@blueprint.get("/new")
@staff_required("dispatcher")
def new(customer_id: int) -> ResponseReturnValue:
    """The empty form."""
    return _form(customer_id, None, {})


@blueprint.post("/new")
@staff_required("dispatcher")
def add(customer_id: int) -> ResponseReturnValue:
    """One more person."""

    def verb(session: Session, desk: DeskContext) -> str:
        keeping.add_contact(session, desk, now(), actor(), customer_id, _typed())
        return _page_of(customer_id)

    return attempt(verb, lambda shown: _form(customer_id, None, request.form.to_dict(), shown))


@blueprint.get(f"/<{ID}:contact_id>")
@staff_required("dispatcher")
def edit(customer_id: int, contact_id: int) -> ResponseReturnValue:
    """The form with what is kept, and below it the way out."""
    with read(current_app.extensions["ventana"].sessions) as session:
        person = _theirs(session, customer_id, contact_id)
        values = {name: getattr(person, name) or "" for name in FIELDS}
    return _form(customer_id, contact_id, values)


@blueprint.post(f"/<{ID}:contact_id>")
@staff_required("dispatcher")
def change(customer_id: int, contact_id: int) -> ResponseReturnValue:
    """Keep what was changed."""

    def verb(session: Session, desk: DeskContext) -> str:
        _theirs(session, customer_id, contact_id)
        keeping.change_contact(session, desk, now(), actor(), contact_id, _typed())
        return _page_of(customer_id)

    return attempt(verb, lambda shown: _form(customer_id, contact_id, request.form.to_dict(), shown))


@blueprint.post(f"/<{ID}:contact_id>/remove")
@staff_required("dispatcher")
def remove(customer_id: int, contact_id: int) -> ResponseReturnValue:
    """Take the person off; whoever is signed in as them is out at once."""

    def verb(session: Session, desk: DeskContext) -> str:
        _theirs(session, customer_id, contact_id)
        keeping.remove_contact(session, desk, now(), actor(), contact_id)
        return _page_of(customer_id)

    return attempt(verb, lambda shown: _form(customer_id, contact_id, {}, shown))


def _theirs(session: Session, customer_id: int, contact_id: int) -> Contact:
    person = keeping.contact(session, contact_id)
    if person.customer_id != customer_id:
        raise NotFound("contact")
    return person


def _typed() -> ContactForm:
    return ContactForm(*(request.form.get(name, "") for name in FIELDS))


def _page_of(customer_id: int) -> str:
    return url_for("dispatcher.customers.page", customer_id=customer_id) + "#contacts"


def _form(
    customer_id: int, contact_id: int | None, typed: dict[str, str], shown: Shown = NOTHING
) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        row = keeping.customer(session, customer_id)
        alone = len(row.contacts) == 1
    page = render_template(
        "dispatcher/contact.html", row=row, contact_id=contact_id, typed=typed, shown=shown, alone=alone
    )
    return page, shown.status
