"""The subscribe card: calendar addresses of one's own and their settings."""

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.calendars import secrets
from scheduler.store.engines import read, write
from scheduler.store.models import Technician
from web.app import now
from web.i18n import gettext as _
from web.parts import subscribing
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("feeds", __name__, url_prefix="/agenda")


@blueprint.post("/feeds")
@staff_required()
def create() -> ResponseReturnValue:
    """A new address of one scope. Raises InvalidInput for another scope, NotAllowed for somebody else's."""
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        secrets.create_feed(session, service.feed_key, actor().id, request.form.get("scope", ""), now())
    return _back()


@blueprint.post(f"/feeds/<{ID}:feed_id>/rotate")
@staff_required()
def rotate(feed_id: int) -> ResponseReturnValue:
    """Another address instead of this one, which ends."""
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        secrets.rotate_feed(session, service.feed_key, _me(), feed_id, now())
    return _back()


@blueprint.post(f"/feeds/<{ID}:feed_id>/revoke")
@staff_required()
def revoke(feed_id: int) -> ResponseReturnValue:
    """End the address: calendars that read it are told that it is gone."""
    with write(current_app.extensions["ventana"].sessions) as session:
        secrets.revoke_feed(session, _me(), feed_id, now())
    return _back()


@blueprint.post(f"/feeds/<{ID}:feed_id>/settings")
@staff_required()
def settings(feed_id: int) -> ResponseReturnValue:
    """How much the calendar tells and whether it reminds."""
    with write(current_app.extensions["ventana"].sessions) as session:
        secrets.change_feed(session, _me(), feed_id, now(), subscribing.chosen_settings())
    return _back()


@blueprint.get(f"/qr/<{ID}:feed_id>.svg")
@staff_required()
def qr(feed_id: int) -> ResponseReturnValue:
    """The address as a QR code, for its owner alone. Raises NotFound for any other."""
    with read(current_app.extensions["ventana"].sessions) as session:
        found = subscribing.addresses_of(session, _me())
    return subscribing.qr_answer(found, feed_id)


def subscribe_card(session: Session, technician: Technician, at: datetime) -> list[dict[str, Any]]:
    """For each scope that this person may have: its name and the addresses in use, if any."""
    found = subscribing.addresses_of(session, secrets.Owner(technician_id=technician.id))
    return [
        {
            "scope": scope,
            "name": name,
            "about": about,
            "create": url_for("technician.feeds.create"),
            "feeds": [_view(feed, name, at) for feed in found if feed.scope == scope],
        }
        for scope, name, about in _scopes(technician)
    ]


def _scopes(technician: Technician) -> list[tuple[str, str, str]]:
    """Scope, its name and what is in it."""
    own = [
        ("interventions", _("My sessions"), ""),
        (
            "slots",
            _("My sessions and my free hours"),
            _("Each free hour has a link to book it for a customer."),
        ),
    ]
    team = [("team", _("The whole team"), _("The sessions of everybody, with their names."))]
    free = [("freebusy", _("When I am busy"), _("Only busy times, to give to people outside the desk."))]
    return own + (team if technician.role == "dispatcher" else []) + free


def _view(feed: secrets.FeedAddress, name: str, at: datetime) -> dict[str, Any]:
    to = {verb: url_for(f"technician.feeds.{verb}", feed_id=feed.id) for verb in ("rotate", "revoke", "qr")}
    telling = feed.scope != "freebusy"
    return (
        subscribing.address_view(feed, name, at)
        | to
        | {
            "settings": url_for("technician.feeds.settings", feed_id=feed.id) if telling else None,
            "details": subscribing.detail_options(),
            "alarms": subscribing.alarm_options(),
        }
    )


def _me() -> secrets.Owner:
    return secrets.Owner(technician_id=actor().id)


def _back() -> ResponseReturnValue:
    return redirect(url_for("technician.agenda.page") + "#subscribe", 303)
