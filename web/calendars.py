"""Calendar feeds over HTTP: /cal/<secret>/intervenciones.ics and freebusy.ifb, for clients that never sign in.

A poll is answered even when the database does not: clients read 401, 403 and 5xx as "switch this calendar
off". The secret in the path is all the protection there is, so it must not reach a log or a Referer.
"""

import gzip
import logging
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Protocol, cast

from flask import Blueprint, Response, current_app, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from scheduler.calendars.conditional import Asked, is_fresh
from scheduler.calendars.feed import FILES, Feed, Sources, note_reader, read_feed
from scheduler.calendars.secrets import hash_secret
from scheduler.clock import Clock
from scheduler.store.engines import read, write
from web.kept_bodies import KeptBodies, KeptBody
from web.log_lines import HideFeedSecrets, hide_feed_secret

__all__ = ["HideFeedSecrets", "calendars", "hide_feed_secret"]

log = logging.getLogger(__name__)
calendars = Blueprint("calendars", __name__)

GZIP_LEVEL = 1
"""Calendars shrink to a tenth at any level; the others only cost CPU."""
KEPT_BYTES = 8 * 1024 * 1024
"""Hundreds of calendars fit, since an ordinary one has a few kilobytes."""


class Desk(Protocol):
    """What this blueprint needs of the running service."""

    @property
    def sessions(self) -> sessionmaker[Session]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def calendar_sources(self) -> Sources: ...


@calendars.record_once
def _make_room(state: object) -> None:
    state.app.extensions["ventana.kept_bodies"] = KeptBodies(KEPT_BYTES)  # type: ignore[attr-defined]  # untyped in Flask


@calendars.get(f"/cal/<secret>/<any({', '.join(map(repr, FILES))}):file>")
def calendar(secret: str, file: str) -> Response:
    """The feed: 200 or 304; 404 for an unknown secret, 410 for a revoked one, after which clients give up."""
    # Flask writes request.path into the log when something below fails.
    request.path = hide_feed_secret(request.path)
    service, bodies, address = _service(), _bodies(), hash_secret(secret)
    now = service.clock()
    asked = Asked(request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since"))
    kept = partial(bodies.packed, address)
    try:
        with read(service.sessions) as session:
            feed = read_feed(session, secret, now, asked, service.calendar_sources, file, kept)
    except OperationalError as error:
        return _without_database(error, asked, bodies.last(address))
    if feed.note_for is not None:
        _note(service, feed, now)
    if feed.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        bodies.forget(address)
        return _plain(HTTPStatus(feed.status))
    if feed.status == HTTPStatus.OK:
        packed = feed.packed or gzip.compress(feed.body, GZIP_LEVEL, mtime=0)
        bodies.keep(address, KeptBody(feed.etag, feed.last_modified, packed))
        return _whole(feed.etag, feed.last_modified, packed, feed.body)
    return _described(Response(status=HTTPStatus.NOT_MODIFIED), feed.etag, feed.last_modified)


def _service() -> Desk:
    return cast("Desk", current_app.extensions["ventana"])


def _bodies() -> KeptBodies:
    return cast("KeptBodies", current_app.extensions["ventana.kept_bodies"])


def _note(service: Desk, feed: Feed, now: datetime) -> None:
    """Write down who read; a locked database must not cost the client its calendar."""
    assert feed.note_for is not None  # noqa: S101 - the caller looked
    reader = request.headers.get("User-Agent", "")
    try:
        with write(service.sessions) as session:
            note_reader(session, feed.note_for, reader, now, feed.left_out)
    except OperationalError as error:
        log.warning("calendar reader not noted: %s", type(error.orig).__name__)


def _without_database(error: OperationalError, asked: Asked, last: KeptBody | None) -> Response:
    """What the client has or last got: with 5xx Thunderbird would switch the calendar off for good.

    Raises the error where there is neither: an empty calendar would be a lie that clients believe.
    """
    failed = type(error.orig).__name__
    if last is not None and not is_fresh(asked, last.etag, last.last_modified):
        log.warning("calendar poll answered with the last body because the database failed: %s", failed)
        return _whole(last.etag, last.last_modified, last.packed)
    if last is None and not asked.conditional:
        raise error
    log.warning("calendar poll answered 304 because the database failed: %s", failed)
    return _with_privacy(Response(status=HTTPStatus.NOT_MODIFIED))


def _plain(status: HTTPStatus) -> Response:
    return _with_privacy(Response(f"{status.phrase}\n", status, mimetype="text/plain"))


def _whole(etag: str, last_modified: datetime | None, packed: bytes, plain: bytes = b"") -> Response:
    response = Response(status=HTTPStatus.OK, content_type="text/calendar; charset=utf-8")
    if _gzip_accepted():
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.set_data(plain or gzip.decompress(packed))
    return _described(response, etag, last_modified)


def _described(response: Response, etag: str, last_modified: datetime | None) -> Response:
    # Two encodings are two representations: a strong tag may not be the same for both (RFC 9110 §8.8.3).
    response.headers["ETag"] = f'{etag[:-1]}-gz"' if _gzip_accepted() else etag
    response.headers["Vary"] = "Accept-Encoding"
    response.content_type = "text/calendar; charset=utf-8"
    response.last_modified = last_modified
    return _with_privacy(response)


def _gzip_accepted() -> bool:
    return request.accept_encodings.quality("gzip") > 0


def _with_privacy(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, max-age=0, must-revalidate"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
