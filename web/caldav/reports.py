"""The three reports: search by time, read these, what has changed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from flask import Response
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from scheduler.calendars.app_passwords import Subscriber
from scheduler.calendars.collections import events, events_by_id, overlapping
from scheduler.calendars.sync import State, TokenInvalid, changed_since, gone_since, read_token
from scheduler.store.models import Booking, CalendarObject
from web.caldav.asking import CannotAnswer, Report, Search, Wanted, read_search, texts
from web.caldav.elements import CALDAV, DAV, element, missing, multistatus
from web.caldav.properties import calendar_path, describe_events, needs_content

MOST_HREFS = 20_000
NAME = re.compile(r"(\d{1,15})\.ics", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scene:
    """A calendar that a report is about, and who asks."""

    session: Session
    person: Subscriber
    state: State

    @property
    def folder(self) -> str:
        """The calendar's path."""
        return calendar_path(self.person, self.state.name)


def answer_report(scene: Scene, report: Report) -> Response:
    """Raises CannotAnswer for a report that we do not have (RFC 3253 §3.6: supported-report)."""
    known = _REPORTS.get(report.kind)
    if known is None:
        raise CannotAnswer("{DAV:}supported-report")
    return known(scene, report)


def _query(scene: Scene, report: Report) -> Response:
    """calendar-query (RFC 4791 §7.8)."""
    search = read_search(report)
    if search.nothing:
        return multistatus(())
    wanted = _or_etag(report.wanted)
    found = events(scene.session, scene.state, *_conditions(search), content=needs_content(wanted))
    return multistatus(describe_events(scene.folder, wanted, found))


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.by_time:
        conditions.append(overlapping(search.start, search.end))
    if search.uid is not None:
        named = select(Booking.id).where(Booking.uid.icontains(search.uid, autoescape=True))
        conditions.append(CalendarObject.booking_id.in_(named))
    return conditions


def _multiget(scene: Scene, report: Report) -> Response:
    """calendar-multiget (RFC 4791 §7.9): each address that was asked for is answered once."""
    if len(report.hrefs) > MOST_HREFS:
        raise CannotAnswer("{DAV:}number-of-matches-within-limits")
    asked = {path: _booking_id(scene.folder, path) for path in dict.fromkeys(report.hrefs)}
    wanted = _or_etag(report.wanted)
    ids = {id_ for id_ in asked.values() if id_ is not None}
    found = events_by_id(scene.session, scene.state, ids, needs_content(wanted))
    have = [found[id_] for id_ in dict.fromkeys(asked.values()) if id_ in found]
    absent = (missing(path) for path, id_ in asked.items() if id_ not in found)
    return multistatus((*describe_events(scene.folder, wanted, have), *absent))


def _booking_id(folder: str, address: str) -> int | None:
    """The booking that a path or whole address of this calendar means."""
    try:
        path = unquote(urlsplit(address).path)
    except ValueError:
        return None
    name = NAME.fullmatch(path.removeprefix(folder)) if path.startswith(folder) else None
    return int(name.group(1)) if name else None


def _changes(scene: Scene, report: Report) -> Response:
    """sync-collection (RFC 6578 §3.2). Raises CannotAnswer(valid-sync-token), after which clients start anew."""
    token, level, limit = texts(report, "sync-token", "sync-level", "limit")
    if level not in ("1", None, ""):
        raise CannotAnswer("{DAV:}sync-traversal-supported")
    wanted = _or_etag(report.wanted)
    if token:
        parts = [*_since(scene, token, wanted)]
    else:
        found = events(scene.session, scene.state, content=needs_content(wanted))
        parts = [*describe_events(scene.folder, wanted, found)]
    if limit is not None and len(parts) > _most(report):
        raise CannotAnswer("{DAV:}number-of-matches-within-limits", HTTPStatus.INSUFFICIENT_STORAGE)
    return multistatus(parts, element(f"{{{DAV}}}sync-token", scene.state.token))


def _since(scene: Scene, token: str, wanted: Wanted) -> list[str]:
    try:
        then = read_token(token, scene.state)
    except TokenInvalid:
        raise CannotAnswer("{DAV:}valid-sync-token") from None
    if then == scene.state:
        return []
    changed = events(
        scene.session, scene.state, changed_since(then, scene.state), content=needs_content(wanted)
    )
    gone = sorted(gone_since(scene.session, then, scene.state))
    described = describe_events(scene.folder, wanted, changed)
    return [*described, *(missing(f"{scene.folder}{id_}.ics") for id_ in gone)]


def _most(report: Report) -> int:
    """How many answers the client takes; we cannot give a part of the changes, only all or none."""
    number = (
        report.element.findtext(f"{{{DAV}}}limit/{{{DAV}}}nresults") if report.element is not None else ""
    )
    text = (number or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _or_etag(wanted: Wanted) -> Wanted:
    return wanted if wanted.names or wanted.everything == "propname" else Wanted((f"{{{DAV}}}getetag",))


_REPORTS: Mapping[str, Callable[[Scene, Report], Response]] = {
    f"{{{CALDAV}}}calendar-query": _query,
    f"{{{CALDAV}}}calendar-multiget": _multiget,
    f"{{{DAV}}}sync-collection": _changes,
}
