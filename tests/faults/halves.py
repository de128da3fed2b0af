"""Whether what is written together is there together: a booking without its calendar, checks, mail or audit is half."""

from sqlalchemy import Text, and_, cast, exists, literal, select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.store.models import (
    AuditEntry,
    Booking,
    CalendarObject,
    Check,
    Entitlement,
    LedgerEntry,
    Notice,
)

NOT_BOOKED = ("held", "expired")


def halves(session: Session, audit_key: bytes | None = None) -> list[str]:
    """What is missing, booking by booking; with the key also whether the audit chain is whole."""
    companions = {
        "calendar": exists().where(CalendarObject.booking_id == Booking.id),
        "mail": exists().where(Notice.booking_id == Booking.id),
        "audit": exists().where(
            AuditEntry.action == "booking.book",
            AuditEntry.subject == literal("booking:") + cast(Booking.id, Text),
        ),
    }
    found = []
    for name, there in companions.items():
        ids = session.scalars(select(Booking.id).where(Booking.status.not_in(NOT_BOOKED), ~there))
        found += [f"booking {id_} has no {name}" for id_ in ids]
    checks = exists().where(Check.booking_id == Booking.id, Check.rev == Booking.rev)
    confirmed = select(Booking.id).where(Booking.status == "confirmed")
    found += [f"booking {id_} has no checks of its rev" for id_ in session.scalars(confirmed.where(~checks))]
    metered = exists().where(and_(Entitlement.id == Booking.entitlement_id, Entitlement.metered == True))  # noqa: E712
    held = exists().where(LedgerEntry.booking_id == Booking.id, LedgerEntry.reason == "hold")
    unpaid = session.scalars(confirmed.where(metered, ~held))
    found += [f"booking {id_} holds no hours" for id_ in unpaid]
    if audit_key is not None and (broken := audit.first_broken(session, audit_key)) is not None:
        found.append(f"the audit chain breaks at {broken}")
    return found
