"""Companies that asked to be let in, /customers/claims: accepted with their purchase, or refused with a reason."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.customers import claims
from scheduler.customers.keeping import ContactForm, CustomerForm
from scheduler.identity.people import clean_cif
from scheduler.store.engines import read
from scheduler.store.models import Customer, PurchaseClaim
from web.app import now
from web.dispatcher.choices import LANGUAGES, technicians, zones
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor, number
from web.security import staff_required

blueprint = Blueprint("claims", __name__, url_prefix="/customers/claims")


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """What waits for a decision, and what was decided last."""
    with read(current_app.extensions["ventana"].sessions) as session:
        waiting, decided = claims.open_claims(session), claims.decided_claims(session)
        return render_template("dispatcher/claims.html", waiting=waiting, decided=decided)


@blueprint.get(f"/<{ID}:claim_id>")
@staff_required("dispatcher")
def page(claim_id: int) -> ResponseReturnValue:
    """One request with both forms."""
    return _page(claim_id, None)


@blueprint.post(f"/<{ID}:claim_id>/accept")
@staff_required("dispatcher")
def accept(claim_id: int) -> ResponseReturnValue:
    """Let the company in and go to its page."""

    def verb(session: Session, desk: DeskContext) -> str:
        right = claims.accept(session, desk, now(), actor(), claim_id, _typed())
        return url_for("dispatcher.customers.page", customer_id=right.customer_id)

    return attempt(verb, lambda shown: _page(claim_id, request.form, shown))


@blueprint.post(f"/<{ID}:claim_id>/refuse")
@staff_required("dispatcher")
def refuse(claim_id: int) -> ResponseReturnValue:
    """Say no and mail the reason."""

    def verb(session: Session, desk: DeskContext) -> str:
        reason, locale = request.form.get("reason", ""), request.form.get("locale", "")
        claims.refuse(session, desk, now(), actor(), claim_id, reason, locale)
        return url_for(".listing")

    return attempt(verb, lambda shown: _page(claim_id, None, shown))


def _typed() -> claims.AcceptForm:
    given = request.form
    company = CustomerForm(
        given.get("company", ""),
        clean_cif(given.get("cif", "")),
        given.get("locale", ""),
        given.get("zone", ""),
        number(given.get("technician")),
    )
    person = ContactForm(given.get("name", ""), given.get("email", ""), given.get("phone", ""))
    return claims.AcceptForm(
        company, person, given.get("serial", ""), given.get("invoice", ""), given.get("bought_on", "")
    )


def _page(claim_id: int, typed: Any, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        claim = claims.open_claim(session, claim_id)
        known = claims.known_customer(session, claim.cif)
        page = render_template(
            "dispatcher/claim.html",
            claim=claim,
            known=known,
            typed=typed or _prefilled(claim, known),
            refusing=request.form.get("reason", ""),
            technicians=technicians(session),
            languages=LANGUAGES,
            zones=zones(known.zone if known else None),
            today=service.desk(session).today(now()).isoformat(),
            shown=shown,
        )
    return page, shown.status


def _prefilled(claim: PurchaseClaim, known: Customer | None) -> dict[str, Any]:
    form = claims.typed(claim)
    if known is not None:
        form = claims.with_known(form, known)
    company, person = form.customer, replace(form.contact)
    return {
        "company": company.company,
        "cif": company.cif,
        "locale": company.locale,
        "zone": company.zone,
        "technician": company.technician_id or "",
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "serial": form.serial,
        "invoice": form.invoice,
        "bought_on": form.bought_on,
    }
