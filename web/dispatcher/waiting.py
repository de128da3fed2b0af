"""The waiting list, /waiting: who waits for what in which order, who was offered what; putting on it and taking off."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.store.engines import read
from scheduler.waiting import joining
from scheduler.waiting.joining import WaitingForm
from web.app import now
from web.parts.asked import attempt
from web.parts.for_customer import best_right, choices, typed_door
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor, number
from web.parts.waiting import entry_views
from web.security import current_zone, staff_required

blueprint = Blueprint("waiting", __name__, url_prefix="/waiting")


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """The queue in its order, and who left it lately."""
    return _page()


@blueprint.get("/new")
@staff_required("dispatcher")
def choose() -> ResponseReturnValue:
    """The form to put a customer on the list who asks by telephone."""
    return _form_page()


@blueprint.post("/new")
@staff_required("dispatcher")
def add() -> ResponseReturnValue:
    """Put the customer on the list; all of its people are written to when a slot is kept."""

    def verb(session: Session, desk: DeskContext) -> str:
        joining.join(session, desk, now(), actor(), _form(session, desk))
        return url_for(".listing")

    # A moment that cannot be had is about the days that were chosen; the page has no field for a start.
    return attempt(verb, _form_page, {"start": "until_on", "duration": "minutes", "entitlement": "door"})


@blueprint.post(f"/<{ID}:entry_id>/remove")
@staff_required("dispatcher")
def remove(entry_id: int) -> ResponseReturnValue:
    """Take an entry off the list, with the reason that is mailed. Raises NotFound."""

    def verb(session: Session, desk: DeskContext) -> str:
        joining.remove(session, desk, now(), actor(), entry_id, request.form.get("reason", ""))
        return url_for(".listing")

    return attempt(verb, lambda shown: _page(shown, entry_id), {"reason": f"reason-{entry_id}"})


def _form(session: Session, desk: DeskContext) -> WaitingForm:
    typed = request.form
    door = typed_door(session, typed.get("door"))
    minutes = number(typed.get("minutes")) or desk.conditions.durations_minutes[0]
    topic = typed.get("topic") or None
    return WaitingForm(
        access_point_id=door.id,
        entitlement_id=best_right(session, desk, door, minutes, topic),
        minutes=minutes,
        zone=door.system.customer.zone,
        from_on=typed.get("from_on", ""),
        until_on=typed.get("until_on", ""),
        technician_id=number(typed.get("technician")),
        topic=topic,
        description=typed.get("description", ""),
    )


def _form_page(shown: Shown = NOTHING) -> ResponseReturnValue:
    service: Any = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk, today = service.desk(session), now().astimezone(current_zone()).date().isoformat()
        page = render_template(
            "dispatcher/waiting_new.html",
            shown=shown,
            typed=request.values,
            today=today,
            **choices(session, desk),
        )
    return page, shown.status


def _page(shown: Shown = NOTHING, typed_for: int | None = None) -> ResponseReturnValue:
    service: Any = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        page = render_template(
            "dispatcher/waiting.html",
            entries=entry_views(session, service.installation, joining.queue(session), now()),
            past=entry_views(session, service.installation, joining.past(session), now()),
            shown=shown,
            typed_for=typed_for,
            typed=request.form.get("reason", ""),
        )
    return page, shown.status
