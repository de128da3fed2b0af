"""Who the program at the other end reads for: Basic authentication (RFC 7617) with an app password."""

import ipaddress
import logging
from http import HTTPStatus
from typing import Protocol, cast

from flask import Response, current_app, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from scheduler.calendars import app_passwords
from scheduler.calendars.app_passwords import WRONG_WINDOW, Subscriber
from scheduler.clock import Clock
from scheduler.context import Installation
from scheduler.store.engines import read, write
from web.gatekeeping import client_network

log = logging.getLogger(__name__)


class Desk(Protocol):
    """What these pages need of the running service."""

    @property
    def sessions(self) -> sessionmaker[Session]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def installation(self) -> Installation: ...


def service() -> Desk:
    """The running service."""
    return cast("Desk", current_app.extensions["ventana"])


def subscriber_or_refusal() -> Subscriber | Response:
    """Whom this request reads for, or the answer that sends it away.

    A right password is never slowed down by wrong ones from the same office. Wrong ones are counted, and when
    they cannot be counted, nobody comes in by them either: an error is an error, not an open door.
    """
    if not _private_line():
        return _said(
            HTTPStatus.FORBIDDEN,
            "CalDAV needs https. If a proxy speaks https for this service, set VENTANA_TRUSTED_PROXIES.",
        )
    given = request.authorization
    if given is None or given.type != "basic" or not given.password:
        return _who_are_you()
    desk = service()
    now = desk.clock()
    with read(desk.sessions) as session:
        found = app_passwords.sign_in(session, given.username or "", given.password, now)
        if found is None and app_passwords.too_many_wrong(session, client_network(), now):
            answer = _said(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords; try again later.")
            answer.headers["Retry-After"] = str(int(WRONG_WINDOW.total_seconds()))
            return answer
    if found is not None:
        if found.note_due:
            _note(desk, found)
        return found
    with write(desk.sessions) as session:
        app_passwords.count_wrong(session, client_network(), now)
    log.info("wrong app password from %s", client_network())
    return _who_are_you()


def _private_line() -> bool:
    """Whether nobody between us can read the password: https, or the same machine."""
    if request.is_secure:
        return True
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _note(desk: Desk, found: Subscriber) -> None:
    """Write down who was here; a locked database must not cost the client its calendar."""
    try:
        with write(desk.sessions) as session:
            agent = request.headers.get("User-Agent", "")
            app_passwords.note_use(session, found.device_id, agent, desk.clock())
    except OperationalError as error:
        log.warning("use of an app password not noted: %s", type(error.orig).__name__)


def _who_are_you() -> Response:
    answer = _said(
        HTTPStatus.UNAUTHORIZED,
        "Sign in with your e-mail address and an app password, which the subscribe card of your agenda makes.",
    )
    answer.headers["WWW-Authenticate"] = 'Basic realm="Ventana", charset="UTF-8"'
    return answer


def _said(status: HTTPStatus, text: str) -> Response:
    return Response(f"{text}\n", status, content_type="text/plain; charset=utf-8")
