"""Another time for a booking: the same picker, with the booking's own technician and length."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.bookings import booking as bookings
from scheduler.context import DeskContext
from scheduler.rules.intervals import Interval
from scheduler.rules.lead_time import LeadLedger
from scheduler.rules.refusals import NotFound, Refusal, TimeRefused
from scheduler.slots.availability import alternatives, candidates, lead_ledger
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Technician
from web import i18n
from web.app import now
from web.customer.journey import current_trip, known_zone
from web.customer.managing import booking_view, changeable, find, holder, keep_secret
from web.customer.picker import zone_options
from web.i18n import gettext as _
from web.parts.refusing import NOTHING, Shown, plain, show
from web.parts.slots import instant, written
from web.parts.week import Looking, lead_view, summary_view, week_page

blueprint = Blueprint("moving", __name__, url_prefix="/a/<token>/move")


blueprint.after_request(keep_secret)


@dataclass(frozen=True, slots=True)
class Scene:
    """The booking to move and how its week is looked at."""

    row: Booking
    zone: ZoneInfo
    technicians: tuple[Technician, ...]
    ledger: LeadLedger
    moment: datetime

    @property
    def length(self) -> timedelta:
        """How long the session lasts; moving does not change it."""
        return self.row.ends_at - self.row.starts_at


@blueprint.get("")
def choose(token: str) -> ResponseReturnValue:
    """The free times of the same technician; the present one counts as free."""
    return _page(token)


@blueprint.get("/summary")
def summary(token: str) -> ResponseReturnValue:
    """The summary bar for a picked time; nothing is held, the present time stays theirs until they confirm."""
    start = instant(request.args.get("start", ""))
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        scene = _scene(session, service.desk(session), token)
        bar = _bar(scene, start, None)
    return render_template("customer/_summary.html", bar=bar)


@blueprint.post("")
def confirm(token: str) -> ResponseReturnValue:
    """Move it, if it still is the booking that the page showed."""
    start = instant(request.form.get("instead") or request.form.get("start", ""))
    if start is None:
        text = _("Time: choose when the session begins.")
        return _page(token, plain("start", "invalid_input:required", _("No time is chosen"), text))
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            desk = service.desk(session)
            scene = _scene(session, desk, token)
            row, actor = scene.row, holder(scene.row)
            bookings.move(
                session, desk, scene.moment, actor, row.id, bookings.Move(_seen_rev(), start, scene.zone.key)
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(token, show([refusal]), start, refusal)
    return redirect(url_for("customer.managing.page", token=token), 303)


def _seen_rev() -> int:
    seen = request.form.get("rev", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0


def _scene(session: Session, desk: DeskContext, token: str) -> Scene:
    row, at = find(session, token), now()
    technicians = candidates(session, row.customer, row.system.platform, row.technician_id)
    zone = known_zone(current_trip().zone) or ZoneInfo(row.wall_zone)
    return Scene(row, zone, tuple(technicians), lead_ledger(desk, row.entitlement.kind, at), at)


def _page(
    token: str, shown: Shown = NOTHING, start: datetime | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        scene = _scene(session, desk, token)
        if not changeable(scene.row) and refusal is None:
            return redirect(url_for("customer.managing.page", token=token), 303)
        near = _instead(session, desk, scene, start, refusal) if start and refusal else ()
        page = render_template(
            "customer/move.html",
            token=token,
            shown=shown,
            near=near,
            **_facts(session, desk, token, scene, start),
        )
    return page, shown.status


def _facts(
    session: Session, desk: DeskContext, token: str, scene: Scene, start: datetime | None
) -> dict[str, Any]:
    trip, row = current_trip(), scene.row
    minutes = int(scene.length.total_seconds() // 60)
    first = trip.first or desk.today(max(scene.ledger.earliest_at, scene.moment))
    looking = Looking(
        scene.moment, scene.ledger, first, minutes, scene.zone, scene.technicians, frozenset({row.id})
    )

    def turn(**changes: Any) -> str:
        day = changes.get("first", trip.first)
        values = {"from": day.isoformat() if day else None, "zone": changes.get("zone", trip.zone) or None}
        return url_for("customer.moving.choose", token=token, **values)

    week = week_page(session, desk, looking, turn, start)
    week.grid["summary"] = url_for("customer.moving.summary", token=token)
    return {
        "it": booking_view(desk, row),
        "trip": trip,
        "lead": lead_view(desk, scene.ledger, scene.zone),
        "week": week.grid,
        "bar": _bar(scene, start, week.first_free),
        "zone": scene.zone.key,
        "zones": zone_options(scene.zone, desk.zone, scene.moment),
    }


def _bar(scene: Scene, start: datetime | None, first_free: datetime | None) -> dict[str, Any]:
    button = _("Move the booking")
    if start is None:
        moment = i18n.say_short_moment(first_free, scene.zone) if first_free else ""
        text = _("The first free one: %(moment)s", moment=moment) if moment else ""
        return summary_view(text=text, button=button)
    end = start + scene.length
    title = f"{i18n.say_moment(start, scene.zone)}–{i18n.say_time(end, scene.zone)}"
    who = _("with %(name)s", name=scene.row.technician.name)
    return summary_view(title, f"{i18n.say_zone(scene.zone, start)} · {who}", button=button)


def _instead(
    session: Session, desk: DeskContext, scene: Scene, start: datetime, refusal: Refusal
) -> Sequence[dict[str, str]]:
    if not isinstance(refusal, TimeRefused):
        return ()
    found = getattr(refusal, "alternatives", ())
    if not found:
        wanted = Interval(start, start + scene.length)
        ignore = frozenset({scene.row.id})
        earliest = scene.ledger.earliest_at
        found = alternatives(session, desk, scene.moment, scene.technicians, wanted, earliest, ignore)
    return [{"value": written(each), "text": i18n.say_short_moment(each, scene.zone)} for each in found]
