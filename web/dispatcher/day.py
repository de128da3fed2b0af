"""The dispatcher's day, /team: what fails before a session, how full everybody is, and what waits for a decision."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from scheduler.store.engines import read
from web.app import now
from web.dispatcher import day_view
from web.security import staff_required

blueprint = Blueprint("day", __name__, url_prefix="/team")


@blueprint.get("")
@staff_required("dispatcher")
def page() -> ResponseReturnValue:
    """Everything that needs a look today, the most pressing first."""
    service, at = current_app.extensions["ventana"], now()
    with read(service.sessions) as session:
        desk = service.desk(session)
        return render_template(
            "dispatcher/day.html",
            failing=day_view.failing_lines(session, desk, at),
            heat=day_view.heat_view(session, desk, at),
            ending=day_view.ending_lines(session, desk, at),
            waiting=day_view.waiting_lines(session, desk, at),
            free=day_view.next_free(session, desk, at),
        )
