"""Returns under warranty (RMA): asked for by the customer, led step by step by the desk, each step mailed."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.granting import clean_serial
from scheduler.customers.keeping import customer, require_dispatcher
from scheduler.identity.people import count_or_refuse
from scheduler.mailing import notices
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound
from scheduler.rules.returns import REJECTED, require_step, state_after
from scheduler.rules.text import clean_text
from scheduler.store.models import Contact, Rma

LONGEST_TEXT = 2000
SHORTEST_TEXT = 10
MOST_IN_A_DAY = 20
WITH_DOCUMENT = frozenset({"document_sent", "verified", "code_issued", "received", "closed"})
"""States in which the customer may print the request document."""
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without those that are mistaken for each other on a parcel: 0 O, 1 I L, U V."""


@dataclass(frozen=True, slots=True)
class RmaForm:
    """What was typed about the device."""

    serial: str
    symptoms: str
    invoice: str = ""


def ask(session: Session, desk: DeskContext, now: datetime, actor: Actor, form: RmaForm) -> Rma:
    """Ask for a return; the desk and the customer get a mail.

    Raises NotAllowed for others than customers, InvalidInput (serial not_a_serial or return_open, symptoms,
    invoice), TooManyTries.
    """
    if actor.customer_id is None:
        raise NotAllowed("customer")
    serial = clean_serial(form.serial)
    symptoms = clean_text("symptoms", form.symptoms, LONGEST_TEXT, multiline=True, required=True)
    if len(symptoms) < SHORTEST_TEXT:
        raise InvalidInput("symptoms", "too_short", minimum=SHORTEST_TEXT)
    invoice = clean_text("invoice", form.invoice, 80) or None
    count_or_refuse(session, f"rma:{actor.customer_id}", MOST_IN_A_DAY, timedelta(days=1), now)
    mine = select(Rma).where(Rma.customer_id == actor.customer_id, Rma.serial == serial)
    if session.scalars(mine.where(Rma.state != "closed")).first() is not None:
        raise InvalidInput("serial", "return_open")
    person = session.get_one(Contact, actor.id)
    row = Rma(
        customer_id=actor.customer_id,
        serial=serial,
        invoice=invoice,
        symptoms=symptoms,
        state="requested",
        facts={"name": person.name, "email": person.email, "steps": [_entry("requested", now, actor, "")]},
        created_at=now,
        changed_at=now,
    )
    session.add(row)
    session.flush()
    _mail(session, desk, now, row, "")
    _mail_desk(session, desk, now, row)
    _audit(session, desk, now, actor, row)
    return row


def take_step(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, rma_id: int, step: str, note: str
) -> Rma:
    """Lead a return one step on; the customer is told with the note. A code is made where one is issued.

    Who rejects one gives the reason as its note. Raises NotAllowed, NotFound, InvalidInput("step", "step_not_now") and
    for a note that cannot be taken or that gives no reason.
    """
    require_dispatcher(actor)
    row = session.get(Rma, rma_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("rma")
    require_step(row.state, step)
    text = clean_text("note", note, LONGEST_TEXT, multiline=True, required=step == REJECTED)
    if step == REJECTED and len(text) < SHORTEST_TEXT:
        raise InvalidInput("note", "too_short", minimum=SHORTEST_TEXT)
    if step == "code_issued":
        row.code = new_code()
    row.state, row.changed_at = state_after(step), now
    row.facts = row.facts | {"steps": [*row.facts["steps"], _entry(step, now, actor, text)]}
    session.flush()
    _mail(session, desk, now, row, text)
    _audit(session, desk, now, actor, row)
    return row


def new_code() -> str:
    """RMA-XXXX-XXXX-XXXX-XXXX: 16 letters and digits, 78 bits, so that nobody guesses one."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(16))
    return "-".join(("RMA", *(letters[at : at + 4] for at in range(0, 16, 4))))


def last_step(row: Rma) -> str:
    """The step that brought it where it is; of a closed one it says how it ended."""
    step: str = row.facts["steps"][-1]["step"]
    return step


def printable(row: Rma) -> bool:
    """Whether the customer may print the request document: once it was sent, unless the return was rejected."""
    return row.state in WITH_DOCUMENT and last_step(row) != REJECTED


def find(session: Session, rma_id: int, customer_id: int | None = None) -> Rma:
    """One return; with `customer_id` only theirs. Raises NotFound."""
    row = session.get(Rma, rma_id)
    if row is None or customer_id not in (None, row.customer_id):
        raise NotFound("rma")
    return row


def listing(session: Session, customer_id: int | None = None, limit: int = 100) -> list[Rma]:
    """The newest returns of one customer, or of all with the open ones first."""
    query = select(Rma).order_by(Rma.state == "closed", Rma.changed_at.desc(), Rma.id.desc())
    if customer_id is not None:
        query = query.where(Rma.customer_id == customer_id)
    return list(session.scalars(query.limit(limit)))


def count_open(session: Session) -> int:
    """How many are under way."""
    return session.scalar(select(func.count()).select_from(Rma).where(Rma.state != "closed")) or 0


def _entry(step: str, now: datetime, actor: Actor, note: str) -> dict[str, Any]:
    return {"step": step, "at": now.isoformat(), "by": str(actor), "note": note}


def _facts(session: Session, row: Rma) -> dict[str, Any]:
    owner = customer(session, row.customer_id)
    return {
        "company": owner.company,
        "cif": owner.cif,
        "number": row.id,
        "serial": row.serial,
        "invoice": row.invoice,
        "symptoms": row.symptoms,
        "from_name": row.facts["name"],
        "from_address": row.facts["email"],
    }


def _mail(session: Session, desk: DeskContext, now: datetime, row: Rma, note: str) -> None:
    owner = customer(session, row.customer_id)
    reader = notices.Reader(row.facts["name"], row.facts["email"], owner.locale)
    step = last_step(row)
    facts = _facts(session, row) | {"step": step, "rma_code": row.code, "note": note}
    facts["link"] = f"{desk.installation.link_base}/book/rma/{row.id}"
    notices.write(session, desk, now, f"rma:{row.id}:{step}", "rma", reader, facts)


def _mail_desk(session: Session, desk: DeskContext, now: datetime, row: Rma) -> None:
    house = notices.Reader(desk.name, desk.email, "es")
    facts = _facts(session, row) | {"link": f"{desk.installation.link_base}/rma/{row.id}"}
    notices.write(session, desk, now, f"rma:{row.id}:asked", "rma_asked", house, facts)


def _audit(session: Session, desk: DeskContext, now: datetime, actor: Actor, row: Rma) -> None:
    # Without the code: whoever reads the log must not be able to send a device in.
    audit.record(
        session,
        desk.installation,
        now,
        actor,
        f"rma.{last_step(row)}",
        f"rma:{row.id}",
        customer=row.customer_id,
    )
