"""What goes out of the desk by itself, /desk/sending: mails that did not get through, and webhooks."""

from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler import undelivered
from scheduler.context import DeskContext
from scheduler.rules.refusals import Refusal
from scheduler.rules.secret import Secret
from scheduler.store.engines import read, write
from scheduler.webhooks import emitting, endpoints
from web.app import now
from web.parts.answers import inbox_view
from web.parts.asked import attempt
from web.parts.refusing import NOTHING, Shown, show
from web.parts.staff import ID, actor
from web.security import current_zone, staff_required

blueprint = Blueprint("sending", __name__, url_prefix="/desk/sending")


@blueprint.get("")
@staff_required("dispatcher")
def page() -> ResponseReturnValue:
    """Everything of both."""
    return _page()


@blueprint.post(f"/mails/<{ID}:notice_id>/again")
@staff_required("dispatcher")
def send_again(notice_id: int) -> ResponseReturnValue:
    """Send a mail again, to the address of the form."""

    def verb(session: Session, desk: DeskContext) -> str:
        undelivered.send_again(session, desk, now(), actor(), notice_id, request.form.get("email", ""))
        return url_for(".page")

    return attempt(verb, _page)


@blueprint.post("/webhooks")
@staff_required("dispatcher")
def add() -> ResponseReturnValue:
    """Add a webhook; its secret stands on the answer and nowhere else, so there is no redirect to it."""
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            desk, events = service.desk(session), request.form.getlist("events")
            url = request.form.get("url", "")
            _, secret = endpoints.add(session, desk, now(), actor(), service.vault, url, events)
    except Refusal as refusal:
        return _page(show([refusal]))
    return _page(secret=secret)


@blueprint.post(f"/webhooks/<{ID}:webhook_id>/test")
@staff_required("dispatcher")
def test(webhook_id: int) -> ResponseReturnValue:
    """Send it a test."""

    def verb(session: Session, _desk: DeskContext) -> str:
        endpoints.test(session, now(), actor(), webhook_id)
        return url_for(".page", _anchor="deliveries")

    return attempt(verb, _page)


@blueprint.post(f"/webhooks/<{ID}:webhook_id>/end")
@staff_required("dispatcher")
def end(webhook_id: int) -> ResponseReturnValue:
    """Tell it nothing more."""

    def verb(session: Session, desk: DeskContext) -> str:
        endpoints.end(session, desk, now(), actor(), webhook_id)
        return url_for(".page", _anchor="webhooks")

    return attempt(verb, _page)


@blueprint.post(f"/deliveries/<{ID}:delivery_id>/again")
@staff_required("dispatcher")
def deliver_again(delivery_id: int) -> ResponseReturnValue:
    """Take up a delivery that was given up."""

    def verb(session: Session, _desk: DeskContext) -> str:
        endpoints.retry(session, now(), actor(), delivery_id)
        return url_for(".page", _anchor="deliveries")

    return attempt(verb, _page)


def _page(shown: Shown = NOTHING, secret: Secret | None = None) -> ResponseReturnValue:
    with read(current_app.extensions["ventana"].sessions) as session:
        facts: dict[str, Any] = {
            "dead": undelivered.dead_mails(session),
            "delayed": undelivered.delayed_mails(session),
            "hooks": emitting.active(session),
            "deliveries": endpoints.latest(session),
            "inbox": inbox_view(session, now(), current_zone()),
        }
        html = render_template(
            "dispatcher/sending.html",
            shown=shown,
            typed=request.form,
            chosen=request.form.getlist("events"),
            events=emitting.EVENTS[:-1],
            secret=secret.reveal() if secret else None,
            **facts,
        )
    return html, shown.status
