"""Companies that asked to be let in: a dispatcher accepts them with their purchase or refuses with a reason."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.granting import GrantForm, grant_right
from scheduler.customers.keeping import (
    ContactForm,
    CustomerForm,
    add_contact,
    add_customer,
    clean_locale,
    require_dispatcher,
)
from scheduler.entitlements import facts_of
from scheduler.mailing import notices
from scheduler.rules.entitlement import last_day
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.rules.text import clean_text
from scheduler.store.models import ClaimDecision, Customer, Entitlement, FormerCustomer, PurchaseClaim
from scheduler.wording import say_day

SHORTEST_REASON = 10


@dataclass(frozen=True, slots=True)
class AcceptForm:
    """What the dispatcher settles on accepting: the company's data as checked, the person, the purchase."""

    customer: CustomerForm
    contact: ContactForm
    serial: str
    invoice: str
    bought_on: str


def open_claims(session: Session) -> list[PurchaseClaim]:
    """The claims nobody has decided yet, the oldest first."""
    undecided = select(PurchaseClaim).outerjoin(ClaimDecision).where(ClaimDecision.claim_id.is_(None))
    return list(session.scalars(undecided.order_by(PurchaseClaim.id)))


def decided_claims(session: Session, limit: int = 20) -> list[tuple[PurchaseClaim, ClaimDecision]]:
    """The claims decided last, the newest first."""
    query = select(PurchaseClaim, ClaimDecision).join(ClaimDecision)
    rows = session.execute(
        query.order_by(ClaimDecision.decided_at.desc(), PurchaseClaim.id.desc()).limit(limit)
    )
    return [(claim, decision) for claim, decision in rows]


def count_open(session: Session) -> int:
    """How many claims wait for a decision."""
    query = select(func.count()).select_from(PurchaseClaim).outerjoin(ClaimDecision)
    return session.scalar(query.where(ClaimDecision.claim_id.is_(None))) or 0


def open_claim(session: Session, claim_id: int, *, deciding: bool = False) -> PurchaseClaim:
    """The claim, still open; `deciding` locks it. Raises NotFound; InvalidInput("claim", "already_decided")."""
    claim = session.get(PurchaseClaim, claim_id, with_for_update=deciding or None)
    if claim is None:
        raise NotFound("claim")
    if session.get(ClaimDecision, claim_id) is not None:
        raise InvalidInput("claim", "already_decided")
    return claim


def known_customer(session: Session, cif: str) -> Customer | None:
    """The customer with this CIF, also when it had it before a merge."""
    found = session.scalar(select(Customer).where(Customer.cif == cif))
    if found is not None:
        return found
    former = session.scalar(select(FormerCustomer).where(FormerCustomer.cif == cif))
    return former.customer if former else None


def accept(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, claim_id: int, form: AcceptForm
) -> Entitlement:
    """Let the company in: its record (a known CIF is linked, not doubled), the person, thirty days of support.

    Raises what adding customer, contact and purchase raise, and InvalidInput("claim", "already_decided").
    """
    require_dispatcher(actor)
    claim = open_claim(session, claim_id, deciding=True)
    known = known_customer(session, form.customer.cif)
    row = known or add_customer(session, desk, now, actor, form.customer)
    person = next((c for c in row.contacts if c.email.casefold() == form.contact.email.casefold()), None)
    if person is None:
        person = add_contact(session, desk, now, actor, row.id, form.contact)
    purchase = GrantForm("purchase", serial=form.serial, invoice=form.invoice, bought_on=form.bought_on)
    right = grant_right(session, desk, now, actor, row.id, purchase)
    _decide(session, desk, now, actor, claim, "accepted", "", row.id)
    until = last_day(facts_of(right), desk.conditions)
    facts = {
        "company": row.company,
        "cif": row.cif,
        "serial": right.serial,
        "until": f"{say_day(until, row.locale)}, {until.year}" if until else "",
        "link": f"{desk.installation.link_base}/book",
    }
    reader = notices.Reader(person.name, person.email, row.locale)
    notices.write(session, desk, now, f"claim:{claim.id}", "claim_accepted", reader, facts)
    return right


def refuse(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, claim_id: int, reason: str, locale: str
) -> None:
    """Say no, with a reason that is mailed to the company. Raises InvalidInput("reason" or "claim", …)."""
    require_dispatcher(actor)
    claim = open_claim(session, claim_id, deciding=True)
    text = clean_text("reason", reason, 2000, multiline=True, required=True)
    if len(text) < SHORTEST_REASON:
        raise InvalidInput("reason", "too_short", minimum=SHORTEST_REASON)
    locale = clean_locale(locale)
    _decide(session, desk, now, actor, claim, "refused", text, None)
    facts = {"company": claim.company, "cif": claim.cif, "serial": claim.serial, "reason": text}
    reader = notices.Reader(claim.company, claim.email, locale)
    notices.write(session, desk, now, f"claim:{claim.id}", "claim_refused", reader, facts)


def typed(claim: PurchaseClaim) -> AcceptForm:
    """The form as the claim fills it, for the dispatcher to check."""
    return AcceptForm(
        customer=CustomerForm(claim.company, claim.cif),
        contact=ContactForm(claim.company, claim.email),
        serial=claim.serial,
        invoice=claim.invoice,
        bought_on=claim.bought_on.isoformat() if claim.bought_on else "",
    )


def with_known(form: AcceptForm, known: Customer) -> AcceptForm:
    """The same form with the data of the customer that is there already."""
    company = CustomerForm(known.company, known.cif, known.locale, known.zone, known.technician_id)
    return replace(form, customer=company)


def _decide(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    claim: PurchaseClaim,
    outcome: str,
    reason: str,
    customer_id: int | None,
) -> None:
    session.add(
        ClaimDecision(
            claim_id=claim.id,
            outcome=outcome,
            reason=reason,
            customer_id=customer_id,
            decided_at=now,
            decided_by=str(actor),
        )
    )
    session.flush()
    subject = f"claim:{claim.id}"
    facts = {"customer": customer_id} if customer_id else {"reason": reason}
    audit.record(session, desk.installation, now, actor, f"claim.{outcome}", subject, **facts)
