"""People of the desk set their own password: by a link that works once, or knowing the one they have."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.identity.passwords import hash_password
from scheduler.links import token_hash
from scheduler.mailing import notices
from scheduler.rules.refusals import SignInFailed
from scheduler.store.models import PasswordLink, Technician
from scheduler.team.people import person

LIFE = timedelta(hours=72)
PATH = "/sign-in/password/"


def send_link(session: Session, desk: DeskContext, now: datetime, actor: Actor, technician_id: int) -> None:
    """Mail them a link to set a password; an earlier one ends. Raises NotFound, NotAllowed."""
    row = person(session, actor, technician_id)
    token = secrets.token_urlsafe(32)
    session.execute(delete(PasswordLink).where(PasswordLink.technician_id == row.id))
    session.add(
        PasswordLink(
            token_hash=token_hash(token), technician_id=row.id, created_at=now, expires_at=now + LIFE
        )
    )
    session.flush()
    reader = notices.Reader(row.name, row.email, row.locale)
    facts = {"link": f"{desk.installation.link_base}{PATH}{token}", "hours": int(LIFE / timedelta(hours=1))}
    notices.write(session, desk, now, f"password:{token_hash(token)}", "set_password", reader, facts)
    audit.record(session, desk.installation, now, actor, "technician.password_link", f"technician:{row.id}")


def holder(session: Session, now: datetime, token: str) -> Technician:
    """Whose link this is. Raises SignInFailed when it was used, replaced, is too old or never was."""
    row = session.get(PasswordLink, token_hash(token))
    if row is None or row.used_at is not None or row.expires_at <= now:
        raise SignInFailed
    found = session.get_one(Technician, row.technician_id)
    if not found.active:
        raise SignInFailed
    return found


def set_password(session: Session, desk: DeskContext, now: datetime, token: str, password: str) -> Technician:
    """Use the link: the password is theirs, and every older session of theirs ends.

    Raises InvalidInput("password", …), which leaves the link usable, and SignInFailed.
    """
    row = holder(session, now, token)
    hashed = hash_password(password)
    # The UPDATE decides who uses it, so that of two at once one wins.
    used = session.scalar(
        update(PasswordLink)
        .where(PasswordLink.token_hash == token_hash(token), PasswordLink.used_at.is_(None))
        .values(used_at=now)
        .returning(PasswordLink.technician_id)
    )
    if used is None:
        raise SignInFailed
    _keep(session, desk, now, row, hashed)
    return row


def change(session: Session, desk: DeskContext, now: datetime, actor: Actor, password: str) -> Technician:
    """Another password for who has just proved the one they have; their sessions and unused links end, they are told.

    Raises InvalidInput("password", …).
    """
    hashed = hash_password(password)
    row = session.get_one(Technician, actor.id, with_for_update=True, populate_existing=True)
    session.execute(delete(PasswordLink).where(PasswordLink.technician_id == row.id))
    _keep(session, desk, now, row, hashed)
    reader = notices.Reader(row.name, row.email, row.locale)
    key = f"password:{row.id}:{row.session_generation}"
    notices.write(session, desk, now, key, "password_changed", reader, {})
    return row


def _keep(session: Session, desk: DeskContext, now: datetime, row: Technician, hashed: str) -> None:
    row.password_hash, row.session_generation = hashed, row.session_generation + 1
    session.flush()
    own = Actor("dispatcher" if row.role == "dispatcher" else "technician", row.id, row.name)
    audit.record(session, desk.installation, now, own, "technician.password", f"technician:{row.id}")
