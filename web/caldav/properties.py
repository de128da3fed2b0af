"""What our resources say of themselves: each property by its name in braces notation, as XML.

Who asks for nothing in particular gets the cheap ones; a property that a resource does not have is a 404 in
its propstat, as RFC 4918 §9.1 wants it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from xml.sax.saxutils import escape

from scheduler.calendars.app_passwords import Subscriber
from scheduler.calendars.collections import OWN, Event, content_of, etag_of, object_bytes
from scheduler.calendars.sync import State
from scheduler.calendars.words import words
from web.caldav.asking import Wanted
from web.caldav.elements import (
    APPLE,
    CALDAV,
    DAV,
    SERVER,
    calendar_text,
    element,
    href,
    minimal,
    propstat,
    response,
)

ROOT = "/dav/"
EVENT_KIND = "text/calendar; charset=utf-8; component=vevent"
Properties = Mapping[str, Callable[[], str]]

DISPLAYNAME = f"{{{DAV}}}displayname"
RESOURCETYPE = f"{{{DAV}}}resourcetype"
GETETAG = f"{{{DAV}}}getetag"
CALENDAR_DATA = f"{{{CALDAV}}}calendar-data"
DEAR = frozenset(
    {CALENDAR_DATA, f"{{{DAV}}}getcontentlength", f"{{{CALDAV}}}calendar-timezone", f"{{{DAV}}}acl"}
)
"""Left out of "all properties" (RFC 4791 §5.2): they cost more than they tell."""
COLOURS = {OWN: "#2B5CE6FF", "team": "#0B7A75FF"}
READ_ONLY = "".join(
    element(f"{{{DAV}}}privilege", element(f"{{{DAV}}}{name}"))
    for name in ("read", "read-current-user-privilege-set")
)
"""Thunderbird and DAVx⁵ take a calendar for read-only by it."""
REPORTS = (
    f"{{{CALDAV}}}calendar-query",
    f"{{{CALDAV}}}calendar-multiget",
    f"{{{DAV}}}sync-collection",
)


def principal_path(person: Subscriber) -> str:
    """Where the person is."""
    return f"{ROOT}principals/{person.id}/"


def home_path(person: Subscriber) -> str:
    """Where the person's calendars are."""
    return f"{ROOT}calendars/{person.id}/"


def calendar_path(person: Subscriber, name: str) -> str:
    """Where one of them is."""
    return f"{home_path(person)}{name}/"


def _everywhere(person: Subscriber) -> dict[str, Callable[[], str]]:
    return {
        f"{{{DAV}}}current-user-principal": lambda: href(principal_path(person)),
        f"{{{DAV}}}principal-URL": lambda: href(principal_path(person)),
        f"{{{DAV}}}principal-collection-set": lambda: href(f"{ROOT}principals/"),
        f"{{{DAV}}}owner": lambda: href(principal_path(person)),
        f"{{{DAV}}}current-user-privilege-set": lambda: READ_ONLY,
        f"{{{CALDAV}}}calendar-home-set": lambda: href(home_path(person)),
    }


def _collection(*kinds: str) -> str:
    return element(f"{{{DAV}}}collection") + "".join(map(element, kinds))


def root_properties(person: Subscriber) -> Properties:
    """Of /dav/: enough to go on from."""
    return _everywhere(person) | {RESOURCETYPE: _collection, DISPLAYNAME: lambda: "Ventana"}


def principal_properties(person: Subscriber) -> Properties:
    """Of the person (RFC 3744 §4, RFC 4791 §6.2)."""
    addresses = href(f"mailto:{person.email}") + href(principal_path(person))
    return _everywhere(person) | {
        RESOURCETYPE: lambda: _collection(f"{{{DAV}}}principal"),
        DISPLAYNAME: lambda: escape(person.name),
        f"{{{CALDAV}}}calendar-user-address-set": lambda: addresses,
        f"{{{SERVER}}}email-address-set": lambda: element(f"{{{SERVER}}}email-address", escape(person.email)),
        f"{{{DAV}}}supported-report-set": str,
    }


def home_properties(person: Subscriber) -> Properties:
    """Of the folder of calendars."""
    return _everywhere(person) | {RESOURCETYPE: _collection, DISPLAYNAME: lambda: escape(person.name)}


def calendar_properties(person: Subscriber, state: State) -> Properties:
    """Of a calendar (RFC 4791 §5.2, RFC 6578 §4)."""
    reports = "".join(
        element(f"{{{DAV}}}supported-report", element(f"{{{DAV}}}report", element(name))) for name in REPORTS
    )
    return _everywhere(person) | {
        RESOURCETYPE: lambda: _collection(f"{{{CALDAV}}}calendar"),
        DISPLAYNAME: lambda: escape(_title(person, state.name)),
        f"{{{DAV}}}getcontenttype": lambda: "text/calendar; charset=utf-8",
        f"{{{DAV}}}sync-token": lambda: escape(state.token),
        f"{{{SERVER}}}getctag": lambda: escape(state.token),
        GETETAG: lambda: escape(f'"{state.token}"'),
        f"{{{DAV}}}supported-report-set": lambda: reports,
        f"{{{CALDAV}}}supported-calendar-component-set": lambda: '<c:comp name="VEVENT"/>',
        f"{{{CALDAV}}}supported-calendar-data": lambda: (
            '<c:calendar-data content-type="text/calendar" version="2.0"/>'
        ),
        f"{{{CALDAV}}}calendar-timezone": lambda: calendar_text(object_bytes(person.zone, b"")),
        f"{{{APPLE}}}calendar-color": lambda: COLOURS[state.name],
    }


def _title(person: Subscriber, name: str) -> str:
    text = words(person.locale)
    return text.interventions.format(name=person.name) if name == OWN else text.team


def describe(path: str, wanted: Wanted, have: Properties) -> str:
    """One resource's answer to a PROPFIND."""
    if wanted.everything == "propname":
        return response(path, dict.fromkeys(have, ""), ())
    names = wanted.names or tuple(name for name in have if name not in DEAR)
    known = {name: have[name]() for name in names if name in have}
    unknown = () if minimal() else tuple(name for name in names if name not in have)
    return response(path, known, unknown)


_OF_EVENTS: Mapping[str, Callable[[Event], str]] = {
    GETETAG: etag_of,
    f"{{{DAV}}}getcontentlength": lambda event: str(len(content_of(event))),
    CALENDAR_DATA: lambda event: calendar_text(content_of(event)),
}
_OF_ALL_EVENTS = {
    RESOURCETYPE: "",
    f"{{{DAV}}}getcontenttype": EVENT_KIND,
    f"{{{DAV}}}current-user-privilege-set": READ_ONLY,
}


def needs_content(wanted: Wanted) -> bool:
    """Whether the bytes of the events must be read to say this."""
    return CALENDAR_DATA in wanted.names or f"{{{DAV}}}getcontentlength" in wanted.names


def describe_events(folder: str, wanted: Wanted, events: Sequence[Event]) -> Iterator[str]:
    """The answers about many events: what they share is written once, as a form to fill in."""
    names = wanted.names or (GETETAG, *_OF_ALL_EVENTS)
    if wanted.everything == "propname":
        names, wanted = (*_OF_EVENTS, *_OF_ALL_EVENTS), Wanted()
        form, told = _form(folder, names, names_only=True), []
    else:
        form = _form(folder, names)
        told = [_OF_EVENTS[name] for name in names if name in _OF_EVENTS]
    for event in events:
        yield form % (event.booking_id, *(tell(event) for tell in told))


def _form(folder: str, names: Sequence[str], names_only: bool = False) -> str:
    found, absent = "", ""
    for name in names:
        if name in _OF_EVENTS:
            found += element(name, "" if names_only else "%s")
        elif name in _OF_ALL_EVENTS:
            found += element(name, "" if names_only else _plain(_OF_ALL_EVENTS[name]))
        elif not minimal():
            absent += _plain(element(name))
    parts = propstat(found) if found or not absent else ""
    if absent:
        parts += propstat(absent, HTTPStatus.NOT_FOUND)
    return f"<d:response><d:href>{_plain(escape(folder))}%d.ics</d:href>{parts}</d:response>"


def _plain(text: str) -> str:
    """Text that stands in a form as it is."""
    return text.replace("%", "%%")
