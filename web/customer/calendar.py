"""The customer's own calendar: an address to subscribe to all their sessions, behind the sign-in.

Not on a session's page, which anybody with its link may open: the calendar shows all sessions of the customer.
"""

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from scheduler.calendars import secrets
from scheduler.store.engines import read, write
from web.app import now
from web.customer.journey import ID
from web.customer.who import actor
from web.i18n import gettext as _
from web.parts import subscribing
from web.security import customer_required

blueprint = Blueprint("calendar", __name__, url_prefix="/book/calendar")


@blueprint.get("")
@customer_required
def page() -> ResponseReturnValue:
    """The addresses in use, or the button that makes one."""
    with read(current_app.extensions["ventana"].sessions) as session:
        found = subscribing.addresses_of(session, _me())
    scope = {
        "scope": "customer",
        "name": _("All our sessions"),
        "about": "",
        "create": url_for("customer.calendar.create"),
        "feeds": [_view(feed) for feed in found],
    }
    return render_template("customer/calendar.html", scope=scope)


@blueprint.post("")
@customer_required
def create() -> ResponseReturnValue:
    """A new address of the customer's sessions, made for this person."""
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        secrets.create_customer_feed(session, service.feed_key, actor().id, now())
    return _back()


@blueprint.post(f"/<{ID}:feed_id>/rotate")
@customer_required
def rotate(feed_id: int) -> ResponseReturnValue:
    """Another address instead of this one, which ends."""
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        secrets.rotate_feed(session, service.feed_key, _me(), feed_id, now())
    return _back()


@blueprint.post(f"/<{ID}:feed_id>/revoke")
@customer_required
def revoke(feed_id: int) -> ResponseReturnValue:
    """End the address: calendars that read it are told that it is gone."""
    with write(current_app.extensions["ventana"].sessions) as session:
        secrets.revoke_feed(session, _me(), feed_id, now())
    return _back()


@blueprint.post(f"/<{ID}:feed_id>/settings")
@customer_required
def settings(feed_id: int) -> ResponseReturnValue:
    """Whether the calendar reminds."""
    with write(current_app.extensions["ventana"].sessions) as session:
        secrets.change_feed(session, _me(), feed_id, now(), subscribing.chosen_settings())
    return _back()


@blueprint.get(f"/qr/<{ID}:feed_id>.svg")
@customer_required
def qr(feed_id: int) -> ResponseReturnValue:
    """The address as a QR code, for who made it. Raises NotFound for any other."""
    with read(current_app.extensions["ventana"].sessions) as session:
        found = subscribing.addresses_of(session, _me())
    return subscribing.qr_answer(found, feed_id)


def _view(feed: secrets.FeedAddress) -> dict[str, object]:
    verbs = ("rotate", "revoke", "qr", "settings")
    to = {verb: url_for(f"customer.calendar.{verb}", feed_id=feed.id) for verb in verbs}
    view = subscribing.address_view(feed, _("All our sessions"), now())
    return view | to | {"details": [], "alarms": subscribing.alarm_options()}


def _me() -> secrets.Owner:
    return secrets.Owner(contact_id=actor().id)


def _back() -> ResponseReturnValue:
    return redirect(url_for("customer.calendar.page") + "#subscribe", 303)
