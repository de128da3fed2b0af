"""The waiting list, /book/waiting: ask to be told when a slot comes free, see what one waits for, and leave."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.doors import systems
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.slots.availability import candidates
from scheduler.store.engines import read
from scheduler.store.models import Technician
from scheduler.waiting import joining
from scheduler.waiting.joining import WaitingForm
from web import i18n
from web.app import now
from web.customer import entitlement
from web.customer.journey import ANY, ID, OWN, Trip, current_trip, known_zone, steps
from web.customer.picker import duration_options, technician_options
from web.customer.who import actor, customer_id
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.waiting import entry_views
from web.security import current_zone, customer_required

blueprint = Blueprint("waiting", __name__, url_prefix="/book/waiting")


@blueprint.get("")
@customer_required
def page() -> ResponseReturnValue:
    """The form, where a way into a PBX is chosen, and what one waits for."""
    return _page(current_trip())


@blueprint.post("")
@customer_required
def join() -> ResponseReturnValue:
    """Join the queue."""
    trip = current_trip()

    def verb(session: Session, desk: DeskContext) -> str:
        joining.join(session, desk, now(), actor(), _form(session, trip))
        return url_for(".page")

    # A moment that cannot be had is about the days that were chosen; the page has no field for a start.
    fields = {"start": "until_on", "duration": "minutes", "entitlement": "from_on", "topic": "from_on"}
    return attempt(verb, lambda shown: _page(trip, shown), fields)


@blueprint.post(f"/<{ID}:entry_id>/leave")
@customer_required
def leave(entry_id: int) -> ResponseReturnValue:
    """Wait no longer. Raises NotFound for another customer's."""

    def verb(session: Session, desk: DeskContext) -> str:
        joining.leave(session, desk, now(), actor(), entry_id)
        return url_for(".page")

    return attempt(verb, lambda shown: _page(Trip(), shown))


def _form(session: Session, trip: Trip) -> WaitingForm:
    if trip.door is None or trip.entitlement is None:
        raise InvalidInput("entitlement", "required")
    own = _own(session, trip)
    return WaitingForm(
        access_point_id=trip.door,
        entitlement_id=trip.entitlement,
        minutes=trip.minutes,
        zone=trip.zone or current_zone().key,
        from_on=request.form.get("from_on", ""),
        until_on=request.form.get("until_on", ""),
        technician_id=own.id if own and trip.technician == OWN else None,
        topic=trip.topic,
        description=request.form.get("description", ""),
    )


def _own(session: Session, trip: Trip) -> Technician | None:
    """The customer's own technician, if they know this kind of PBX."""
    point = systems.visible_door(session, actor(), trip.door or 0)
    customer = point.system.customer
    people = candidates(session, customer, point.system.platform, None)
    return next((person for person in people if person.id == customer.technician_id), None)


def _page(trip: Trip, shown: Shown = NOTHING) -> ResponseReturnValue:
    service: Any = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk, at = service.desk(session), now()
        facts = {
            "entries": entry_views(session, service.installation, joining.queue(session, customer_id()), at),
            "past": entry_views(
                session, service.installation, joining.past(session, customer_id(), limit=5), at
            ),
            "asked": _asked(session, desk, trip),
        }
    page = render_template("customer/waiting.html", trip=trip, steps=steps(trip, 4), shown=shown, **facts)
    return page, shown.status


def _asked(session: Session, desk: DeskContext, trip: Trip) -> dict[str, Any] | None:
    """What the form shows; None where no PBX or no support is chosen, or not one of theirs."""
    if trip.door is None or trip.entitlement is None:
        return None
    try:
        own, right = _own(session, trip), entitlement.balance(session, trip)
        point = systems.visible_door(session, actor(), trip.door)
    except NotFound:
        return None
    if right is None or not right.usable:
        return None
    zone, rules = known_zone(trip.zone) or current_zone(), desk.conditions
    first = (trip.first or now().astimezone(zone).date()).isoformat()
    typed = request.form
    return {
        "system": point.system.name,
        "right": right,
        "zone": i18n.say_zone(zone, now()),
        "zone_name": zone.key,
        "today": now().astimezone(zone).date().isoformat(),
        "from_on": typed.get("from_on", first),
        "until_on": typed.get("until_on", first),
        "description": typed.get("description", ""),
        "minutes": trip.minutes if trip.minutes in rules.durations_minutes else 60,
        "durations": duration_options(rules.durations_minutes),
        "technician": OWN if own and trip.technician != ANY else ANY,
        "technicians": technician_options(own),
        "rules": rules.waiting,
        "attention": rules.waiting.counted == "attention",
        "answer": i18n.say_duration(rules.waiting.answer_minutes),
    }
