"""The WSGI application: everything is put together here, and nothing happens at import."""

import importlib
import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import urlencode

from flask import Flask, Response, current_app, g, redirect, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.middleware.proxy_fix import ProxyFix

from scheduler.clock import Clock
from scheduler.context import DeskContext, Installation
from scheduler.rules.refusals import NotFound
from scheduler.settings import Settings
from scheduler.store.engines import read
from web import assets, errors, gatekeeping, i18n
from web.security import current_person

log = logging.getLogger(__name__)

BLUEPRINTS = (
    "web.public",
    "web.customer",
    "web.technician",
    "web.dispatcher",
    "web.api",
    "web.calendars",
    "web.caldav",
    "web.reminders",
    "web.waiting",
    "web.mailbox",
    "web.scraping",
)
"""Modules whose blueprint has the module's own name; each is imported only when the application is made."""

MAX_REQUEST_BYTES = 64 * 1024
FILE_ROUTES = {"dispatcher.imports.upload": 11 * 1024 * 1024, "customer.mailing.send": 11 * 1024 * 1024}
"""Endpoints that take files, with the bytes of their largest request; only for those whose pages they are."""
_DRAINED_BYTES = 16 * 1024 * 1024
THEMES = ("light", "dark")
_YEAR_SECONDS = 365 * 24 * 3600


class Service(Protocol):
    """What the web needs of the assembled service; it is kept in `app.extensions["ventana"]`."""

    @property
    def settings(self) -> Settings: ...
    @property
    def sessions(self) -> sessionmaker[Session]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def installation(self) -> Installation: ...
    def desk(self, session: Session) -> DeskContext: ...


def create_app(service: Service) -> Flask:
    """The application for one assembled service."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_REQUEST_BYTES,
        MAX_FORM_PARTS=200,
        BABEL_DEFAULT_LOCALE="es",
    )
    app.extensions["ventana"] = service
    app.extensions["ventana.desk"] = current_desk
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(desk=current_desk, here=here, theme=theme, service=service)
    app.before_request(_remember_choice)
    app.before_request(_allow_files)
    gatekeeping.guard(app)
    i18n.speak(app)
    errors.register(app)
    assets.serve_assets(app)
    app.wsgi_app = _draining(app.wsgi_app)  # type: ignore[method-assign]
    if service.settings.trusted_proxies:
        count = service.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    for name in BLUEPRINTS:
        _register(app, name)
    return app


def now() -> Any:
    """The service's clock: an aware UTC datetime."""
    return current_app.extensions["ventana"].clock()


def current_desk() -> DeskContext | None:
    """The desk, read once per request; None before one has been loaded or while the store is away."""
    if "desk" not in g:
        g.desk = None if g.get("failing") else _read_desk()
    desk: DeskContext | None = g.desk
    return desk


def _read_desk() -> DeskContext | None:
    service: Service = current_app.extensions["ventana"]
    try:
        with read(service.sessions) as session:
            return service.desk(session)
    except NotFound:
        return None
    except SQLAlchemyError:
        # The page that reports the trouble also shows the desk's name: it must not fail again.
        log.warning("the desk cannot be read", exc_info=True)
        return None


def here(**changes: str) -> str:
    """The address of this page with some query parameters changed; for the language and theme switches."""
    query = request.args.to_dict(flat=False) | {name: [value] for name, value in changes.items()}
    return "?" + urlencode(query, doseq=True)


def theme() -> str:
    """light, dark or auto (as the system says)."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else "auto"


def _remember_choice() -> Response | None:
    """?lang= and ?theme= set a cookie and lead to the same page without them, so that links stay clean."""
    allowed: dict[str, Iterable[str]] = {"lang": i18n.LOCALES, "theme": THEMES}
    chosen = {name: request.args[name] for name in allowed if name in request.args}
    if not chosen or request.method != "GET":
        return None
    rest = [(name, value) for name, value in request.args.items(multi=True) if name not in allowed]
    # One leading slash only: "//elsewhere" would be an address of another host.
    target = "/" + request.path.lstrip("/") + (f"?{urlencode(rest)}" if rest else "")
    response = redirect(target, 303)
    for name, value in chosen.items():
        if value in allowed[name]:
            secure = current_app.extensions["ventana"].settings.https
            response.set_cookie(
                name, value, max_age=_YEAR_SECONDS, samesite="Lax", httponly=True, secure=secure
            )
    return response  # type: ignore[return-value]  # werkzeug's Response is Flask's here


def _allow_files() -> None:
    """Before anything reads the form: a longer request where a file is expected, from somebody signed in."""
    limit = FILE_ROUTES.get(request.endpoint or "")
    person = current_person() if limit else None
    room = (request.endpoint or "").partition(".")[0]
    if person is not None and room == ("dispatcher" if person.staff else "customer"):
        request.max_content_length = limit


def _register(app: Flask, name: str) -> None:
    app.register_blueprint(getattr(importlib.import_module(name), name.rpartition(".")[2]))


def _draining(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Read away what a refused body still sends: else the connection is reset before the answer is read."""

    def drained(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = application(environ, start_response)
        length = environ.get("CONTENT_LENGTH", "")
        if length.isdigit() and MAX_REQUEST_BYTES < int(length) <= _DRAINED_BYTES:
            left = int(length)
            while left > 0 and (chunk := environ["wsgi.input"].read(min(left, 65536))):
                left -= len(chunk)
        return answer

    return drained
