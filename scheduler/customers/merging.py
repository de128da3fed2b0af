"""Two records of one company made one: everything of the first moves to the second, whose number and CIF stay.

What leads to the first goes on working: sessions and links belong to contacts and bookings, which only move, and its
number and CIF are kept as those of a former customer. There is no way back, so the page says first what will move.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.calendars.writing import write_event
from scheduler.context import DeskContext
from scheduler.customers.keeping import require_dispatcher
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.slots.placing import next_version
from scheduler.store.models import (
    AccessPoint,
    Booking,
    ClaimDecision,
    Contact,
    Customer,
    CustomerKey,
    Entitlement,
    FormerCustomer,
    LedgerEntry,
    MailRequest,
    Rma,
    System,
    WaitingEntry,
)
from scheduler.store.vault import Vault

MOVED: tuple[InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ...] = (
    Contact.customer_id,
    System.customer_id,
    Entitlement.customer_id,
    Booking.customer_id,
    Rma.customer_id,
    MailRequest.customer_id,
    ClaimDecision.customer_id,
    FormerCustomer.customer_id,
    WaitingEntry.customer_id,
)
"""What follows a customer by changing its owner; a test holds this against the tables. The key pair is apart."""


@dataclass(frozen=True, slots=True)
class Moving:
    """What a merge will move, counted; `ledger` are the entries of the entitlements."""

    contacts: int
    systems: int
    entitlements: int
    ledger: int
    bookings: int
    rmas: int


def moving(session: Session, customer_id: int) -> Moving:
    """What belongs to a customer now."""

    def count(column: InstrumentedAttribute[int]) -> int:
        return session.scalar(select(func.count()).where(column == customer_id)) or 0

    entries = select(func.count()).select_from(LedgerEntry).join(Entitlement)
    return Moving(
        contacts=count(Contact.customer_id),
        systems=count(System.customer_id),
        entitlements=count(Entitlement.customer_id),
        ledger=session.scalar(entries.where(Entitlement.customer_id == customer_id)) or 0,
        bookings=count(Booking.customer_id),
        rmas=count(Rma.customer_id),
    )


def require_two(session: Session, from_id: int, into_id: int) -> tuple[Customer, Customer]:
    """Both customers. Raises NotFound; InvalidInput("into", "same_customer") for one and the same."""
    source, target = session.get(Customer, from_id), session.get(Customer, into_id)
    if source is None or target is None:
        raise NotFound("customer")
    if source is target:
        raise InvalidInput("into", "same_customer")
    return source, target


def merge(
    session: Session, desk: DeskContext, vault: Vault, now: datetime, actor: Actor, from_id: int, into_id: int
) -> Customer:
    """Move all of one customer to the other and let the first go.

    Raises NotAllowed, NotFound, InvalidInput("into", "same_customer").
    """
    require_dispatcher(actor)
    source, target = require_two(session, from_id, into_id)
    moved = moving(session, source.id)
    bookings = list(
        session.scalars(select(Booking).where(Booking.customer_id == source.id).order_by(Booking.id))
    )
    _keep_key(session, vault, source, target)
    for owner in MOVED:
        statement = update(owner.class_).where(owner == source.id).values({owner.key: target.id})
        session.execute(statement.execution_options(synchronize_session=False))
    _remember(session, now, actor, source, target)
    session.expire_all()
    for booking in bookings:
        _say_in_calendar(session, desk, now, booking)
    facts = {
        "merged": _former_name(session, from_id),
        "bookings": moved.bookings,
        "entitlements": moved.entitlements,
        "systems": moved.systems,
        "contacts": moved.contacts,
        "ledger": moved.ledger,
    }
    audit.record(session, desk.installation, now, actor, "customer.merge", f"customer:{into_id}", **facts)
    return session.get_one(Customer, into_id)


def _former_name(session: Session, customer_id: int) -> str:
    """How the audit log names a customer that is no longer there: number, name and CIF."""
    row = session.get_one(FormerCustomer, customer_id)
    return f"customer:{row.id} {row.company} {row.cif}"


def former(session: Session, customer_id: int) -> int | None:
    """The number of the customer that took in the one with this number, if it was merged."""
    row = session.get(FormerCustomer, customer_id)
    return row.customer_id if row else None


def _keep_key(session: Session, vault: Vault, source: Customer, target: Customer) -> None:
    """Let the doors that know the first customer's key pair go on opening.

    A customer has one pair. Where the second has none, it takes over the pair; else each door keeps the old private
    key as a credential of its own.
    """
    pair = session.get(CustomerKey, source.id)
    if pair is None:
        return
    secret = vault.open(pair.private_key, "customer_key", source.id, "private_key", pair.private_key_gen)
    if session.get(CustomerKey, target.id) is None:
        sealed = vault.seal(secret, "customer_key", target.id, "private_key", pair.private_key_gen)
        session.add(
            CustomerKey(
                customer_id=target.id,
                public_key=pair.public_key,
                private_key=sealed,
                private_key_gen=pair.private_key_gen,
                created_at=pair.created_at,
            )
        )
    else:
        for door in _doors_with_our_key(session, source.id):
            door.credential_kind, door.credential_gen = "private_key", door.credential_gen + 1
            door.credential = vault.seal(secret, "access_point", door.id, "credential", door.credential_gen)
    session.delete(pair)
    session.flush()


def _doors_with_our_key(session: Session, customer_id: int) -> list[AccessPoint]:
    query = select(AccessPoint).join(System).where(System.customer_id == customer_id)
    return list(session.scalars(query.where(AccessPoint.credential_kind == "our_key")))


def _remember(session: Session, now: datetime, actor: Actor, source: Customer, target: Customer) -> None:
    values = {
        "id": source.id,
        "company": source.company,
        "cif": source.cif,
        "search_key": source.search_key,
        "customer_id": target.id,
    }
    session.execute(Customer.__table__.delete().where(Customer.id == source.id))  # type: ignore[attr-defined]
    session.expunge(source)
    session.add(FormerCustomer(**values, merged_at=now, merged_by=str(actor)))
    session.flush()


def _say_in_calendar(session: Session, desk: DeskContext, now: datetime, booking: Booking) -> None:
    """The technician's calendar names the company, so its event becomes a newer one.

    The revision stays: checks are planned for it, and a customer's open page shows nothing else than before.
    """
    for name, value in next_version(booking, now).items():
        setattr(booking, name, value)
    session.flush()
    write_event(session, desk, booking, now)
