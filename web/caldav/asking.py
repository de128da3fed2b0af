"""What a client asks for: its XML, read with limits. Nothing here knows a calendar.

defusedxml refuses document types before an entity can be declared, so no body grows while it is read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from web.caldav.elements import CALDAV, DAV

LARGEST_BODY = 1024 * 1024
"""Ten thousand addresses of a multiget are 0.6 MB."""
MOST_NAMES = 200
"""Properties that one request may name; clients ask for about thirty."""
UTC_FORM = "%Y%m%dT%H%M%SZ"

Everything = Literal["allprop", "propname"]


class CannotAnswer(Exception):
    """A body that is not what its method takes: `condition` and status say why (RFC 4918 §16)."""

    def __init__(self, condition: str, status: HTTPStatus = HTTPStatus.FORBIDDEN, inner: str = "") -> None:
        self.condition = condition
        self.status = status
        self.inner = inner
        super().__init__(condition)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Property names in braces notation, in the client's order; or everything, or only the names."""

    names: tuple[str, ...] = ()
    everything: Everything | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A calendar-query: a time, a UID, or neither; `nothing` when it asks for what we never have."""

    start: datetime | None = None
    end: datetime | None = None
    by_time: bool = False
    uid: str | None = None
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The body of a REPORT: which one, the properties wanted, and the element itself."""

    kind: str
    wanted: Wanted
    hrefs: tuple[str, ...] = field(default=(), repr=False)
    element: Element | None = field(default=None, repr=False)


def tree_of(body: bytes) -> Element | None:
    """The root element; None without a body. Raises CannotAnswer for what is not XML, or has a document type."""
    if not body.strip():
        return None
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise CannotAnswer("{DAV:}valid-xml", HTTPStatus.BAD_REQUEST) from None
    return root


def read_propfind(body: bytes) -> Wanted:
    """RFC 4918 §9.1: no body asks for everything. Raises CannotAnswer."""
    root = tree_of(body)
    if root is None:
        return Wanted(everything="allprop")
    if root.tag != f"{{{DAV}}}propfind":
        raise CannotAnswer("{DAV:}valid-xml", HTTPStatus.BAD_REQUEST)
    return _wanted(root)


def read_report(body: bytes) -> Report:
    """Which report, what for. Raises CannotAnswer."""
    root = tree_of(body)
    if root is None:
        raise CannotAnswer("{DAV:}valid-xml", HTTPStatus.BAD_REQUEST)
    hrefs = tuple((found.text or "").strip() for found in root.findall(f"{{{DAV}}}href"))
    return Report(str(root.tag), _wanted(root), hrefs, root)


def _wanted(root: Element) -> Wanted:
    if root.find(f"{{{DAV}}}propname") is not None:
        return Wanted(everything="propname")
    listed = root.find(f"{{{DAV}}}prop")
    if listed is None:
        return Wanted(everything="allprop")
    names = tuple(dict.fromkeys(str(found.tag) for found in listed))
    if len(names) > MOST_NAMES:
        raise CannotAnswer("{DAV:}number-of-properties-within-limits")
    for data in listed.findall(f"{{{CALDAV}}}calendar-data"):
        kind, version = data.get("content-type", "text/calendar"), data.get("version", "2.0")
        if (kind.lower(), version) != ("text/calendar", "2.0"):
            raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}supported-calendar-data")
    return Wanted(names)


def read_search(report: Report) -> Search:
    """The filter of a calendar-query (RFC 4791 §9.7): VCALENDAR, in it VEVENT by time or UID.

    Raises CannotAnswer(supported-filter) for filters on other properties, valid-filter for unreadable ones.
    """
    root = report.element
    outer = root.find(f"{{{CALDAV}}}filter/{{{CALDAV}}}comp-filter") if root is not None else None
    if outer is None or outer.get("name", "").upper() != "VCALENDAR":
        raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}valid-filter")
    inner = outer.findall(f"{{{CALDAV}}}comp-filter")
    if _other_children(outer, "comp-filter"):
        raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}supported-filter")
    searches = [_of_component(component) for component in inner]
    if len(searches) > 1 and not any(search.nothing for search in searches):
        raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}supported-filter")
    return next((search for search in searches if search.nothing), searches[0] if searches else Search())


def _of_component(component: Element) -> Search:
    absent = component.find(f"{{{CALDAV}}}is-not-defined") is not None
    is_event = component.get("name", "").upper() == "VEVENT"
    if is_event == absent:
        return Search(nothing=True)  # no to-dos here, and no object without an event
    if not is_event:
        return Search()
    if _other_children(component, "time-range", "prop-filter"):
        raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}supported-filter")
    span = component.find(f"{{{CALDAV}}}time-range")
    start, end = (
        (_instant(span.get("start")), _instant(span.get("end"))) if span is not None else (None, None)
    )
    if span is not None and (start is end is None or (start and end and end <= start)):
        raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}valid-filter")
    return Search(start, end, span is not None, _uid(component.findall(f"{{{CALDAV}}}prop-filter")))


def _other_children(element: Element, *known: str) -> bool:
    names = {f"{{{CALDAV}}}{name}" for name in known}
    return any(child.tag not in names for child in element)


def _uid(filters: Iterable[Element]) -> str | None:
    """The UID looked for by a text-match, which is how clients ask for one event."""
    uid = None
    for found in filters:
        match = found.find(f"{{{CALDAV}}}text-match")
        plain = len(found) == 1 and match is not None and match.get("negate-condition", "no") == "no"
        if found.get("name", "").upper() != "UID" or match is None or not plain or uid is not None:
            raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}supported-filter")
        uid = match.text or ""
    return uid


def _instant(text: str | None) -> datetime | None:
    """A moment in UTC; RFC 4791 §9.9 takes no other. Raises CannotAnswer(valid-filter)."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, UTC_FORM).replace(tzinfo=UTC)
    except ValueError:
        raise CannotAnswer("{urn:ietf:params:xml:ns:caldav}valid-filter") from None


def texts(report: Report, *names: str) -> Iterator[str | None]:
    """What stands in these DAV elements below the report's root; None where one is missing."""
    for name in names:
        found = report.element.find(f"{{{DAV}}}{name}") if report.element is not None else None
        yield None if found is None else (found.text or "").strip()
