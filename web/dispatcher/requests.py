"""Questions that customers sent by mail, /requests: read, their file taken, marked as answered."""

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.intake import mail_requests
from scheduler.store.engines import read
from web.app import now
from web.parts.asked import attempt
from web.parts.asked_by_mail import file_response, request_view
from web.parts.refusing import NOTHING, Shown
from web.parts.staff import ID, actor
from web.security import staff_required

blueprint = Blueprint("requests", __name__, url_prefix="/requests")


@blueprint.get("")
@staff_required("dispatcher")
def listing() -> ResponseReturnValue:
    """The open ones first."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk = service.desk(session)
        asked = [request_view(desk, row) for row in mail_requests.listing(session, limit=100)]
        return render_template("dispatcher/requests.html", asked=asked)


@blueprint.get(f"/<{ID}:request_id>")
@staff_required("dispatcher")
def page(request_id: int) -> ResponseReturnValue:
    """One question. Raises NotFound."""
    return _page(request_id)


@blueprint.get(f"/<{ID}:request_id>/file")
@staff_required("dispatcher")
def file(request_id: int) -> ResponseReturnValue:
    """The file that came with it. Raises NotFound."""
    with read(current_app.extensions["ventana"].sessions) as session:
        return file_response(mail_requests.find(session, request_id))


@blueprint.post(f"/<{ID}:request_id>/answered")
@staff_required("dispatcher")
def answered(request_id: int) -> ResponseReturnValue:
    """Take it off the open ones."""

    def verb(session: Session, desk: DeskContext) -> str:
        mail_requests.mark_answered(session, desk, now(), actor(), request_id)
        return url_for(".listing")

    return attempt(verb, lambda shown: _page(request_id, shown))


def _page(request_id: int, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        row = mail_requests.find(session, request_id)
        page = render_template(
            "dispatcher/request.html", it=request_view(service.desk(session), row), shown=shown
        )
    return page, shown.status
