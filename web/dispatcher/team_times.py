"""When one of the desk's people cannot be booked: absences, and the calendars in which they are busy elsewhere."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.team import absences
from scheduler.team.absences import AbsenceForm
from web.app import now
from web.dispatcher.team import page_of, show_page
from web.parts import busy_card
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("team_times", __name__, url_prefix=f"/team/technicians/<{ID}:technician_id>")


@blueprint.post("/absences")
@staff_required("dispatcher")
def add_absence(technician_id: int) -> ResponseReturnValue:
    """Nobody books them then; what is booked is shown as to be moved."""

    def verb(session: Session, desk: DeskContext) -> str:
        names = ("first_on", "last_on", "from_time", "to_time", "reason")
        form = AbsenceForm(*(request.form.get(name, "") for name in names))
        absences.add_absence(session, desk, now(), actor(), technician_id, form)
        return page_of(technician_id) + "#absences"

    return attempt(verb, lambda shown: show_page(technician_id, shown))


@blueprint.post(f"/absences/<{ID}:absence_id>/remove")
@staff_required("dispatcher")
def remove_absence(technician_id: int, absence_id: int) -> ResponseReturnValue:
    """They attend after all."""

    def verb(session: Session, desk: DeskContext) -> str:
        absences.remove_absence(session, desk, now(), actor(), technician_id, absence_id)
        return page_of(technician_id) + "#absences"

    return attempt(verb, lambda shown: show_page(technician_id, shown))


@blueprint.post("/calendars")
@staff_required("dispatcher")
def add_calendar(technician_id: int) -> ResponseReturnValue:
    """Read one more calendar of theirs."""
    return _after(technician_id, busy_card.add(technician_id))


@blueprint.post(f"/calendars/<{ID}:calendar_id>/read")
@staff_required("dispatcher")
def read_again(technician_id: int, calendar_id: int) -> ResponseReturnValue:
    """Read it now."""
    return _after(technician_id, busy_card.read_again(technician_id, calendar_id))


@blueprint.post(f"/calendars/<{ID}:calendar_id>/remove")
@staff_required("dispatcher")
def remove_calendar(technician_id: int, calendar_id: int) -> ResponseReturnValue:
    """Forget the calendar and its times."""
    busy_card.remove(technician_id, calendar_id)
    return _after(technician_id, NOTHING)


def _after(technician_id: int, shown: Shown) -> ResponseReturnValue:
    if shown.messages:
        return show_page(technician_id, shown)
    return redirect(page_of(technician_id) + "#calendars", 303)
