"""Sessions that wait for the desk's approval, /approvals: confirmed, or refused with a reason that is mailed."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.bookings import approving
from scheduler.context import DeskContext
from scheduler.intake.mail_requests import topic_name
from scheduler.rules.verdict import light
from scheduler.store.engines import read
from scheduler.store.models import Booking, BookingDecision
from web import i18n
from web.app import now
from web.i18n import gettext as _
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor, number
from web.public import kind_word
from web.security import staff_required

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """What waits, the nearest session first, and what was decided lately."""
    return _page()


@blueprint.post(f"/<{ID}:booking_id>/approve")
@staff_required("dispatcher")
def approve(booking_id: int) -> ResponseReturnValue:
    """Confirm it, if it still is what the page showed. Raises NotFound."""

    def verb(session: Session, desk: DeskContext) -> str:
        approving.approve(session, desk, now(), actor(), booking_id, _rev())
        return url_for(".listing")

    return attempt(verb, lambda shown: _page(shown, booking_id), _fields(booking_id))


@blueprint.post(f"/<{ID}:booking_id>/refuse")
@staff_required("dispatcher")
def refuse(booking_id: int) -> ResponseReturnValue:
    """Say no, with the reason that the customer reads. Raises NotFound."""

    def verb(session: Session, desk: DeskContext) -> str:
        reason = request.form.get("reason", "")
        approving.refuse(session, desk, now(), actor(), booking_id, _rev(), reason)
        return url_for(".listing")

    return attempt(verb, lambda shown: _page(shown, booking_id), _fields(booking_id))


def _rev() -> int:
    return number(request.form.get("rev")) or 0


def _fields(booking_id: int) -> dict[str, str]:
    return {"reason": f"reason-{booking_id}", "rev": f"booking-{booking_id}"}


def _page(shown: Shown = NOTHING, typed_for: int | None = None) -> ResponseReturnValue:
    service: Any = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        page = render_template(
            "dispatcher/approvals.html",
            pending=[_line(desk, row) for row in approving.pending(session)],
            decided=[_decided(row) for row in approving.decided(session)],
            policy=desk.conditions.approval.unanswered,
            shown=shown,
            typed_for=typed_for,
            typed=request.form.get("reason", ""),
        )
    return page, shown.status


def _line(desk: DeskContext, row: Booking) -> dict[str, Any]:
    zone = ZoneInfo(row.wall_zone)
    return {
        "id": row.id,
        "rev": row.rev,
        "company": row.customer.company,
        "when": f"{i18n.say_short_moment(row.starts_at)}–{i18n.say_time(row.ends_at)}",
        "theirs": i18n.say_window(row.starts_at, row.ends_at, zone) if zone != desk.zone else None,
        "technician": row.technician.name,
        "system": row.system.name,
        "right": kind_word(row.entitlement.kind),
        "topic": topic_name(desk, row.topic, i18n.language()) if row.topic else None,
        "description": row.description,
        "light": light(row.verdict),
        "by": i18n.say_short_moment(approving.deadline(desk, row)),
        "url": url_for("technician.session.page", booking_id=row.id),
    }


def _decided(row: BookingDecision) -> dict[str, Any]:
    words = {"approved": _("approved"), "refused": _("refused"), "undecided": _("not decided in time")}
    looks = {"approved": "ok", "refused": "fail"}
    booking = row.booking
    return {
        "company": booking.customer.company,
        "when": i18n.say_short_moment(booking.starts_at),
        "reason": row.reason,
        "word": words.get(row.outcome, row.outcome),
        "look": looks.get(row.outcome, "warn"),
        "at": i18n.say_short_moment(row.decided_at),
        "url": url_for("technician.session.page", booking_id=booking.id),
    }
