"""The waiting list, /waiting: who waits for what in which order, who was offered what, and taking somebody off it."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.store.engines import read
from scheduler.waiting import joining
from web.app import now
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.parts.waiting import entry_views
from web.security import staff_required

blueprint = Blueprint("waiting", __name__, url_prefix="/waiting")


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """The queue in its order, and who left it lately."""
    return _page()


@blueprint.post(f"/<{ID}:entry_id>/remove")
@staff_required("dispatcher")
def remove(entry_id: int) -> ResponseReturnValue:
    """Take an entry off the list, with the reason that is mailed. Raises NotFound."""

    def verb(session: Session, desk: DeskContext) -> str:
        joining.remove(session, desk, now(), actor(), entry_id, request.form.get("reason", ""))
        return url_for(".listing")

    return attempt(verb, lambda shown: _page(shown, entry_id), {"reason": f"reason-{entry_id}"})


def _page(shown: Shown = NOTHING, typed_for: int | None = None) -> ResponseReturnValue:
    service: Any = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        page = render_template(
            "dispatcher/waiting.html",
            entries=entry_views(session, service.installation, joining.queue(session), now()),
            past=entry_views(session, service.installation, joining.past(session), now()),
            shown=shown,
            typed_for=typed_for,
            typed=request.form.get("reason", ""),
        )
    return page, shown.status
