"""The dispatcher's day, /team: what fails before a session, how full everybody is, and what waits for a decision."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from scheduler.bookings.reassigning import reassign
from scheduler.context import DeskContext
from scheduler.store.engines import read
from scheduler.store.models import Booking
from scheduler.team.workload import active_technicians
from web import i18n
from web.app import now
from web.dispatcher import day_view
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import actor, number
from web.security import staff_required

blueprint = Blueprint("day", __name__, url_prefix="/team")
GIVEN_WITHIN = timedelta(days=7)
MOST_GIVEN = 100


@blueprint.get("")
@staff_required("dispatcher")
def page() -> ResponseReturnValue:
    """Everything that needs a look today, the most pressing first."""
    return _page()


@blueprint.post("/reassign")
@staff_required("dispatcher")
def give() -> ResponseReturnValue:
    """Give a session to another technician at the same time."""
    booking, _, rev = request.form.get("session", "").partition(".")

    def verb(session: Session, desk: DeskContext) -> str:
        technician, reason = request.form.get("technician"), request.form.get("override_reason", "").strip()
        reassign(
            session,
            desk,
            now(),
            actor(),
            number(booking) or 0,
            number(rev) or 0,
            number(technician),
            reason or None,
        )
        return url_for(".page", _anchor="give")

    return attempt(verb, _page, {"rev": "session"})


def _page(shown: Shown = NOTHING) -> ResponseReturnValue:
    service, at = current_app.extensions["ventana"], now()
    with read(service.sessions) as session:
        desk = service.desk(session)
        page_text = render_template(
            "dispatcher/day.html",
            shown=shown,
            failing=day_view.failing_lines(session, desk, at),
            heat=day_view.heat_view(session, desk, at),
            ending=day_view.ending_lines(session, desk, at),
            waiting=day_view.waiting_lines(session, desk, at),
            free=day_view.next_free(session, desk, at),
            give=_give_form(session, at),
        )
    return page_text, shown.status


def _give_form(session: Session, at: datetime) -> dict[str, Any]:
    """The sessions of the next week, each with the revision that is seen now, and who could take one."""
    query = (
        select(Booking)
        .where(
            Booking.starts_at > at,
            Booking.starts_at < at + GIVEN_WITHIN,
            Booking.status.in_(("pending", "confirmed")),
        )
        .order_by(Booking.starts_at, Booking.id)
        .limit(MOST_GIVEN)
        .options(joinedload(Booking.customer), joinedload(Booking.technician))
    )
    said = [
        (
            f"{row.id}.{row.rev}",
            f"{i18n.say_short_moment(row.starts_at)} · {row.customer.company} · {row.technician.name}",
        )
        for row in session.scalars(query)
    ]
    people = [(str(each.id), each.name) for each in active_technicians(session)]
    return {"sessions": said, "people": people}
