"""The reports: found by time or UID, read by address, told when changed."""

import pytest

from fixtures.databases import Database
from scheduler.store.engines import write
from scheduler.store.models import Technician
from tests.unit.calendars.desk import ANA, LUIS
from tests.web.dav_client import (
    DEPTH_1,
    NAMES,
    Dav,
    DavDesk,
    body_of,
    make_desk,
    open_dav,
    query_body,
    sync_body,
)

OWN = "/dav/calendars/1/interventions/"


@pytest.fixture
def desk(sqlite_database: Database) -> DavDesk:
    return make_desk(sqlite_database)


@pytest.fixture
def dav(desk: DavDesk) -> Dav:
    return open_dav(desk)


def found_by(dav: Dav, filters: str) -> list[int]:
    hrefs = [it.text or "" for it in dav.report(query_body(filters)).iterfind(".//d:href", NAMES)]
    return [int(href.removeprefix(OWN).removesuffix(".ics")) for href in hrefs]


# The desk's booking is from 9:30 to 10:30 UTC on 25 November.
@pytest.mark.parametrize(
    ("span", "found"),
    [
        ('start="20261125T093000Z" end="20261125T103000Z"', True),
        ('start="20261125T102959Z" end="20261125T110000Z"', True),
        ('start="20261125T103000Z" end="20261125T110000Z"', False),
        ('start="20261125T080000Z" end="20261125T093000Z"', False),
        ('start="20261125T080000Z" end="20261125T093001Z"', True),
        ('start="20261125T094500Z" end="20261125T100000Z"', True),
        ('start="20261125T000000Z"', True),
        ('start="20261126T000000Z"', False),
        ('end="20261126T000000Z"', True),
        ('end="20261125T000000Z"', False),
        ('start="00010101T000000Z" end="99991231T235959Z"', True),
        ('start="99991231T000000Z" end="99991231T235959Z"', False),
    ],
)
def test_time_ranges_are_half_open(dav: Dav, span: str, found: bool) -> None:
    assert found_by(dav, f"<c:time-range {span}/>") == ([1] if found else [])


@pytest.mark.parametrize(
    "span",
    [
        "",
        'start="yesterday"',
        'start="20261125"',
        'start="20261125T093000"',
        'end="20261325T000000Z"',
        'start="20261126T000000Z" end="20261125T000000Z"',
        'start="²0261125T093000Z"',
    ],
)
def test_times_that_are_none_are_refused(dav: Dav, span: str) -> None:
    answer = dav.ask("REPORT", OWN, query_body(f"<c:time-range {span}/>"), DEPTH_1)
    assert (answer.status_code, b"valid-filter" in answer.data) == (403, True)


def test_one_event_is_found_by_its_uid(desk: DavDesk, dav: Dav) -> None:
    desk.book(2)
    match = '<c:prop-filter name="UID"><c:text-match>{}</c:text-match></c:prop-filter>'
    assert found_by(dav, match.format("00000002-8C1E-4f6e-9a44-0d2f5ad1c001@citas.example.es")) == [2]
    assert found_by(dav, match.format("%")) == []
    assert found_by(dav, match.format("8c1e-4f6e")) == [1, 2]


@pytest.mark.parametrize(
    "filters",
    [
        '<c:prop-filter name="SUMMARY"><c:text-match>x</c:text-match></c:prop-filter>',
        '<c:prop-filter name="UID"><c:is-not-defined/></c:prop-filter>',
        '<c:prop-filter name="UID"><c:text-match negate-condition="yes">x</c:text-match></c:prop-filter>',
        '<c:comp-filter name="VALARM"/>',
    ],
)
def test_filters_that_we_do_not_have_are_named(dav: Dav, filters: str) -> None:
    answer = dav.ask("REPORT", OWN, query_body(filters), DEPTH_1)
    assert (answer.status_code, b"supported-filter" in answer.data) == (403, True)


def test_there_are_no_tasks_here(dav: Dav) -> None:
    def answers(component: str) -> int:
        outer = f'<c:filter><c:comp-filter name="VCALENDAR">{component}</c:comp-filter></c:filter>'
        body = body_of("c:calendar-query", f"<d:prop><d:getetag/></d:prop>{outer}")
        return len(dav.report(body).findall("d:response", NAMES))

    absent = "<c:is-not-defined/></c:comp-filter>"
    assert answers("") == 1
    assert answers('<c:comp-filter name="VTODO"/>') == 0
    assert answers(f'<c:comp-filter name="VEVENT">{absent}') == 0
    assert answers(f'<c:comp-filter name="VTODO">{absent}') == 1


def test_only_icalendar_is_spoken(dav: Dav) -> None:
    wanted = '<c:calendar-data content-type="application/calendar+json"/>'
    answer = dav.ask("REPORT", OWN, query_body("", wanted), DEPTH_1)
    assert (answer.status_code, b"supported-calendar-data" in answer.data) == (403, True)


def test_many_are_read_by_address(desk: DavDesk, dav: Dav) -> None:
    desk.book(2)
    desk.book(3, technician_id=LUIS)
    addresses = [f"{OWN}2.ics", f"http://localhost{OWN}1.ics", f"{OWN}%32.ics", f"{OWN}3.ics", f"{OWN}99.ics",
                 "/elsewhere/1.ics", "http://[", f"{OWN}{'9' * 400}.ics", f"{OWN}²"]  # fmt: skip
    hrefs = "".join(f"<d:href>{address}</d:href>" for address in addresses)
    found = dav.report(body_of("c:calendar-multiget", f"<d:prop><c:calendar-data/></d:prop>{hrefs}"))
    answers = {
        it.findtext("d:href", "", NAMES): it.find(".//c:calendar-data", NAMES) is not None
        for it in found.iterfind("d:response", NAMES)
    }
    assert answers == {f"{OWN}1.ics": True, f"{OWN}2.ics": True} | dict.fromkeys(addresses[3:], False)


def test_a_device_sees_just_what_changed(desk: DavDesk, dav: Dav) -> None:
    for number in (2, 3, 4):
        desk.book(number)
    changed, gone, token = dav.sync()
    assert (changed, gone) == ({1, 2, 3, 4}, set())
    desk.change(1, verdict="ready")
    desk.change(2, status="cancelled")
    desk.change(3, technician_id=LUIS)
    changed, gone, token = dav.sync(token)
    assert (changed, gone) == ({1, 2}, {3})
    assert dav.sync(token)[:2] == (set(), set())
    luis = open_dav(desk, LUIS)
    assert luis.sync()[:2] == ({3}, set())


def test_tokens_that_we_cannot_tell_from_are_refused(desk: DavDesk, dav: Dav) -> None:
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).role = "dispatcher"
    token = dav.sync()[2]
    team = dav.report(sync_body(""), OWN.replace("interventions", "team")).findtext("d:sync-token", "", NAMES)
    of_luis = open_dav(desk, LUIS).sync()[2]
    future, expired = token.replace("1.2", "1.9"), token.replace("20261124", "20260901")
    for wrong in (team, of_luis, future, expired, "nonsense", "http://radicale.org/ns/sync/1"):
        answer = dav.ask("REPORT", OWN, sync_body(wrong), DEPTH_1)
        assert (answer.status_code, b"valid-sync-token" in answer.data) == (403, True), wrong
    assert dav.sync(token)[:2] == (set(), set())


def test_parts_of_changes_are_not_given(desk: DavDesk, dav: Dav) -> None:
    desk.book(2)
    few = "<d:sync-level>1</d:sync-level><d:limit><d:nresults>{}</d:nresults></d:limit>"
    answer = dav.ask("REPORT", OWN, sync_body("", few.format(1)), DEPTH_1)
    assert (answer.status_code, b"number-of-matches-within-limits" in answer.data) == (507, True)
    assert dav.ask("REPORT", OWN, sync_body("", few.format(2)), DEPTH_1).status_code == 207
    endless = dav.ask("REPORT", OWN, sync_body("", "<d:sync-level>infinite</d:sync-level>"), DEPTH_1)
    assert (endless.status_code, b"sync-traversal-supported" in endless.data) == (403, True)


def test_the_calendars_tag_moves_with_its_token(desk: DavDesk, dav: Dav) -> None:
    def tags() -> tuple[str, str]:
        found = dav.propfind(OWN, "cs:getctag", "d:sync-token")
        return found.findtext(".//cs:getctag", "", NAMES), found.findtext(".//d:sync-token", "", NAMES)

    before = tags()
    assert before == tags()
    assert before[1] == dav.sync()[2]
    desk.change(1, verdict="ready")
    assert tags()[0] != before[0]
    assert tags()[1] != before[1]
