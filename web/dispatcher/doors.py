"""A customer's PBXs and the doors into them, as the dispatcher keeps them: a credential goes in and never comes out."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import pictures
from scheduler.context import DeskContext
from scheduler.customers import keeping
from scheduler.doors import systems
from scheduler.rules.conditions import METHODS, PLATFORMS
from scheduler.rules.refusals import NotFound
from scheduler.rules.secret import Secret
from scheduler.store.engines import read
from scheduler.store.models import AccessPoint
from web import i18n
from web.app import now
from web.i18n import gettext as _
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.screens import agreed, ticked
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("doors", __name__, url_prefix=f"/customers/<{ID}:customer_id>/systems")
FIELDS = ("platform", "method", "host", "port", "username", "credential_kind", "profile", "name")


@blueprint.get("/new")
@staff_required("dispatcher")
def new(customer_id: int) -> ResponseReturnValue:
    """The form for another PBX."""
    return _form(customer_id, None, {"platform": "asterisk", "method": "ssh", "credential_kind": "our_key"})


@blueprint.post("/new")
@staff_required("dispatcher")
def add(customer_id: int) -> ResponseReturnValue:
    """Keep the PBX with its door."""
    vault = current_app.extensions["ventana"].vault

    def verb(session: Session, desk: DeskContext) -> str:
        keeping.customer(session, customer_id)
        systems.add_system(session, desk, vault, now(), actor(), customer_id, _typed())
        return _page_of(customer_id)

    return attempt(verb, lambda shown: _form(customer_id, None, request.form, shown))


@blueprint.get(f"/<{ID}:point_id>")
@staff_required("dispatcher")
def edit(customer_id: int, point_id: int) -> ResponseReturnValue:
    """The form with what is kept, without the credential."""
    with read(current_app.extensions["ventana"].sessions) as session:
        point = _theirs(session, customer_id, point_id)
        values = {name: getattr(point, name) for name in FIELDS if name not in ("platform", "name")}
        values |= {"platform": point.system.platform, "name": point.system.name, "pictures": ticked(point)}
    return _form(customer_id, point_id, values)


@blueprint.post(f"/<{ID}:point_id>")
@staff_required("dispatcher")
def change(customer_id: int, point_id: int) -> ResponseReturnValue:
    """Another address, account or credential; an empty credential keeps the one in the vault."""
    vault = current_app.extensions["ventana"].vault

    def verb(session: Session, desk: DeskContext) -> str:
        _theirs(session, customer_id, point_id)
        systems.change_door(session, desk, vault, now(), actor(), point_id, _typed())
        return _page_of(customer_id)

    return attempt(verb, lambda shown: _form(customer_id, point_id, request.form, shown))


def _theirs(session: Session, customer_id: int, point_id: int) -> AccessPoint:
    point = systems.visible_door(session, actor(), point_id)
    if point.system.customer_id != customer_id:
        raise NotFound("access_point")
    return point


def _typed() -> systems.DoorForm:
    credential = request.form.get("credential", "").replace("\r\n", "\n")
    texts: dict[str, Any] = {name: request.form.get(name, "") for name in FIELDS}
    secret = Secret(credential) if credential else None
    return systems.DoorForm(**texts, credential=secret, pictures=agreed(request.form))


def _page_of(customer_id: int) -> str:
    return url_for("dispatcher.customers.page", customer_id=customer_id) + "#systems"


def _form(customer_id: int, point_id: int | None, typed: Any, shown: Shown = NOTHING) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        row = keeping.customer(session, customer_id)
    kinds = {"our_key": _("Our public key"), "password": _("Password"), "private_key": _("A private key")}
    page = render_template(
        "dispatcher/door.html",
        row=row,
        point_id=point_id,
        typed=typed,
        shown=shown,
        platforms=[(each, i18n.say_platform(each)) for each in PLATFORMS],
        methods=[(each, i18n.say_method(each)) for each in METHODS],
        kinds=list(kinds.items()),
        profiles=[("modern", _("Modern")), ("legacy", _("Old (CentOS 5 to 7)"))],
        ports=systems.DEFAULT_PORTS,
        picture_days=pictures.KEPT_FOR.days,
    )
    return page, shown.status
