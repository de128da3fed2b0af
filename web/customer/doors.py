"""Step 3: which PBX, and how we get in. Saved ones come back as cards; a credential is never shown again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import pictures
from scheduler.checks import explaining, planning
from scheduler.context import DeskContext
from scheduler.doors import systems
from scheduler.rules.access import accepted_methods
from scheduler.rules.refusals import NotFound, Refusal, TooManyTries
from scheduler.rules.secret import Secret
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint
from web.app import now
from web.customer.door_words import method_cards, network_mail, platform_cards, tool_names
from web.customer.journey import ID, Trip, current_trip, steps
from web.customer.who import actor, customer_id
from web.i18n import gettext as _
from web.parts.refusing import NOTHING, Shown, plain, show
from web.parts.screens import agreed, ticked
from web.security import customer_required

FIELDS = ("platform", "method", "host", "port", "username", "credential_kind", "profile", "name")
FRESH = timedelta(minutes=10)
"""A check younger than this is not repeated just because its PBX was chosen again."""

blueprint = Blueprint("doors", __name__, url_prefix="/book/system")


@blueprint.get("")
@customer_required
def choose() -> ResponseReturnValue:
    """The saved PBXs; without any, straight to the form."""
    return _list(current_trip())


@blueprint.post("")
@customer_required
def take() -> ResponseReturnValue:
    """Go on with a saved PBX and have its access tested."""
    trip = current_trip()
    if trip.door is None:
        shown = plain(
            "door", "invalid_input:required", _("Nothing is chosen"), _("Choose the PBX, or add another.")
        )
        return _list(trip, shown)
    with write(current_app.extensions["ventana"].sessions) as session:
        _ask_check(session, systems.visible_door(session, actor(), trip.door))
    return redirect(trip.url("customer.booking.choose"), 303)


@blueprint.get("/new")
@customer_required
def new() -> ResponseReturnValue:
    """The form for another PBX."""
    return _form(current_trip(), _blank())


@blueprint.post("/new")
@customer_required
def add() -> ResponseReturnValue:
    """Keep the PBX and have its access tested."""

    def keep(session: Session, desk: DeskContext, form: systems.DoorForm) -> AccessPoint:
        vault = current_app.extensions["ventana"].vault
        return systems.add_system(session, desk, vault, now(), actor(), customer_id(), form)

    return _keep(keep, None)


@blueprint.get(f"/<{ID}:door>")
@customer_required
def edit(door: int) -> ResponseReturnValue:
    """The form with what is stored; the credential stays empty."""
    with read(current_app.extensions["ventana"].sessions) as session:
        point = systems.visible_door(session, actor(), door)
        typed = {name: str(getattr(point, name)) for name in FIELDS if hasattr(point, name)}
        typed |= {"platform": point.system.platform, "name": point.system.name, "pictures": ticked(point)}
    return _form(current_trip(), typed, door)


@blueprint.post(f"/<{ID}:door>")
@customer_required
def change(door: int) -> ResponseReturnValue:
    """Keep another address, account or credential."""

    def keep(session: Session, desk: DeskContext, form: systems.DoorForm) -> AccessPoint:
        vault = current_app.extensions["ventana"].vault
        return systems.change_door(session, desk, vault, now(), actor(), door, form)

    return _keep(keep, door)


@blueprint.get("/parts")
@customer_required
def parts() -> ResponseReturnValue:
    """The parts of the form that follow from PBX and method, when one of them changes."""
    typed = _blank() | {
        name: request.args.get(name, "")[:200] for name in ("platform", "method", "port", "host")
    }
    accepted = _accepted(typed["platform"])
    if typed["method"] not in accepted:
        typed["method"] = accepted[0]
    typed["credential_kind"] = "our_key" if typed["method"] == "ssh" else "password"
    defaults = {str(port) for port in systems.DEFAULT_PORTS.values()}
    if not typed["port"] or typed["port"] in defaults:
        typed["port"] = str(systems.DEFAULT_PORTS[typed["method"]])
    return render_template(
        "customer/_door_parts.html", typed=typed, shown=NOTHING, door=None, **_form_facts(typed)
    )


def _keep(
    keep: Callable[[Session, DeskContext, systems.DoorForm], AccessPoint], door: int | None
) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    trip, typed = current_trip(), {name: request.form.get(name, "") for name in (*FIELDS, "pictures")}
    try:
        with write(service.sessions) as session:
            point = keep(session, service.desk(session), _door_form(typed))
            session.flush()
            _ask_check(session, point)
    except NotFound:
        raise
    except Refusal as refusal:
        secret = "private_key" if typed["credential_kind"] == "private_key" else "password"
        return _form(trip, typed, door, show([refusal], {"credential": secret}))
    return redirect(trip.url("customer.booking.choose", door=point.id), 303)


def _door_form(typed: dict[str, str]) -> systems.DoorForm:
    kind = typed["credential_kind"]
    given = request.form.get("private_key" if kind == "private_key" else "password", "")
    secret = Secret(given) if given and kind != "our_key" else None
    texts: dict[str, Any] = {name: typed[name] for name in FIELDS}
    return systems.DoorForm(**texts, credential=secret, pictures=agreed(typed))


def _ask_check(session: Session, point: AccessPoint) -> None:
    """Test right away, so that the result is there while the time is chosen; a limit reached stops nobody here."""
    last = planning.latest(session, point.id)
    if not explaining.checkable(point.method) or (
        last and last.finished_at and now() - last.finished_at < FRESH
    ):
        return
    try:
        planning.ask(session, now(), actor(), point)
    except TooManyTries:
        current_app.logger.info("no check of access point %s now: too many of late", point.id)


def _list(trip: Trip, shown: Shown = NOTHING) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        cards = [
            {
                "id": point.id,
                "name": point.system.name,
                "platform": point.system.platform,
                "method": point.method,
                "address": f"{point.host}:{point.port}",
                "username": point.username,
            }
            for point in systems.doors(session, customer_id())
        ]
    if not cards:
        return redirect(trip.url("customer.doors.new"), 303)
    page = render_template("customer/systems.html", steps=steps(trip, 3), trip=trip, cards=cards, shown=shown)
    return page, shown.status


def _form(
    trip: Trip, typed: dict[str, str], door: int | None = None, shown: Shown = NOTHING
) -> ResponseReturnValue:
    page = render_template(
        "customer/system.html",
        steps=steps(trip, 3),
        trip=trip,
        typed=typed,
        door=door,
        shown=shown,
        **_form_facts(typed),
    )
    return page, shown.status


def _form_facts(typed: dict[str, str]) -> dict[str, Any]:
    service = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        # Written, not read: the key pair is made when somebody first has to install it.
        key = systems.our_public_key(session, service.vault, now(), customer_id())
        desk = service.desk(session)
    return {
        "our_key": key,
        "picture_days": pictures.KEPT_FOR.days,
        "platforms": platform_cards(desk.conditions),
        "methods": method_cards(desk.conditions),
        "tools": tool_names(desk.conditions),
        "mail": network_mail(desk, typed.get("host", ""), typed.get("port", "")),
    }


def _accepted(platform: str) -> tuple[str, ...]:
    return accepted_methods(current_app.extensions["ventana"].installation.conditions, platform)


def _blank() -> dict[str, str]:
    usual = _accepted("asterisk")[0]
    port = str(systems.DEFAULT_PORTS[usual])
    return {"platform": "asterisk", "method": usual, "port": port, "credential_kind": "our_key"}
