"""Answers in XML, written as text: ten thousand events are as many lines, and a tree of them would cost seconds."""

import gzip
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from xml.sax.saxutils import escape, quoteattr

from flask import Response, request

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
SERVER = "http://calendarserver.org/ns/"
APPLE = "http://apple.com/ns/ical/"
PREFIXES = {DAV: "d", CALDAV: "c", SERVER: "cs", APPLE: "a"}
HEAD = "<?xml version='1.0' encoding='utf-8'?>\n"
OPEN = "<d:multistatus " + " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in PREFIXES.items()) + ">"
CLOSE = "</d:multistatus>\n"
GZIP_FROM = 1024
GZIP_LEVEL = 1
"""Higher levels only cost CPU: answers repeat themselves so much that the first finds it all."""
ALLOWED = "OPTIONS, GET, HEAD, PROPFIND, REPORT"
CLASSES = "1, 3, access-control, calendar-access"
"""What we are to clients. No calendar-auto-schedule: nobody is invited through here."""


def element(name: str, inner: str = "") -> str:
    """An element by its name in braces notation ("{DAV:}href"); `inner` is XML already."""
    uri, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
    prefix = PREFIXES.get(uri)
    if prefix:
        tag, opening = f"{prefix}:{local}", f"{prefix}:{local}"
    elif uri:
        tag, opening = f"x:{local}", f"x:{local} xmlns:x={quoteattr(uri)}"
    else:
        tag = opening = local
    return f"<{opening}>{inner}</{tag}>" if inner else f"<{opening}/>"


def href(path: str) -> str:
    """A DAV:href."""
    return element("{DAV:}href", escape(path))


def propstat(inner: str, status: HTTPStatus = HTTPStatus.OK) -> str:
    """Properties that share a fate."""
    return f"<d:propstat><d:prop>{inner}</d:prop><d:status>{line(status)}</d:status></d:propstat>"


def line(status: HTTPStatus) -> str:
    """The status as DAV:status says it."""
    return f"HTTP/1.1 {status.value} {status.phrase}"


def missing(path: str) -> str:
    """The answer about something that is not, or no longer, there."""
    return f"<d:response>{href(path)}<d:status>{line(HTTPStatus.NOT_FOUND)}</d:status></d:response>"


def response(path: str, known: Mapping[str, str], unknown: Iterable[str]) -> str:
    """One resource: what it has, by name, and what it has not."""
    found = "".join(element(name, inner) for name, inner in known.items())
    absent = "".join(map(element, unknown))
    parts = propstat(found) if found or not absent else ""
    if absent:
        parts += propstat(absent, HTTPStatus.NOT_FOUND)
    return f"<d:response>{href(path)}{parts}</d:response>"


def calendar_text(content: bytes) -> str:
    """A calendar object inside an element. Its CR is written as a number, or XML would read CRLF as LF."""
    return escape(content.decode()).replace("\r", "&#13;")


def multistatus(parts: Iterable[str], ending: str = "") -> Response:
    """207 with one part for each resource; `ending` may hold a sync-token."""
    body = "".join((HEAD, OPEN, *parts, ending, CLOSE)).encode()
    answer = Response(status=207, content_type="application/xml; charset=utf-8")
    if minimal():
        answer.headers["Preference-Applied"] = "return=minimal"
    return compressed(answer, body)


def minimal() -> bool:
    """Whether the client wants to hear only of properties that are there (RFC 8144 §2.1)."""
    preferences = ",".join(request.headers.getlist("Prefer")).replace(" ", "").lower().split(",")
    return "return=minimal" in preferences or request.headers.get("Brief", "").lower() == "t"


def refused(condition: str, status: HTTPStatus = HTTPStatus.FORBIDDEN, inner: str = "") -> Response:
    """A refusal with the condition that was not met (RFC 4918 §16), by its name in braces notation."""
    uris = " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in PREFIXES.items())
    body = f"{HEAD}<d:error {uris}>{element(condition, inner)}</d:error>\n"
    return Response(body, status, content_type="application/xml; charset=utf-8")


def compressed(answer: Response, body: bytes) -> Response:
    """The answer with its body, made smaller where the client can read that and it is worth it."""
    answer.headers["Vary"] = "Accept-Encoding, Authorization"
    if len(body) >= GZIP_FROM and request.accept_encodings.quality("gzip") > 0:
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_data(body)
    return answer
