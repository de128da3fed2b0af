"""A customer's credential shown to the one person who needs it, while they need it: audited, and the customer told."""

from datetime import datetime

from sqlalchemy.orm import Session

from scheduler import audit
from scheduler.actor import Actor
from scheduler.context import DeskContext
from scheduler.mailing import notices
from scheduler.rules.access import Decision, may_access
from scheduler.rules.intervals import Interval
from scheduler.rules.refusals import NotAllowed, NotFound
from scheduler.rules.secret import Secret
from scheduler.store.models import Booking
from scheduler.store.vault import Vault

ENTRUSTED = ("password", "private_key")
"""Credentials that are the customer's; ours is never shown to anybody."""


def may_reveal(actor: Actor, booking: Booking, now: datetime) -> Decision:
    """Whether this person may see the booking's credential now: its own technician, or a dispatcher who stands in."""
    own = actor.kind == "dispatcher" or (actor.kind == "technician" and actor.id == booking.technician_id)
    window = Interval(booking.starts_at, booking.ends_at)
    return may_access(window, booking.status, "technician" if own else "customer", "credential", now)


def reveal(
    session: Session, desk: DeskContext, vault: Vault, now: datetime, actor: Actor, booking: Booking
) -> Secret:
    """The opened credential. The caller has just made the person prove again who they are.

    Raises NotAllowed("credential") outside the session's window or for another person, NotFound("credential") where
    there is nothing of the customer's to show.
    """
    if not may_reveal(actor, booking, now).allowed:
        raise NotAllowed("credential")
    point = booking.access_point
    if point.credential_kind not in ENTRUSTED or point.credential is None:
        raise NotFound("credential")
    opened = vault.open(point.credential, "access_point", point.id, "credential", point.credential_gen)
    notices.credential_revealed(session, desk, now, booking, actor.name)
    audit.record(
        session,
        desk.installation,
        now,
        actor,
        "credential.reveal",
        f"booking:{booking.id}",
        access_point=point.id,
    )
    return opened
