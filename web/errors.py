"""What people and programs are told when something is refused or breaks: one table, two languages."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from scheduler.rules import refusals as r
from web.gatekeeping import StaleForm
from web.i18n import gettext as _
from web.words.refusals import TABLE, Words, forbidden, missing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """A refusal said to a person: what it is about, what happened, what to do; `field` is the input to blame."""

    title: str
    text: str
    remedy: str = ""
    field: str | None = None


def message(refusal: r.Refusal) -> Message:
    """The refusal in the reader's language and time zone."""
    title, text, remedy = TABLE[type(refusal)].words(refusal)
    return Message(title, text, remedy, refusal.field)


def status_of(refusal: r.Refusal) -> int:
    """The HTTP status that goes with a refusal."""
    return TABLE[type(refusal)].status


def refused(refusal: r.Refusal) -> tuple[Message, int]:
    """Message and status for a page that shows the form again; writes the log line."""
    status = status_of(refusal)
    log.info("refused %s %s: %s", request.method, request.path, refusal)
    return message(refusal), status


def problem(refusal: r.Refusal) -> Response:
    """The refusal as a problem document (RFC 9457), with instants in ISO 8601 UTC."""
    said, status = refused(refusal)
    response = _problem_document(
        status, refusal.code, said.title, f"{said.text} {said.remedy}".strip(), refusal.field, refusal.facts
    )
    if isinstance(refusal, r.TooManyTries):
        response.headers["Retry-After"] = _retry_after(refusal)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="ventana"'
    return response


def register(app: Flask) -> None:
    """Put the table between the views and the world."""
    app.register_error_handler(r.Refusal, _on_refusal)
    app.register_error_handler(HTTPException, _on_http)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(away, _on_store_away)


def _for_programs() -> bool:
    return request.blueprint == "api" or request.path.startswith("/api/")


def _on_refusal(refusal: r.Refusal) -> ResponseReturnValue:
    if _for_programs():
        return problem(refusal)
    said, status = refused(refusal)
    headers = {"Retry-After": _retry_after(refusal)} if isinstance(refusal, r.TooManyTries) else {}
    # htmx puts the answer into a part of a page: a whole page would nest inside it.
    part = request.headers.get("HX-Request-Type") == "partial"
    return render_template("errors/part.html" if part else "errors/page.html", said=said), status, headers


def _on_store_away(error: Exception) -> ResponseReturnValue:
    """While the database is away one line for each request is enough; a traceback each would bury the cause."""
    log.error(
        "the database does not answer: %s", str(getattr(error, "orig", error)).strip().partition("\n")[0]
    )
    answer = current_app.make_response(_on_http(ServiceUnavailable()))
    answer.headers["Retry-After"] = "10"
    return answer


def _on_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()  # a redirect of the router
    if status >= 500:
        g.failing = True  # the page must not ask the store again: it may be what broke
        g.reference = secrets.token_hex(4)
        log.error("answered %s to %s %s, reference %s", status, request.method, request.path, g.reference)
    title, text, remedy = _words_for(error, status)
    if _for_programs():
        code = error.name.lower().replace(" ", "_")
        return _problem_document(status, code, title, f"{text} {remedy}".strip(), None, {})
    said = Message(title, text, remedy)
    part = request.headers.get("HX-Request-Type") == "partial"
    page = render_template("errors/part.html" if part else "errors/page.html", said=said)
    headers = {"Allow": ", ".join(error.valid_methods or ())} if status == 405 else {}  # type: ignore[attr-defined]
    return page, status, headers


def _problem_document(
    status: int, code: str, title: str, detail: str, field: str | None, facts: Mapping[str, Any]
) -> Response:
    document = {
        "type": f"urn:ventana:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "facts": _plain(facts),
    }
    if field:
        document["field"] = field
    response = jsonify(document)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _retry_after(refusal: r.TooManyTries) -> str:
    now = current_app.extensions["ventana"].clock()
    return str(max(1, int((refusal.retry_at - now).total_seconds())))


def _words_for(error: HTTPException, status: int) -> Words:
    if isinstance(error, StaleForm):
        return (
            _("This form is no longer valid"),
            _("The page was open for long, or you signed in again in another window. Nothing was saved."),
            _("Go back, reload the page and send it again."),
        )
    words = _HTTP_WORDS.get(status)
    if words is not None:
        return words()
    if status >= 500:
        return (
            _("Something broke on our side"),
            _("Nothing was saved. The error is in our log as %(reference)s.", reference=g.reference),
            _("Try again in a few minutes; if it happens again, call us and give that reference."),
        )
    return (
        _("We cannot answer that"),
        _("The request could not be understood."),
        _("Go back and try again."),
    )


_HTTP_WORDS: Mapping[int, Callable[[], Words]] = {
    503: lambda: (
        _("Our database does not answer at the moment"),
        _("We cannot tell whether your last step was saved."),
        _("Wait a minute, then look at your booking before you do it again."),
    ),
    403: forbidden,
    404: missing,
    405: lambda: (
        _("This address cannot do that"),
        _("The page was opened in a way it does not know."),
        _("Start again from the first page."),
    ),
    410: lambda: (
        _("This link has ended"),
        _("It worked once, but was withdrawn or replaced."),
        _("Look for a newer e-mail from us, or start again from the first page."),
    ),
    413: lambda: (
        _("That is too long"),
        _("We received more than a form may hold: 64 KB of text, or a file of 10 MB. Nothing was saved."),
        _("Go back and shorten the text or send a smaller file; long logs can wait for the session."),
    ),
}
