"""The person of the desk behind this request, and what is theirs to see; only behind `staff_required`."""

from flask import request
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.rules.refusals import NotAllowed, NotFound
from scheduler.store.models import Booking, Technician
from web.parts.staff import actor, number

FIELDS = {"minutes_used": "hours", "rev": ""}
"""What refusals blame, as these pages call it; a revision is no input that a link could lead to."""


def dispatching() -> bool:
    """Whether this person also works in the name of the others."""
    return actor().kind == "dispatcher"


def watched(session: Session) -> Technician:
    """Whose agenda is looked at: one's own; a dispatcher may choose by ?technician=. Raises NotAllowed, NotFound."""
    me, wanted = actor(), number(request.args.get("technician"))
    if wanted is None or wanted == me.id:
        return session.get_one(Technician, me.id)
    if not dispatching():
        raise NotAllowed("agenda")
    found = session.get(Technician, wanted)
    if found is None:
        raise NotFound("technician")
    return found


def own_session(session: Session, booking_id: int) -> Booking:
    """The session, for its own technician or a dispatcher. Raises NotFound; NotAllowed for another technician."""
    me = actor()
    row = bookings.visible(session, me, booking_id)
    if row.status == "held":
        raise NotFound("booking")
    if row.technician_id != me.id and not dispatching():
        raise NotAllowed("session")
    return row


def seen_rev() -> int:
    """The revision that the page showed; 0, which no booking has, for anything else."""
    return number(request.form.get("rev")) or 0
