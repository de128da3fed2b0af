"""A customer's record and its people: made and changed by a dispatcher, each change in the audit log."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.calendars.rewriting import rewrite
from scheduler.context import DeskContext
from scheduler.identity.people import clean_cif
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound
from scheduler.rules.text import clean_text
from scheduler.store.models import (
    ApiToken,
    Booking,
    Contact,
    Customer,
    FormerCustomer,
    SignInCode,
    Technician,
    WebSession,
)

LOCALES = ("es", "en")
NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class CustomerForm:
    """What was typed about a company; texts as typed, the technician by number."""

    company: str
    cif: str
    locale: str = "es"
    zone: str = "Europe/Madrid"
    technician_id: int | None = None


@dataclass(frozen=True, slots=True)
class ContactForm:
    """What was typed about a person."""

    name: str
    email: str
    phone: str = ""


def add_customer(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, form: CustomerForm
) -> Customer:
    """A new company. Raises NotAllowed, and InvalidInput(field, problem); a known CIF says whose it is."""
    require_dispatcher(actor)
    values = customer_values(session, form)
    refuse_known_cif(session, values["cif"])
    row = Customer(**values, created_at=now)
    session.add(row)
    session.flush()
    _audit(session, desk, now, actor, "customer.add", row, company=row.company, cif=row.cif)
    return row


def change_customer(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, customer_id: int, form: CustomerForm
) -> Customer:
    """Another name, CIF, language, zone or technician. Raises as `add_customer`, and NotFound."""
    require_dispatcher(actor)
    row, values = customer(session, customer_id), customer_values(session, form)
    if values["cif"] != row.cif:
        refuse_known_cif(session, values["cif"])
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    session.flush()
    if changed:
        rewrite(session, desk, now, Booking.customer_id == row.id)
        _audit(session, desk, now, actor, "customer.change", row, **changed)
    return row


def customer(session: Session, customer_id: int) -> Customer:
    """The customer with this number. Raises NotFound."""
    row = session.get(Customer, customer_id)
    if row is None:
        raise NotFound("customer")
    return row


def customer_values(session: Session, form: CustomerForm) -> dict[str, object]:
    """The cleaned values of a company's row. Raises InvalidInput(field, problem)."""
    return {
        "company": clean_text("company", form.company, NAME_LENGTH, required=True),
        "cif": clean_cif(clean_text("cif", form.cif, 20, required=True)),
        "locale": clean_locale(form.locale),
        "zone": clean_zone(form.zone),
        "technician_id": _technician_id(session, form.technician_id),
    }


def clean_locale(value: str) -> str:
    """A language that pages and mails speak. Raises InvalidInput("locale", "not_offered")."""
    if value not in LOCALES:
        raise InvalidInput("locale", "not_offered", offered=list(LOCALES))
    return value


def clean_zone(value: str) -> str:
    """The name of an IANA zone. Raises InvalidInput("zone", "not_a_zone")."""
    try:
        return ZoneInfo(clean_text("zone", value, 60, required=True)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("zone", "not_a_zone", example="Europe/Madrid") from None


def clean_email(value: str) -> str:
    """An address that mails can be sent to, as typed. Raises InvalidInput("email", …)."""
    text = clean_text("email", value, 254, required=True)
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain[1:-1] or any(c.isspace() or c in '<>,;"' for c in text):
        raise InvalidInput("email", "not_an_email", example="nombre@empresa.example")
    return text


def refuse_known_cif(session: Session, cif: object) -> None:
    """Raise InvalidInput("cif", "already_known") where a customer has it, or had it before a merge."""
    known = session.scalar(select(Customer).where(Customer.cif == cif))
    if known is None:
        former = session.scalar(select(FormerCustomer).where(FormerCustomer.cif == cif))
        known = former.customer if former else None
    if known is not None:
        raise InvalidInput("cif", "already_known", customer=known.id, company=known.company)


def add_contact(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, customer_id: int, form: ContactForm
) -> Contact:
    """Another person of the company, who may sign in. Raises NotAllowed, NotFound, InvalidInput."""
    require_dispatcher(actor)
    row = customer(session, customer_id)
    values = contact_values(form)
    _refuse_known_email(session, row.id, values["email"])
    person = Contact(**values)
    row.contacts.append(person)
    session.flush()
    _audit(session, desk, now, actor, "contact.add", row, contact=person.id)
    return person


def change_contact(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, contact_id: int, form: ContactForm
) -> Contact:
    """Another name, address or telephone. A new address ends the person's sessions: somebody else may read it."""
    require_dispatcher(actor)
    person, values = contact(session, contact_id), contact_values(form)
    if values["email"].casefold() != person.email.casefold():
        _refuse_known_email(session, person.customer_id, values["email"])
        person.session_generation += 1
        _forget_codes(session, person)
    for name, value in values.items():
        setattr(person, name, value)
    rewrite(session, desk, now, Booking.customer_id == person.customer_id)
    _audit(session, desk, now, actor, "contact.change", person.customer, contact=person.id)
    return person


def remove_contact(session: Session, desk: DeskContext, now: datetime, actor: Actor, contact_id: int) -> None:
    """The person no longer belongs there: sessions, codes and API tokens end at once."""
    require_dispatcher(actor)
    person = contact(session, contact_id)
    row = person.customer
    _forget_codes(session, person)
    session.execute(delete(WebSession).where(WebSession.contact_id == person.id))
    session.execute(delete(ApiToken).where(ApiToken.contact_id == person.id))
    row.contacts.remove(person)
    session.delete(person)
    session.flush()
    _audit(session, desk, now, actor, "contact.remove", row, contact=contact_id)


def contact(session: Session, contact_id: int) -> Contact:
    """The contact with this number. Raises NotFound."""
    person = session.get(Contact, contact_id)
    if person is None:
        raise NotFound("contact")
    return person


def contact_values(form: ContactForm) -> dict[str, str]:
    """The cleaned values of a person's row. Raises InvalidInput(field, problem)."""
    return {
        "name": clean_text("name", form.name, NAME_LENGTH, required=True),
        "email": clean_email(form.email),
        "phone": clean_text("phone", form.phone, 40),
    }


def require_dispatcher(actor: Actor) -> None:
    """Raise NotAllowed unless a dispatcher (or the system itself) acts."""
    if actor.kind not in ("dispatcher", "system"):
        raise NotAllowed("customers")


def _technician_id(session: Session, wanted: int | None) -> int | None:
    if wanted is None:
        return None
    person = session.get(Technician, wanted)
    if person is None or not person.active:
        raise InvalidInput("technician", "not_offered")
    return person.id


def _refuse_known_email(session: Session, customer_id: int, email: str) -> None:
    same = func.lower(Contact.email) == email.lower()
    if session.scalar(select(Contact.id).where(Contact.customer_id == customer_id, same)) is not None:
        raise InvalidInput("email", "already_a_contact")


def _forget_codes(session: Session, person: Contact) -> None:
    session.execute(delete(SignInCode).where(SignInCode.contact_id == person.id))


def _audit(
    session: Session,
    desk: DeskContext,
    now: datetime,
    actor: Actor,
    action: str,
    row: Customer,
    **facts: object,
) -> None:
    audit.record(session, desk.installation, now, actor, action, f"customer:{row.id}", **facts)
