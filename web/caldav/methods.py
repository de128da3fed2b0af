"""The addresses and what may be done at them: reading. Everything else is refused with 403."""

import functools
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from scheduler.calendars.app_passwords import Subscriber
from scheduler.calendars.collections import (
    content_of,
    etag_of,
    events,
    events_by_id,
    names_for,
    state_of,
)
from scheduler.calendars.conditional import Asked, is_fresh
from scheduler.rules.refusals import NotFound
from scheduler.store.engines import read
from web.caldav import properties as of
from web.caldav.asking import LARGEST_BODY, CannotAnswer, read_propfind, read_report
from web.caldav.devices import service, subscriber_or_refusal
from web.caldav.elements import ALLOWED, CLASSES, multistatus, refused
from web.caldav.reports import Scene, answer_report

log = logging.getLogger(__name__)
caldav = Blueprint("caldav", __name__)

P = ParamSpec("P")
READING = ("GET", "HEAD", "PROPFIND", "REPORT", "OPTIONS")
WRITING = (
    *("PUT", "DELETE", "POST", "PATCH", "PROPPATCH", "MKCALENDAR", "MKCOL"),
    *("COPY", "MOVE", "LOCK", "UNLOCK", "ACL", "BIND", "UNBIND", "REBIND"),
)
METHODS = [*READING, *WRITING]
ID = "int(max=999999999999999)"
OUT_OF_ORDER = "The calendars cannot be read at this moment.\n"

View = Callable[Concatenate[Session, Subscriber, P], Response]


@caldav.route("/.well-known/caldav", methods=METHODS, provide_automatic_options=False)
def begin() -> ResponseReturnValue:
    """Where clients look first (RFC 6764 §5)."""
    return redirect(of.ROOT, 301)


def place(rule: str) -> Callable[[View[P]], View[P]]:
    """A resource at this address: what holds for all of them stands here once."""

    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                answer = _answer(view, *args, **kwargs)
            except OperationalError as error:
                log.warning("CalDAV answered 503: the database failed: %s", type(error.orig).__name__)
                answer = Response(OUT_OF_ORDER, 503, {"Retry-After": "60"}, mimetype="text/plain")
            return _with_privacy(answer)

        caldav.add_url_rule(
            rule,
            view.__name__,
            guarded,
            methods=METHODS,
            strict_slashes=False,
            provide_automatic_options=False,
        )
        return view

    return decorate


def _answer(view: View[P], *args: P.args, **kwargs: P.kwargs) -> Response:
    if request.method == "OPTIONS":
        return Response(status=200, headers={"Allow": ALLOWED})
    person = subscriber_or_refusal()
    if isinstance(person, Response):
        return person
    if request.method in WRITING:
        return refused("{DAV:}need-privileges")
    try:
        with read(service().sessions) as session:
            return view(session, person, *args, **kwargs)
    except NotFound:
        return Response("Not Found\n", 404, mimetype="text/plain")
    except CannotAnswer as refusal:
        return refused(refusal.condition, refusal.status, refusal.inner)
    except RequestEntityTooLarge:
        text = f"A request may have {LARGEST_BODY // 1024} KiB.\n"
        return Response(text, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, mimetype="text/plain")


def _with_privacy(answer: Response) -> Response:
    answer.headers["DAV"] = CLASSES
    answer.headers.setdefault("Cache-Control", "private, max-age=0, must-revalidate")
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _body() -> bytes:
    """The request's body, up to 1 MiB. Raises RequestEntityTooLarge."""
    request.max_content_length = LARGEST_BODY
    return request.get_data(cache=False)


def _depth() -> str:
    """0 or 1. Raises CannotAnswer for infinity, which a missing header means too (RFC 4918 §9.1)."""
    depth = request.headers.get("Depth", "infinity").strip()
    if depth not in ("0", "1"):
        raise CannotAnswer("{DAV:}propfind-finite-depth")
    return depth


def _own(person: Subscriber, technician_id: int) -> None:
    """Raises NotFound for what belongs to others: it looks like nothing at all."""
    if technician_id != person.id:
        raise NotFound("calendar")


def _folder(path: str, have: of.Properties) -> Response:
    """A collection without calendars in it: PROPFIND, and words for a browser."""
    if request.method in ("GET", "HEAD"):
        text = "This address is for calendar programs (CalDAV).\n"
        return Response(text, HTTPStatus.FORBIDDEN, mimetype="text/plain")
    if request.method == "REPORT":
        raise CannotAnswer("{DAV:}supported-report")
    _depth()
    return multistatus([of.describe(path, read_propfind(_body()), have)])


@place("/dav/")
def root(_session: Session, person: Subscriber) -> Response:
    """Who reads, and where to go on."""
    return _folder(of.ROOT, of.root_properties(person))


@place(f"/dav/principals/<{ID}:technician_id>/")
def principal(_session: Session, person: Subscriber, technician_id: int) -> Response:
    """The person, and where the calendars are."""
    _own(person, technician_id)
    return _folder(of.principal_path(person), of.principal_properties(person))


@place(f"/dav/calendars/<{ID}:technician_id>/")
def home(session: Session, person: Subscriber, technician_id: int) -> Response:
    """The folder of calendars; with Depth 1 also what is in it."""
    _own(person, technician_id)
    if request.method != "PROPFIND" or _depth() == "0":
        return _folder(of.home_path(person), of.home_properties(person))
    wanted = read_propfind(_body())
    parts = [of.describe(of.home_path(person), wanted, of.home_properties(person))]
    for name in names_for(person):
        have = of.calendar_properties(person, state_of(session, person, name, service().clock()))
        parts.append(of.describe(of.calendar_path(person, name), wanted, have))
    return multistatus(parts)


@place(f"/dav/calendars/<{ID}:technician_id>/<name>/")
def calendar(session: Session, person: Subscriber, technician_id: int, name: str) -> Response:
    """A calendar: its properties, with Depth 1 those of its events, and the reports."""
    _own(person, technician_id)
    state = state_of(session, person, name, service().clock())
    if request.method == "REPORT":
        return answer_report(Scene(session, person, state), read_report(_body()))
    have, path = of.calendar_properties(person, state), of.calendar_path(person, name)
    if request.method != "PROPFIND" or _depth() == "0":
        return _folder(path, have)
    wanted = read_propfind(_body())
    found = events(session, state, content=of.needs_content(wanted))
    return multistatus([of.describe(path, wanted, have), *of.describe_events(path, wanted, found)])


@place(f"/dav/calendars/<{ID}:technician_id>/<name>/<{ID}:booking_id>.ics")
def event(session: Session, person: Subscriber, technician_id: int, name: str, booking_id: int) -> Response:
    """One event: its bytes, or nothing when the client has them."""
    _own(person, technician_id)
    state = state_of(session, person, name, service().clock())
    found = events_by_id(session, state, [booking_id], content=True).get(booking_id)
    if found is None:
        raise NotFound("booking")
    if request.method == "REPORT":
        raise CannotAnswer("{DAV:}supported-report")
    if request.method == "PROPFIND":
        _depth()
        path = of.calendar_path(person, name)
        return multistatus(of.describe_events(path, read_propfind(_body()), [found]))
    # Never compressed: the tag must be the one that listings tell, and another encoding would need another.
    answer = Response(status=200, content_type=of.EVENT_KIND)
    answer.headers["ETag"] = etag_of(found)
    if is_fresh(Asked(request.headers.get("If-None-Match")), etag_of(found), None):
        answer.status_code = HTTPStatus.NOT_MODIFIED
    else:
        answer.set_data(content_of(found))
    return answer


@place("/dav/<path:_elsewhere>")
def elsewhere(_session: Session, _person: Subscriber, _elsewhere: str) -> Response:
    """Nothing is here. Raises NotFound."""
    raise NotFound("calendar")
