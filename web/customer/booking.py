"""Step 4: the access is tested on the left while the time is chosen on the right; confirming books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session, joinedload

from scheduler.bookings import booking
from scheduler.checks import planning
from scheduler.context import DeskContext
from scheduler.doors import systems
from scheduler.links import booking_token
from scheduler.rules.intervals import Interval
from scheduler.rules.lead_time import LeadLedger
from scheduler.rules.refusals import InvalidInput, NotFound, Refusal, SlotTaken, TimeRefused
from scheduler.slots.availability import alternatives, candidates, lead_ledger, own_hold
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint, Booking, System, Technician
from web import i18n
from web.app import current_desk, now
from web.customer import entitlement
from web.customer.checking import place_of
from web.customer.entitlement import Card
from web.customer.journey import ANY, OWN, Trip, current_trip, known_zone, steps
from web.customer.picker import duration_options, technician_options, zone_options
from web.customer.who import actor
from web.i18n import gettext as _
from web.parts.check_view import check_view
from web.parts.refusing import NOTHING, Shown, plain, show
from web.parts.slots import instant, written
from web.parts.week import Looking, lead_view, shown_days, summary_view, week_page
from web.security import current_zone, customer_required

blueprint = Blueprint("booking", __name__, url_prefix="/book/time")


@dataclass(frozen=True, slots=True)
class Scene:
    """What the step is about, read once: the door, the right, and who could come."""

    trip: Trip
    point: AccessPoint
    right: Card
    minutes: int
    zone: ZoneInfo
    own: Technician | None
    technicians: tuple[Technician, ...]
    ledger: LeadLedger
    moment: datetime
    approved: bool
    """The desk approves sessions under this right before they are confirmed."""


@blueprint.get("")
@customer_required
def choose() -> ResponseReturnValue:
    """Check and times."""
    return _page(current_trip())


@blueprint.post("/hold")
@customer_required
def hold() -> ResponseReturnValue:
    """Keep the picked time for some minutes while they read; answers with the summary bar."""
    trip, start = current_trip(), instant(request.form.get("start", ""))
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            desk = service.desk(session)
            scene = _scene(session, desk, trip)
            if start is None or scene is None:
                return _not_held(trip, start, InvalidInput("start", "required"))
            kept = booking.hold(session, desk, scene.moment, actor(), _request(scene, start))
            bar = _picked(scene, start, kept.technician, kept.held_until)
        return render_template("customer/_summary.html", bar=bar)
    except NotFound:
        raise
    except Refusal as refusal:
        return _not_held(trip, start, refusal)


@blueprint.post("")
@customer_required
def confirm() -> ResponseReturnValue:
    """Book the picked time, or one of the alternatives that were offered instead."""
    trip, start = current_trip(), instant(request.form.get("instead") or request.form.get("start", ""))
    if start is None:
        return _page(trip, _nothing_picked())
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            desk = service.desk(session)
            scene = _scene(session, desk, trip)
            if scene is None:
                return redirect(trip.url("customer.entitlement.choose"), 303)
            made = booking.book(session, desk, scene.moment, actor(), _request(scene, start))
            token = booking_token(desk.installation.keys.link, made.uid)
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(trip, start, refusal)
    return redirect(url_for("customer.managing.page", token=token), 303)


def _refused(trip: Trip, start: datetime, refusal: Refusal) -> ResponseReturnValue:
    if isinstance(refusal, SlotTaken):
        service = current_app.extensions["ventana"]
        with read(service.sessions) as session:
            # A second click of the same person finds the slot taken by their first one.
            mine = booking.booked_by(session, actor(), trip.door or 0, start)
        if mine is not None:
            token = booking_token(service.installation.keys.link, mine.uid)
            return redirect(url_for("customer.managing.page", token=token), 303)
    return _page(trip, show([refusal]), start, refusal)


def _not_held(trip: Trip, start: datetime | None, refusal: Refusal) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    shown = show([refusal])
    with read(service.sessions) as session:
        desk = service.desk(session)
        scene = _scene(session, desk, trip)
        near = _instead(session, desk, scene, start, refusal) if scene and start else ()
    # 200: the answer is a part of the page, and browsers would log another status as an error of the page.
    return render_template("customer/_summary.html", bar=summary_view(), shown=shown, near=near)


def _page(
    trip: Trip, shown: Shown = NOTHING, start: datetime | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    desk = current_desk() or abort(503)
    with read(service.sessions) as session:
        scene = _scene(session, desk, trip)
        if scene is None:
            step = "entitlement" if trip.door else "doors"
            return redirect(trip.url(f"customer.{step}.choose"), 303)
        facts = _facts(session, desk, scene, start)
        near = _instead(session, desk, scene, start, refusal) if start and refusal else ()
    page = render_template(
        "customer/time.html",
        steps=steps(trip, 4),
        shown=shown,
        near=near,
        description=request.form.get("description", ""),
        wait=instant(request.args.get("wait", "")),
        **facts,
    )
    return page, shown.status


def _scene(session: Session, desk: DeskContext, trip: Trip) -> Scene | None:
    """Everything read for this step; None when an earlier step is missing. Raises NotFound for another's door."""
    if trip.door is None or trip.entitlement is None:
        return None
    # Read together with its PBX and customer: one question to the database instead of three.
    together = joinedload(AccessPoint.system).joinedload(System.customer)
    session.get(AccessPoint, trip.door, options=[together])
    point = systems.visible_door(session, actor(), trip.door)
    right = entitlement.balance(session, trip)
    if right is None or not right.usable:
        return None
    customer = point.system.customer
    everybody = candidates(session, customer, point.system.platform, None)
    own = next((person for person in everybody if person.id == customer.technician_id), None)
    wanted = [own] if own is not None and trip.technician != ANY else everybody
    at = now()
    return Scene(
        trip=trip,
        point=point,
        right=right,
        minutes=_minutes(desk, trip, right),
        zone=known_zone(trip.zone) or current_zone(),
        own=own,
        technicians=tuple(wanted),
        ledger=lead_ledger(desk, right.kind, at),
        moment=at,
        approved=right.kind in desk.conditions.approval.needed_for,
    )


def _minutes(desk: DeskContext, trip: Trip, right: Card) -> int:
    offered = desk.conditions.durations_minutes
    if trip.minutes:
        return trip.minutes
    payable = [each for each in offered if right.left is None or each <= right.left]
    return 60 if 60 in payable else max(payable, default=min(offered))


def _looking(scene: Scene, first: date, held: Booking | None) -> Looking:
    """What the week of times shows; the person's own hold counts as free."""
    return Looking(
        scene.moment,
        scene.ledger,
        first,
        scene.minutes,
        scene.zone,
        scene.technicians,
        frozenset({held.id}) if held else frozenset(),
    )


def _choices(desk: DeskContext, scene: Scene) -> dict[str, Any]:
    """What stands over the grid: length, technician and zone, each with what can be chosen."""
    return {
        "minutes": scene.minutes,
        "zone": scene.zone.key,
        "technician": OWN if scene.own and scene.trip.technician != ANY else ANY,
        "durations": duration_options(desk.conditions.durations_minutes),
        "technicians": technician_options(scene.own),
        "zones": zone_options(scene.zone, desk.zone, scene.moment),
    }


def _facts(session: Session, desk: DeskContext, scene: Scene, start: datetime | None) -> dict[str, Any]:
    trip, first = scene.trip, scene.trip.first or desk.today(scene.moment)
    _, window = shown_days(desk, scene.moment, first)
    held = own_hold(session, actor(), scene.technicians, window, scene.moment)
    looking = _looking(scene, first, held)
    fits = held is not None and held.ends_at - held.starts_at == timedelta(minutes=scene.minutes)
    chosen = start or (held.starts_at if held and fits else None)

    def turn(**changes: Any) -> str:
        return trip.url("customer.booking.choose", **changes)

    week = week_page(session, desk, looking, turn, chosen)
    check = planning.latest(session, scene.point.id)
    bar = (
        _picked(scene, held.starts_at, held.technician, held.held_until)
        if held and fits and not start
        else _unpicked(week.first_free, scene)
    )
    return _choices(desk, scene) | {
        "trip": trip,
        "point": scene.point,
        "system": scene.point.system,
        "right": scene.right,
        "check": check_view(session, desk, check, scene.point, place_of(session, trip), i18n.language()),
        "lead": lead_view(desk, scene.ledger, scene.zone),
        "week": week.grid,
        "approved": scene.approved,
        "wait_url": _wait_url(scene, desk),
        "bar": bar,
    }


def _wait_url(scene: Scene, desk: DeskContext) -> str:
    """Where one asks to be told of a slot, for the days and the length that are looked at."""
    days, _window = shown_days(desk, scene.moment, scene.trip.first or desk.today(scene.moment))
    return scene.trip.url("customer.waiting.page", minutes=scene.minutes, first=days[0])


def _request(scene: Scene, start: datetime) -> booking.BookingRequest:
    alone = scene.own is not None and scene.trip.technician != ANY
    return booking.BookingRequest(
        access_point_id=scene.point.id,
        entitlement_id=scene.right.id,
        starts_at=start,
        minutes=scene.minutes,
        zone=scene.zone.key,
        technician_id=scene.own.id if scene.own and alone else None,
        topic=scene.trip.topic if scene.right.kind == "purchase" else None,
        description=request.form.get("description", "")
        if request.endpoint == "customer.booking.confirm"
        else "",
    )


def _picked(
    scene: Scene, start: datetime, technician: Technician, held_until: datetime | None
) -> dict[str, Any]:
    end = start + timedelta(minutes=scene.minutes)
    parts = [i18n.say_zone(scene.zone, start), _("with %(name)s", name=technician.name)]
    if scene.right.left is not None:
        used, left = i18n.say_hours(scene.minutes), i18n.say_hours(scene.right.left - scene.minutes)
        parts.append(_("uses %(used)s, leaves you %(left)s", used=used, left=left))
    held = (
        _("We keep it for you until %(time)s", time=i18n.say_time(held_until, scene.zone))
        if held_until
        else ""
    )
    title = f"{i18n.say_moment(start, scene.zone)}–{i18n.say_time(end, scene.zone)}"
    return summary_view(title, " · ".join(parts), held, _button(scene))


def _button(scene: Scene) -> str:
    return _("Ask for this time") if scene.approved else _("Confirm booking")


def _unpicked(first_free: datetime | None, scene: Scene) -> dict[str, Any]:
    text = (
        _("The first free one: %(moment)s", moment=i18n.say_short_moment(first_free, scene.zone))
        if first_free
        else _("Nothing is free on these days; look at later ones.")
    )
    return summary_view(text=text, button=_button(scene))


def _nothing_picked() -> Shown:
    return plain(
        "start", "invalid_input:required", _("No time is chosen"), _("Time: choose when the session begins.")
    )


def _instead(
    session: Session, desk: DeskContext, scene: Scene, start: datetime | None, refusal: Refusal | None
) -> Sequence[dict[str, str]]:
    """The three nearest times that can still be had, as buttons; only where the time was refused."""
    if start is None or not isinstance(refusal, TimeRefused):
        return ()
    found = getattr(refusal, "alternatives", ())
    if not found:
        wanted = Interval(start, start + timedelta(minutes=scene.minutes))
        near = min(wanted.start, scene.ledger.earliest_at + timedelta(days=desk.conditions.horizon_days))
        wanted = Interval(near, near + (wanted.end - wanted.start))
        found = alternatives(session, desk, scene.moment, scene.technicians, wanted, scene.ledger.earliest_at)
    return [
        {"value": written(start_at), "text": i18n.say_short_moment(start_at, scene.zone)}
        for start_at in found
    ]
