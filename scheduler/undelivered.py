"""Mails that did not get through: shown to the dispatcher, sent again, corrected where the address was the fault."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.customers.keeping import clean_email
from scheduler.mailing.notices import KIND
from scheduler.rules.refusals import NotAllowed, NotFound
from scheduler.store.models import Notice
from scheduler.waking import wake

SHOWN = 50


def dead_mails(session: Session) -> Sequence[Notice]:
    """Mails that were given up, the newest first."""
    query = select(Notice).where(Notice.state == "dead").order_by(Notice.id.desc()).limit(SHOWN)
    return session.scalars(query.options(defer(Notice.html))).all()


def delayed_mails(session: Session) -> Sequence[Notice]:
    """Mails that were tried in vain and will be tried again, by when."""
    query = select(Notice).where(Notice.state == "waiting", Notice.attempts > 0).order_by(Notice.due_at)
    return session.scalars(query.limit(SHOWN).options(defer(Notice.html))).all()


def count_dead(session: Session) -> int:
    """How many were given up."""
    return session.scalars(select(func.count()).where(Notice.state == "dead")).one()


def send_again(
    session: Session, desk: DeskContext, now: datetime, actor: Actor, notice_id: int, address: str
) -> Notice:
    """Take a dead mail up again, to this address, from its first wait.

    Raises NotAllowed, NotFound("mail") for one that is not dead, InvalidInput("email").
    """
    if actor.kind != "dispatcher":
        raise NotAllowed("dispatcher")
    row = session.get(Notice, notice_id)
    if row is None or row.state != "dead":
        raise NotFound("mail")
    address = clean_email(address)
    facts = {"mail": row.kind, "corrected": address != row.to_address}
    row.to_address, row.state, row.attempts, row.due_at = address, "waiting", 0, now
    session.flush()
    wake(session, KIND, row.id, 0, now)
    audit.record(session, desk.installation, now, actor, "notice.again", f"notice:{row.id}", **facts)
    return row
