"""Where the links in the waiting list's mails lead: a slot to take or leave, and the way off the list.

Looking changes nothing, since mail scanners follow every link; a button does. The token is the proof: nobody needs to
sign in, no cookie is looked at, and whoever has no link can send no form.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scheduler.context import DeskContext
from scheduler.links import booking_token
from scheduler.rules.refusals import NotFound, OfferClosed, Refusal
from scheduler.store.engines import read, write
from scheduler.store.models import WaitingEntry
from scheduler.waiting import answering
from web.app import now
from web.errors import message
from web.parts.refusing import NOTHING, Shown, show
from web.parts.waiting import offer_view, say_range

waiting = Blueprint("waiting", __name__, url_prefix="/waiting")


@waiting.after_request
def keep_secret(response: Response) -> Response:
    """The address is the key: no search engine lists it, no other site is told it, no cache keeps it."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


@waiting.get("/offer/<token>")
def ask(token: str) -> ResponseReturnValue:
    """The slot, until when it is kept, and two buttons. Raises NotFound."""
    return _page(token)


@waiting.post("/offer/<token>")
def answer(token: str) -> ResponseReturnValue:
    """Take it, or with answer=decline leave it to the next. Raises NotFound."""
    service: Any = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            desk, offer = service.desk(session), answering.offer_of(session, token)
            if request.form.get("answer") == "decline":
                answering.decline(session, desk, now(), offer)
                target = url_for("waiting.ask", token=token)
            else:
                made = answering.accept(session, desk, now(), offer)
                link = booking_token(desk.installation.keys.link, made.uid)
                target = url_for("customer.managing.page", token=link)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(token, show([refusal]))
    return redirect(target, 303)


@waiting.get("/leave/<token>")
def ask_leave(token: str) -> ResponseReturnValue:
    """What is waited for, and the button. Raises NotFound."""
    service: Any = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        return _leave_page(answering.entry_by_link(session, service.desk(session), token))


@waiting.post("/leave/<token>")
def leave(token: str) -> ResponseReturnValue:
    """Wait no longer; also the mail program's one click (RFC 8058). Raises NotFound."""
    service: Any = current_app.extensions["ventana"]
    with write(service.sessions) as session:
        return _leave_page(answering.leave_by_link(session, service.desk(session), now(), token))


def _leave_page(entry: WaitingEntry) -> str:
    return render_template(
        "public/leave_list.html", entry=entry, days=say_range(entry), system=entry.access_point.system.name
    )


def _page(token: str, shown: Shown = NOTHING) -> ResponseReturnValue:
    service: Any = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        view = _view(session, service.desk(session), token, now())
    if view["state"] == "open":
        return render_template("public/offer.html", it=view, closed=None, shown=shown), shown.status
    closed = message(OfferClosed(view["state"]))
    return render_template("public/offer.html", it=view, closed=closed, shown=NOTHING), 410


def _view(session: Session, desk: DeskContext, token: str, at: datetime) -> dict[str, Any]:
    return offer_view(desk.installation, answering.offer_of(session, token), at)
