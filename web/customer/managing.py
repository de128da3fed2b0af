"""The page of one booking, reached by its secret link: no sign-in, whoever has the link may change or cancel."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.bookings import approving
from scheduler.bookings import booking as bookings
from scheduler.calendars.invite import booking_ics
from scheduler.checks import pins, planning
from scheduler.context import DeskContext
from scheduler.links import token_hash
from scheduler.rules.refusals import NotFound, Refusal, TooManyTries
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Check
from web import i18n
from web.app import now
from web.customer.checking import picture_url
from web.customer.journey import ID
from web.customer.timeline import timeline_view
from web.i18n import language
from web.parts.check_view import Place, check_view
from web.parts.live import Drawn, stream
from web.parts.refusing import NOTHING, Shown, show
from web.parts.slots import instant, written
from web.security import current_person

blueprint = Blueprint("managing", __name__, url_prefix="/a/<token>")
CHANGEABLE = ("pending", "confirmed")


def keep_secret(response: Response) -> Response:
    """The address is the key: no search engine lists it, no other site is told it, no cache keeps it."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


blueprint.after_request(keep_secret)


@blueprint.get("")
def page(token: str) -> ResponseReturnValue:
    """When, with whom, and whether the access works."""
    return _page(token)


@blueprint.get("/intervencion.ics")
def calendar(token: str) -> ResponseReturnValue:
    """The booking for the customer's calendar (RFC 5545)."""
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        body = booking_ics(session, service.desk(session), find(session, token), language())
    headers = {"Content-Disposition": 'attachment; filename="intervencion.ics"'}
    return Response(body, mimetype="text/calendar", headers=headers)


@blueprint.get("/cancel")
def ask_cancel(token: str) -> ResponseReturnValue:
    """A page of its own: cancelling is not a slip of the finger."""
    return _cancel_page(token)


@blueprint.post("/cancel")
def cancel(token: str) -> ResponseReturnValue:
    """Cancel, if the booking still is what the page showed."""
    service = current_app.extensions["ventana"]
    try:
        with write(service.sessions) as session:
            row, seen = find(session, token), request.form.get("rev", "")
            rev = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
            bookings.cancel(session, service.desk(session), now(), holder(row), row.id, rev)
    except NotFound:
        raise
    except Refusal as refusal:
        return _cancel_page(token, show([refusal]))
    return redirect(url_for("customer.managing.page", token=token), 303)


@blueprint.post("/check")
def ask_check(token: str) -> ResponseReturnValue:
    """Test the access again now."""
    back = url_for("customer.managing.page", token=token)
    try:
        with write(current_app.extensions["ventana"].sessions) as session:
            row = find(session, token)
            if testable(row):
                planning.ask(session, now(), holder(row), row.access_point, row)
    except TooManyTries as refusal:
        return redirect(f"{back}?wait={written(refusal.retry_at)}", 303)
    return redirect(f"{back}#access", 303)


@blueprint.post("/host-key")
def confirm_host_key(token: str) -> ResponseReturnValue:
    """The host key is theirs: pinned, and the access tested again with it."""
    with write(current_app.extensions["ventana"].sessions) as session:
        row = find(session, token)
        point = row.access_point
        pins.confirm(session, point, request.form.get("fingerprint", ""), holder(row), now())
        session.expire(point, ["pins"])
        try:
            if testable(row):
                planning.ask(session, now(), holder(row), point, row)
        except TooManyTries:
            current_app.logger.info("host key of access point %s confirmed, not tested again now", point.id)
    return redirect(url_for("customer.managing.page", token=token) + "#access", 303)


@blueprint.get(f"/check/<{ID}:check_id>/events")
def events(token: str, check_id: int) -> ResponseReturnValue:
    """The steps of a running check of this booking as they end (text/event-stream)."""
    locale = language()

    def draw(session: Session, desk: DeskContext) -> Drawn:
        row, check = find(session, token), session.get(Check, check_id)
        if check is None or check.booking_id != row.id:
            raise NotFound("check")
        view = check_view(session, desk, check, row.access_point, _place(token, row), locale)
        return Drawn(view, over=check.state not in ("planned", "running"))

    return stream(check_id, draw)


def find(session: Session, token: str) -> Booking:
    """The booking of this link. Raises NotFound for a wrong one and for a slot that is only held."""
    row = session.scalar(select(Booking).where(Booking.link_hash == token_hash(token)))
    if row is None or row.status == "held":
        raise NotFound("booking")
    return row


def holder(row: Booking) -> Actor:
    """Who acts by the link: somebody of the customer, we cannot tell who."""
    return Actor("customer", 0, "link", row.customer_id)


def testable(row: Booking) -> bool:
    """A test still helps: the session is ahead or under way."""
    return row.status in (*CHANGEABLE, "in_session") and now() < row.ends_at


def changeable(row: Booking) -> bool:
    """It can still be moved or cancelled."""
    return row.status in CHANGEABLE and now() < row.starts_at


def booking_view(desk: DeskContext, row: Booking) -> dict[str, Any]:
    """What the pages of a booking say of it, on the clock it was booked on."""
    zone = ZoneInfo(row.wall_zone)
    free_until = row.starts_at - timedelta(minutes=desk.conditions.cancel_free_until_minutes)
    return {
        "status": row.status,
        "rev": row.rev,
        "title": f"{i18n.say_moment(row.starts_at, zone)}–{i18n.say_time(row.ends_at, zone)}",
        "zone": i18n.say_zone(zone, row.starts_at),
        "technician": row.technician.name,
        "system": row.system.name,
        "platform": row.system.platform,
        "method": row.access_point.method,
        "address": f"{row.access_point.host}:{row.access_point.port}",
        "company": row.customer.company,
        "description": row.description,
        "override": row.override_reason,
        "free_until": i18n.say_moment(free_until, zone),
        "is_free": now() <= free_until,
        "changeable": changeable(row),
        "unanswered": desk.conditions.approval.unanswered,
        "decide_by": i18n.say_moment(approving.deadline(desk, row), zone)
        if row.status == "pending"
        else None,
        "testable": testable(row),
        "mails": [contact.email for contact in row.customer.contacts],
        "used": i18n.say_hours(row.minutes_used) if row.minutes_used is not None else None,
        "balance": i18n.say_hours(row.entitlement.balance_minutes) if row.entitlement.metered else None,
        "note": row.session_note,
    }


def _place(token: str, row: Booking) -> Place:
    return Place(
        ask=url_for("customer.managing.ask_check", token=token),
        confirm=url_for("customer.managing.confirm_host_key", token=token),
        here=url_for("customer.managing.page", token=token) + "#access",
        edit=None,
        events=lambda check_id: url_for("customer.managing.events", token=token, check_id=check_id),
        kind=row.entitlement.kind,
        picture=picture_url,
        shows_picture=_is_theirs(row),
    )


def _is_theirs(row: Booking) -> bool:
    """Somebody of the customer has signed in: the link alone shows no screen, since mails are passed on."""
    person = current_person()
    return person is not None and person.actor.customer_id == row.customer_id


def _page(token: str) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        desk, row = service.desk(session), find(session, token)
        checks = planning.timeline(session, row)
        begun = [check for check in checks if check.state != "planned" or check.stage == "on_demand"]
        last = max(begun, key=lambda check: check.id, default=None)
        facts = {
            "token": token,
            "it": booking_view(desk, row),
            "decision": approving.decision_of(session, row.id) if not changeable(row) else None,
            "check": check_view(session, desk, last, row.access_point, _place(token, row), language()),
            "timeline_entries": timeline_view(session, desk, row, checks),
            "wait": instant(request.args.get("wait", "")),
        }
    return render_template("customer/confirmed.html", **facts)


def _cancel_page(token: str, shown: Shown = NOTHING) -> ResponseReturnValue:
    service = current_app.extensions["ventana"]
    with read(service.sessions) as session:
        view = booking_view(service.desk(session), find(session, token))
    return render_template("customer/cancel.html", token=token, it=view, shown=shown), shown.status
