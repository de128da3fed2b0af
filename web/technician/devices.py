"""Calendar programs that sign in: a password for each device, shown once, ended here."""

import ipaddress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.calendars import app_passwords
from scheduler.calendars.app_passwords import Device
from scheduler.settings import Settings
from scheduler.store.engines import write
from scheduler.store.models import Technician
from web import i18n
from web.app import now
from web.i18n import gettext as _
from web.parts.staff import ID, actor
from web.security import current_person, staff_required

blueprint = Blueprint("devices", __name__, url_prefix="/agenda")


@blueprint.post("/devices")
@staff_required()
def create() -> ResponseReturnValue:
    """A password for one more device, on a page that cannot be opened again. Raises InvalidInput("device")."""
    service, person = current_app.extensions["ventana"], current_person()
    with write(service.sessions) as session:
        row, secret = app_passwords.create(
            session, service.desk(session), now(), actor(), request.form.get("device", "")
        )
        label = row.label
    page = render_template(
        "technician/device.html",
        label=label,
        user=person.email if person else "",
        password=secret.reveal(),
        server=service.settings.link_base,
        address=f"{service.settings.link_base}/dav/",
        back=url_for("technician.agenda.page") + "#devices",
    )
    return _once(page)


@blueprint.post(f"/devices/<{ID}:device_id>/revoke")
@staff_required()
def revoke(device_id: int) -> ResponseReturnValue:
    """End a device's password. Raises NotFound unless it is one's own."""
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        app_passwords.revoke(session, service.desk(session), now(), actor(), device_id)
    return redirect(url_for("technician.agenda.page") + "#devices", 303)


def devices_card(session: Session, technician: Technician, at: datetime) -> dict[str, Any]:
    """One's devices, and whether calendar programs elsewhere can reach us safely at all."""
    found = app_passwords.devices_of(session, technician.id)
    return {
        "devices": [{"id": it.id, "label": it.label, "used": _used(it, at)} for it in found],
        "most": app_passwords.MOST_DEVICES,
        "reachable": _reachable(current_app.extensions["ventana"].settings),
    }


def _used(device: Device, at: datetime) -> str:
    if device.last_used_at is None:
        return _("Not used yet.")
    ago = i18n.say_ago(device.last_used_at, at)
    if device.last_client in (None, "", "?"):
        return _("Used %(ago)s", ago=ago)
    return _("Used %(ago)s by %(reader)s", ago=ago, reader=device.last_client)


def _reachable(settings: Settings) -> bool:
    """Passwords go over https, or stay on the machine (the demo)."""
    host = urlsplit(settings.link_base).hostname or ""
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    return settings.https or here


def _once(page: str) -> Response:
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
