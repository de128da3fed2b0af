"""The agenda's page: /agenda, by week, day or as a list."""

from typing import Any

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.store.engines import read
from scheduler.team.people import colleagues
from web.app import now
from web.parts.staff import actor
from web.security import current_zone, staff_required
from web.technician import cards, devices, feeds
from web.technician.agenda_view import Scene, agenda_view
from web.technician.look import VIEWS, Look, current_look
from web.technician.who import dispatching, watched

blueprint = Blueprint("agenda", __name__)


@blueprint.get("/agenda")
@staff_required()
def page() -> ResponseReturnValue:
    """One's own agenda; a dispatcher looks at anybody's."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        facts = _facts(session, service.desk(session))
        return render_template("technician/agenda.html", **facts)


def _facts(session: Session, desk: DeskContext) -> dict[str, Any]:
    at, zone, technician = now(), current_zone(), watched(session)
    look = current_look(at.astimezone(zone).date())
    scene = Scene(session, desk, technician, look, at, zone)
    coming = cards.next_session(session, technician, at)
    mine = technician.id == actor().id
    return {
        "week": agenda_view(scene),
        "look": look,
        "views": _views(look, scene),
        "today_url": look.url(first=scene.today),
        "technician": technician,
        "mine": mine,
        "colleagues": [(person.id, person.name) for person in colleagues(session)] if dispatching() else [],
        "coming": cards.next_card(session, desk, coming, at, zone) if coming else None,
        "to_close": [cards.closing_form(row, at, zone) for row in cards.unclosed(session, technician, at)],
        "subscribe": feeds.subscribe_card(session, technician, at) if mine else None,
        "devices": devices.devices_card(session, technician, at) if mine else None,
    }


def _views(look: Look, scene: Scene) -> list[tuple[str, str]]:
    """Each view with its address; the day shown is today when it is among the days looked at."""
    inside = look.first <= scene.today and (scene.today - look.first).days < look.length
    first = scene.today if inside else look.first
    return [(view, look.url(view=view, first=first)) for view in VIEWS]
