"""The live check of a door: asked for, watched while it runs, and the host key confirmed."""

from typing import Any

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import pictures
from scheduler.checks import pins, planning
from scheduler.context import DeskContext
from scheduler.doors import systems
from scheduler.rules.refusals import NotFound, TooManyTries
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint, Check, Entitlement
from web.app import now
from web.customer.journey import ID, Trip, current_trip
from web.customer.who import actor
from web.i18n import language
from web.parts.check_view import Place, check_view
from web.parts.live import Drawn, prepare_streams, stream
from web.parts.screens import png
from web.parts.slots import written
from web.security import customer_required

blueprint = Blueprint("checking", __name__, url_prefix="/book")
blueprint.record_once(prepare_streams)


@blueprint.post("/check")
@customer_required
def ask() -> ResponseReturnValue:
    """Test the door now; too many tests lead back with the moment from which there may be more."""
    trip = current_trip()
    try:
        with write(current_app.extensions["ventana"].sessions) as session:
            planning.ask(session, now(), actor(), _door(session, trip))
    except TooManyTries as refusal:
        return redirect(trip.url("customer.booking.choose") + f"&wait={written(refusal.retry_at)}", 303)
    return redirect(trip.url("customer.booking.choose") + "#access", 303)


@blueprint.post("/host-key")
@customer_required
def confirm_host_key() -> ResponseReturnValue:
    """It is mine: the host key is pinned, and the door tested again with it."""
    trip = current_trip()
    with write(current_app.extensions["ventana"].sessions) as session:
        point = _door(session, trip)
        pins.confirm(session, point, request.form.get("fingerprint", ""), actor(), now())
        session.expire(point, ["pins"])
        try:
            planning.ask(session, now(), actor(), point)
        except TooManyTries:
            current_app.logger.info("host key of access point %s confirmed, not tested again now", point.id)
    return redirect(trip.url("customer.booking.choose") + "#access", 303)


@blueprint.get(f"/check/<{ID}:check_id>/events")
@customer_required
def events(check_id: int) -> ResponseReturnValue:
    """The steps of a running check as they end (text/event-stream)."""
    acting, trip, locale = actor(), current_trip(), language()

    def draw(session: Session, desk: DeskContext) -> Drawn:
        check = session.get(Check, check_id)
        if check is None:
            raise NotFound("check")
        point = systems.visible_door(session, acting, check.access_point_id)
        view = check_view(session, desk, check, point, place_of(session, trip), locale)
        return Drawn(view, over=check.state not in ("planned", "running"))

    return stream(check_id, draw)


@blueprint.get(f"/picture/<{ID}:check_id>")
@customer_required
def picture(check_id: int) -> ResponseReturnValue:
    """One's own screen as a check saw it (image/png)."""
    with read(current_app.extensions["ventana"].sessions) as session:
        check, body = pictures.of_check(session, check_id, now())
        systems.visible_door(session, actor(), check.access_point_id)
        return png(body)


def picture_url(check_id: int) -> str:
    """Where a customer who has signed in sees the picture that a check took."""
    return url_for("customer.checking.picture", check_id=check_id)


def place_of(session: Session, trip: Trip) -> Place:
    """Where the check of a journey is asked, watched and repaired."""
    query: dict[str, Any] = {**trip.query()}
    right = session.get(Entitlement, trip.entitlement) if trip.entitlement else None
    return Place(
        ask=trip.url("customer.checking.ask"),
        confirm=trip.url("customer.checking.confirm_host_key"),
        here=trip.url("customer.booking.choose") + "#access",
        edit=trip.url("customer.doors.edit"),
        events=lambda check_id: url_for("customer.checking.events", check_id=check_id, **query),
        kind=right.kind if right else None,
        picture=picture_url,
    )


def _door(session: Session, trip: Trip) -> AccessPoint:
    return systems.visible_door(session, actor(), trip.door or 0)
