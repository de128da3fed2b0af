"""Mails that a person may do without: reminders. A link in each, and in its header, ends them (RFC 8058)."""

import base64
import hashlib
import hmac
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext, Installation
from scheduler.links import TOKEN_BYTES
from scheduler.rules.refusals import NotFound
from scheduler.store.models import Contact


def stop_url(installation: Installation, contact_id: int) -> str:
    """The address at which this contact ends their reminders; it follows from a key outside the database."""
    return f"{installation.link_base}/reminders/{contact_id}-{_seal(installation, contact_id)}"


def contact_of(session: Session, installation: Installation, token: str) -> Contact:
    """Whose reminders the token is about. Raises NotFound("reminders") for any other text."""
    number, _, seal = token.partition("-")
    known = number.isascii() and number.isdigit() and len(number) <= 15
    if not known or not hmac.compare_digest(seal.encode(), _seal(installation, int(number)).encode()):
        raise NotFound("reminders")
    contact = session.get(Contact, int(number))
    if contact is None:
        raise NotFound("reminders")
    return contact


def set_reminders(session: Session, desk: DeskContext, now: datetime, contact: Contact, wanted: bool) -> None:
    """End or take up again this contact's reminders; mails about changes still come."""
    if contact.reminders == wanted:
        return
    contact.reminders = wanted
    session.flush()
    actor = Actor("customer", contact.id, contact.name, contact.customer_id)
    audit.record(
        session, desk.installation, now, actor, "contact.reminders", f"contact:{contact.id}", wanted=wanted
    )


def _seal(installation: Installation, contact_id: int) -> str:
    digest = hmac.new(installation.keys.link, f"reminders:{contact_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()
