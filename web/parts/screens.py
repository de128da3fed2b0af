"""Pictures of screens on pages: the consent as it was ticked, the picture with its time, and its bytes."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from scheduler import pictures
from scheduler.store.models import AccessPoint, Check, Picture
from web import i18n
from web.app import now
from web.i18n import gettext as _

POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""A picture opened by itself is a document too; it needs nothing and may do nothing."""


def agreed(form: Mapping[str, str]) -> bool:
    """Whether the form's consent counts: ticked, and for a way in that shows a screen.

    The box stays ticked, out of sight, while its reader tries other methods.
    """
    return form.get("pictures") == "yes" and form.get("method") in pictures.METHODS


def ticked(point: AccessPoint) -> str:
    """The box as a form shows what is kept."""
    return "yes" if point.pictures_agreed_at is not None else ""


def screen_view(
    session: Session, check: Check, point: AccessPoint, address: Callable[[int], str], *, shown: bool
) -> dict[str, Any] | None:
    """What the `screen_picture` macro draws of a check and those before it; None where there is no picture."""
    found = pictures.newest(session, check, now())
    if found is None:
        return None
    when = i18n.say_moment(found.taken_at)
    return {
        "url": address(found.check_id),
        "shown": shown,
        "when": when,
        "alt": _(
            "Screen of %(system)s, by %(method)s, as it was on %(moment)s",
            system=point.system.name,
            method=i18n.say_method(point.method),
            moment=when,
        ),
        "width": found.width,
        "height": found.height,
        "look": _look(found),
        "until": i18n.say_moment(found.taken_at + pictures.KEPT_FOR),
    }


def _look(picture: Picture) -> str:
    looks = {
        "black": _("It was all black: the screen may be asleep or locked."),
        "uniform": _("It was all of one colour."),
    }
    return looks.get(picture.look, "")


def png(body: bytes) -> Response:
    """The picture, for these eyes now and for no cache."""
    response = Response(body, mimetype="image/png")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Content-Disposition"] = 'inline; filename="screen.png"'
    return response
