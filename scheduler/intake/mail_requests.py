"""Support by mail: what a customer with free support asks is kept and mailed to the desk with the file sent along."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.granting import clean_serial
from scheduler.customers.keeping import require_dispatcher
from scheduler.entitlements import require
from scheduler.identity.people import count_or_refuse
from scheduler.mailing import notices
from scheduler.rules.attachments import clean_file
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound
from scheduler.rules.text import clean_text
from scheduler.store.models import Contact, Entitlement, MailRequest

LONGEST_TEXT = 4000
SHORTEST_TEXT = 10
MOST_IN_AN_HOUR = 10
DESK_LOCALE = "es"
"""The desk's own mailbox has no reader with a language; its pages are there in both."""


@dataclass(frozen=True, slots=True)
class MailForm:
    """What was typed; `file` is the name and content of the file sent along, None without one."""

    serial: str
    topic: str
    text: str
    invoice: str = ""
    file: tuple[str, bytes] | None = None


def purchases(session: Session, customer_id: int) -> list[Entitlement]:
    """The customer's purchases, the newest first: what mail support can be asked for."""
    query = select(Entitlement).where(Entitlement.customer_id == customer_id, Entitlement.kind == "purchase")
    return list(session.scalars(query.order_by(Entitlement.bought_on.desc(), Entitlement.id.desc())))


def ask(session: Session, desk: DeskContext, now: datetime, actor: Actor, form: MailForm) -> MailRequest:
    """Keep the question and write the mails: to the desk with the file, to the customer that it has come.

    Raises InvalidInput (serial unknown_purchase; text, invoice, file), TopicRequired, TopicExcluded,
    NotEntitled(reasons) outside the days of free support, TooManyTries.
    """
    right = _purchase(session, actor, form.serial)
    require(session, desk, now, 0, right.id, right.customer_id, form.topic or None)
    text = clean_text("text", form.text, LONGEST_TEXT, multiline=True, required=True)
    if len(text) < SHORTEST_TEXT:
        raise InvalidInput("text", "too_short", minimum=SHORTEST_TEXT)
    invoice = clean_text("invoice", form.invoice, 80) or right.invoice
    name, content = clean_file("attachment", *form.file) if form.file else (None, None)
    count_or_refuse(session, f"mail:{right.customer_id}", MOST_IN_AN_HOUR, timedelta(hours=1), now)
    person = session.get_one(Contact, actor.id)
    row = MailRequest(
        customer_id=right.customer_id,
        entitlement_id=right.id,
        serial=right.serial or "",
        invoice=invoice,
        topic=form.topic,
        text=text,
        from_name=person.name,
        from_address=person.email,
        file_name=name,
        file_bytes=len(content or b""),
        file_content=content,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _mail(session, desk, now, row)
    _audit(session, desk, now, actor, "mail_request.ask", row)
    return row


def listing(session: Session, customer_id: int | None = None, limit: int = 50) -> list[MailRequest]:
    """The newest questions of one customer, or of all with the open ones first."""
    query = select(MailRequest).order_by(MailRequest.answered_at.is_not(None), MailRequest.id.desc())
    if customer_id is not None:
        query = select(MailRequest).where(MailRequest.customer_id == customer_id)
        query = query.order_by(MailRequest.id.desc())
    return list(session.scalars(query.limit(limit)))


def count_open(session: Session) -> int:
    """How many wait for an answer."""
    query = select(func.count()).select_from(MailRequest).where(MailRequest.answered_at.is_(None))
    return session.scalar(query) or 0


def find(session: Session, request_id: int, customer_id: int | None = None) -> MailRequest:
    """One question; with `customer_id` only theirs. Raises NotFound."""
    row = session.get(MailRequest, request_id)
    if row is None or customer_id not in (None, row.customer_id):
        raise NotFound("mail_request")
    return row


def mark_answered(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, request_id: int
) -> MailRequest:
    """Note that the desk has answered; a second time changes nothing. Raises NotAllowed, NotFound."""
    require_dispatcher(actor)
    row = find(session, request_id)
    if row.answered_at is None:
        row.answered_at, row.answered_by = now, str(actor)
        session.flush()
        _audit(session, desk, now, actor, "mail_request.answered", row)
    return row


def topic_name(desk: DeskContext, code: str, locale: str) -> str:
    """How the desk calls a topic; a code that the conditions no longer know stays as it is."""
    topics = (*desk.conditions.topics_included, *desk.conditions.topics_excluded)
    return next((getattr(topic, locale) for topic in topics if topic.code == code), code)


def _purchase(session: Session, actor: Actor, typed: str) -> Entitlement:
    """The customer's own purchase with this serial number; another company's looks like none."""
    if actor.customer_id is None:
        raise NotAllowed("customer")
    serial = clean_serial(typed)
    for row in purchases(session, actor.customer_id):
        if "".join((row.serial or "").upper().split()) == serial:
            return row
    raise InvalidInput("serial", "unknown_purchase")


def _mail(session: Session, desk: DeskContext, now: datetime, row: MailRequest) -> None:
    customer, key = row.customer, f"mail_request:{uuid.uuid4()}"
    facts = {
        "company": customer.company,
        "cif": customer.cif,
        "serial": row.serial,
        "invoice": row.invoice,
        "words": row.text,
        "file_name": row.file_name,
        "from_name": row.from_name,
        "from_address": row.from_address,
    }
    said = {locale: facts | {"topic": topic_name(desk, row.topic, locale)} for locale in ("es", "en")}
    house = notices.Reader(desk.name, desk.email, DESK_LOCALE)
    to_desk = {"link": f"{desk.installation.link_base}/requests/{row.id}"}
    row.notice_id = notices.write(session, desk, now, key, "mail_request", house, said[DESK_LOCALE] | to_desk)
    reader = notices.Reader(row.from_name, row.from_address, customer.locale)
    back = {"link": f"{desk.installation.link_base}/book/mail/{row.id}"}
    notices.write(
        session, desk, now, f"{key}:copy", "mail_request_received", reader, said[customer.locale] | back
    )
    session.flush()


def _audit(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, action: str, row: MailRequest
) -> None:
    subject = f"mail_request:{row.id}"
    facts = {"customer": row.customer_id, "topic": row.topic, "bytes": row.file_bytes}
    audit.record(session, desk.installation, now, actor, action, subject, **facts)
