"""Another time for a session, given by the desk; dispatchers choose any technician and, with a reason, any moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.context import DeskContext
from scheduler.rules.hours import to_utc
from scheduler.rules.lead_time import LeadLedger
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound, Refusal
from scheduler.slots.availability import candidates, lead_ledger
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Technician
from web import i18n
from web.app import now
from web.i18n import gettext as _
from web.parts.refusing import NOTHING, Shown, show
from web.parts.slots import instant
from web.parts.staff import ID, actor, number
from web.parts.week import Looking, day_in, lead_view, summary_view, week_page
from web.security import current_zone, staff_required
from web.technician.session_view import session_view
from web.technician.who import FIELDS, dispatching, own_session, seen_rev

blueprint = Blueprint("moving", __name__, url_prefix=f"/s/<{ID}:booking_id>/move")


@dataclass(frozen=True, slots=True)
class Scene:
    """The session to move, whose times are looked at, and who could take it."""

    row: Booking
    technician: Technician
    able: tuple[Technician, ...]
    zone: ZoneInfo
    ledger: LeadLedger
    moment: datetime

    @property
    def minutes(self) -> int:
        """The length, which a move keeps."""
        return int((self.row.ends_at - self.row.starts_at) / timedelta(minutes=1))


@blueprint.get("")
@staff_required()
def choose(booking_id: int) -> ResponseReturnValue:
    """The free times; the session's own counts as free."""
    return _page(booking_id)


@blueprint.get("/summary")
@staff_required()
def summary(booking_id: int) -> ResponseReturnValue:
    """The summary bar for a picked time; nothing is held."""
    start, service = instant(request.args.get("start", "")), current_app.extensions["ventana"]
    with read(service.sessions) as session:
        bar = _bar(_scene(session, service.desk(session), booking_id), start, None)
    return render_template("technician/_summary.html", bar=bar)


@blueprint.post("")
@staff_required()
def confirm(booking_id: int) -> ResponseReturnValue:
    """Move it, if it still is what the page showed. Dispatchers may name any moment with a written reason."""
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            desk = service.desk(session)
            scene = _scene(session, desk, booking_id)
            bookings.move(session, desk, scene.moment, actor(), booking_id, _wanted(scene))
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _page(booking_id, show([refusal], FIELDS), instant(request.form.get("start", "")))
    return redirect(url_for("technician.session.page", booking_id=booking_id), 303)


def _wanted(scene: Scene) -> bookings.Move:
    """What the form asks for. Raises InvalidInput, NonexistentTime, AmbiguousTime, NotAllowed."""
    reason = request.form.get("override_reason", "").strip() or None
    wall = request.form.get("wall", "").strip()
    if (reason or wall) and not dispatching():
        raise NotAllowed("override_lead_time")
    starts_at = _typed(wall, scene.zone) if wall else instant(request.form.get("start", ""))
    if starts_at is None:
        raise InvalidInput("start", "required")
    return bookings.Move(seen_rev(), starts_at, scene.row.wall_zone, scene.technician.id, reason)


def _typed(wall: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(wall[:40])
    except ValueError:
        raise InvalidInput("wall", "not_a_date") from None
    if moment.tzinfo is not None:
        raise InvalidInput("wall", "not_a_date")
    return to_utc(moment, zone)


def _scene(session: Session, desk: DeskContext, booking_id: int) -> Scene:
    row, at = own_session(session, booking_id), now()
    able = tuple(candidates(session, row.customer, row.system.platform, None))
    wanted = number(request.form.get("technician") or request.args.get("technician"))
    chosen = next((person for person in able if dispatching() and person.id == wanted), row.technician)
    return Scene(row, chosen, able, current_zone(), lead_ledger(desk, row.entitlement.kind, at), at)


def _page(booking_id: int, shown: Shown = NOTHING, start: datetime | None = None) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        scene = _scene(session, desk, booking_id)
        view = session_view(desk, scene.row, actor(), scene.moment, scene.zone)
        if not view["movable"] and not shown.messages:
            return redirect(view["page_url"], 303)
        page = render_template(
            "technician/move.html", it=view, shown=shown, **_facts(session, desk, scene, start)
        )
    return page, shown.status


def _facts(session: Session, desk: DeskContext, scene: Scene, start: datetime | None) -> dict[str, Any]:
    row, first = scene.row, day_in(request.values.get("from"))
    looking = Looking(
        scene.moment,
        scene.ledger,
        first or desk.today(max(scene.ledger.earliest_at, scene.moment)),
        scene.minutes,
        scene.zone,
        (scene.technician,),
        frozenset({row.id}),
    )

    def turn(**changes: Any) -> str:
        day = changes.get("first", first)
        values: dict[str, Any] = {
            "from": day.isoformat() if day else None,
            "technician": _asked_technician(scene),
        }
        return url_for("technician.moving.choose", booking_id=row.id, **values)

    week = week_page(session, desk, looking, turn, start)
    week.grid["zone_base"] = None
    week.grid["summary"] = url_for(
        "technician.moving.summary", booking_id=row.id, technician=_asked_technician(scene)
    )
    return {
        "first": first,
        "week": week.grid,
        "lead": lead_view(desk, scene.ledger, scene.zone),
        "bar": _bar(scene, start, week.first_free),
        "technician": scene.technician,
        "technicians": [(person.id, person.name) for person in scene.able] if dispatching() else [],
        "override": dispatching(),
        "typed": {name: request.form.get(name, "") for name in ("wall", "override_reason")},
    }


def _asked_technician(scene: Scene) -> int | None:
    return scene.technician.id if scene.technician.id != scene.row.technician_id else None


def _bar(scene: Scene, start: datetime | None, first_free: datetime | None) -> dict[str, Any]:
    button = _("Move the session")
    if start is None:
        text = (
            _("The first free one: %(moment)s", moment=i18n.say_short_moment(first_free))
            if first_free
            else ""
        )
        return summary_view(text=text, button=button)
    end = start + timedelta(minutes=scene.minutes)
    title = f"{i18n.say_moment(start, scene.zone)}–{i18n.say_time(end, scene.zone)}"
    who = _("with %(name)s", name=scene.technician.name)
    return summary_view(title, f"{i18n.say_zone(scene.zone, start)} · {who}", button=button)
