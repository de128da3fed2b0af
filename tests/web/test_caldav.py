"""CalDAV by hand: what real clients do not send, or would not notice. The clients themselves are in tests/calendars."""

import icalendar
import pytest

from fixtures.databases import Database
from scheduler.store.engines import write
from scheduler.store.models import Technician
from tests.unit.calendars.desk import ANA, LUIS, NOW
from tests.web.dav_client import (
    DEPTH_0,
    DEPTH_1,
    NAMES,
    Dav,
    DavDesk,
    body_of,
    make_desk,
    open_dav,
    query_body,
)

OWN = "/dav/calendars/1/interventions/"
ONE = f"{OWN}1.ics"


@pytest.fixture
def desk(sqlite_database: Database) -> DavDesk:
    return make_desk(sqlite_database)


@pytest.fixture
def dav(desk: DavDesk) -> Dav:
    return open_dav(desk)


def make_dispatcher(desk: DavDesk) -> None:
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).role = "dispatcher"


def test_a_client_finds_its_way_from_the_well_known_address(dav: Dav) -> None:
    for method in ("GET", "PROPFIND"):
        answer = dav.ask(method, "/.well-known/caldav", headers=DEPTH_0)
        assert (answer.status_code, answer.headers["Location"]) == (301, "/dav/")
    root = dav.propfind("/dav/", "d:current-user-principal")
    principal = root.findtext(".//d:current-user-principal/d:href", "", NAMES)
    found = dav.propfind(principal, "c:calendar-home-set", "d:displayname", "c:calendar-user-address-set")
    home = found.findtext(".//c:calendar-home-set/d:href", "", NAMES)
    assert [it.text for it in found.iterfind(".//c:calendar-user-address-set/d:href", NAMES)] == [
        "mailto:1@example.es",
        "/dav/principals/1/",
    ]
    # iOS asks in circles when one of these lies inside another.
    assert len({root.findtext(".//d:response/d:href", "", NAMES), principal, home, OWN}) == 4
    listed = dav.propfind(home, "d:resourcetype", "d:displayname", depth="1")
    calendars = [
        (it.findtext("d:href", "", NAMES), it.findtext(".//d:displayname", "", NAMES))
        for it in listed.iterfind("d:response", NAMES)
        if it.find(".//c:calendar", NAMES) is not None
    ]
    assert calendars == [(OWN, "Intervenciones · Ana Ruiz")]


def test_a_dispatcher_has_the_teams_calendar_too(desk: DavDesk, dav: Dav) -> None:
    desk.book(2, technician_id=LUIS)
    team = OWN.replace("interventions", "team")
    assert dav.ask("PROPFIND", team, headers=DEPTH_1).status_code == 404
    make_dispatcher(desk)
    listed = dav.propfind(team, "d:getetag", depth="1")
    assert [it.text for it in listed.iterfind(".//d:href", NAMES)] == [team, f"{team}1.ics", f"{team}2.ics"]
    theirs, own, shown = (dav.ask("GET", path).data for path in (f"{team}2.ics", ONE, f"{team}1.ics"))
    assert "· Luis Peña\r\n" in theirs.decode()
    assert "· Ana Ruiz\r\n" in shown.decode()
    assert "Ana Ruiz" not in own.decode()
    assert dav.ask("GET", f"{team}1.ics").headers["ETag"] != dav.ask("GET", ONE).headers["ETag"]
    assert dav.ask("GET", f"{OWN}2.ics").status_code == 404


def test_calendars_of_others_are_nothing(desk: DavDesk, dav: Dav) -> None:
    desk.book(2, technician_id=LUIS)
    theirs = OWN.replace("/1/", "/2/")
    others = (theirs, f"{theirs}2.ics", f"{OWN}2.ics", "/dav/principals/2/", "/dav/calendars/2/")
    for path in (*others, "/dav/calendars/1/elsewhere/", "/dav/nothing", f"{OWN}9.ics", f"{OWN}x.ics"):
        for method in ("PROPFIND", "GET", "REPORT"):
            answer = dav.ask(method, path, query_body("") if method == "REPORT" else b"", DEPTH_0)
            assert answer.status_code == 404, (method, path)
    luis = open_dav(desk, LUIS)
    assert luis.ask("GET", f"{theirs}2.ics").status_code == 200
    assert luis.ask("GET", ONE).status_code == 404


def test_an_object_is_a_whole_calendar_without_method(dav: Dav) -> None:
    answer = dav.ask("GET", ONE)
    assert answer.content_type == "text/calendar; charset=utf-8; component=vevent"
    assert b"METHOD" not in answer.data
    assert b"\n" not in answer.data.replace(b"\r\n", b"")
    calendar = icalendar.Calendar.from_ical(answer.data)
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE", "VEVENT"]
    head = dav.ask("HEAD", ONE)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("ETag", "Content-Length", "Content-Type"):
        assert head.headers[name] == answer.headers[name]


def test_the_bytes_in_reports_are_those_of_get(dav: Dav) -> None:
    whole = dav.ask("GET", ONE)
    found = dav.report(query_body("", "<d:getetag/><c:calendar-data/><d:getcontentlength/>"))
    assert found.findtext(".//c:calendar-data", "", NAMES).encode() == whole.data
    assert found.findtext(".//d:getetag", "", NAMES) == whole.headers["ETag"]
    assert found.findtext(".//d:getcontentlength", "", NAMES) == str(len(whole.data))


def test_an_unchanged_object_is_not_sent_again(desk: DavDesk, dav: Dav) -> None:
    tag = dav.ask("GET", ONE).headers["ETag"]
    for asked in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = dav.ask("GET", ONE, headers={"If-None-Match": asked})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    for asked in ('"x"', tag.strip('"'), "", "²"):
        assert dav.ask("GET", ONE, headers={"If-None-Match": asked}).status_code == 200
    desk.change(1, verdict="ready")
    assert dav.ask("GET", ONE, headers={"If-None-Match": tag}).status_code == 200


def test_tags_stay_while_nothing_changes(desk: DavDesk, dav: Dav) -> None:
    desk.book(2)
    before = dav.ask("GET", ONE).headers["ETag"]
    desk.change(2, verdict="ready")
    assert dav.ask("GET", ONE).headers["ETag"] == before


@pytest.mark.parametrize(
    "method",
    [
        "PUT",
        "DELETE",
        "POST",
        "PATCH",
        "PROPPATCH",
        "MKCALENDAR",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "ACL",
    ],
)
def test_nothing_can_be_written(dav: Dav, method: str) -> None:
    for path in ("/dav/", "/dav/principals/1/", "/dav/calendars/1/", OWN, ONE, f"{OWN}new.ics"):
        answer = dav.ask(method, path, b"BEGIN:VCALENDAR")
        assert answer.status_code == 403, path
        assert b"need-privileges" in answer.data
    assert dav.ask("GET", ONE).status_code == 200


def test_clients_are_told_that_they_only_read(dav: Dav) -> None:
    for path in ("/dav/", "/dav/principals/1/", OWN, ONE):
        found = dav.propfind(path, "d:current-user-privilege-set")
        privileges = [it[0].tag for it in found.iterfind(".//d:privilege", NAMES)]
        assert privileges == ["{DAV:}read", "{DAV:}read-current-user-privilege-set"], path
    answer = dav.client.options(OWN)
    assert answer.headers["Allow"] == "OPTIONS, GET, HEAD, PROPFIND, REPORT"
    assert answer.headers["DAV"] == "1, 3, access-control, calendar-access"
    assert "auto-schedule" not in answer.headers["DAV"]


def test_unknown_properties_are_missing_not_wrong(dav: Dav) -> None:
    wanted = '<d:prop><d:displayname/><z:colour xmlns:z="urn:x&amp;&lt;&quot;"/><plain xmlns=""/></d:prop>'
    for path in (OWN, ONE, "/dav/"):
        answer = dav.ask("PROPFIND", path, body_of("d:propfind", wanted), DEPTH_0)
        assert answer.status_code == 207
        assert b"404 Not Found" in answer.data
        brief = dav.ask(
            "PROPFIND",
            path,
            body_of("d:propfind", wanted),
            {**DEPTH_0, "Prefer": "respond-async, return=minimal"},
        )
        assert b"404" not in brief.data
        assert brief.headers["Preference-Applied"] == "return=minimal"
        assert b"200 OK" in brief.data


def test_all_properties_leave_the_dear_ones_out_and_names_are_names(dav: Dav) -> None:
    everything = dav.ask("PROPFIND", OWN, b"", DEPTH_1).data
    assert b"sync-token" in everything
    assert b"calendar-timezone" not in everything
    assert b"BEGIN:VCALENDAR" not in everything
    names = dav.ask("PROPFIND", OWN, body_of("d:propfind", "<d:propname/>"), DEPTH_1).data
    assert b"<c:calendar-timezone/>" in names
    assert b"<c:calendar-data/>" in names


@pytest.mark.parametrize("depth", ["infinity", "Infinity", "2", "", "0, 1", None])
def test_depth_has_an_end(dav: Dav, depth: str | None) -> None:
    for path in ("/dav/", "/dav/calendars/1/", OWN, ONE):
        answer = dav.ask("PROPFIND", path, b"", {} if depth is None else {"Depth": depth})
        assert answer.status_code == 403, path
        assert b"propfind-finite-depth" in answer.data


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    '<d:propfind xmlns:d="DAV:"><d:prop><d:x>&c;</d:x></d:prop></d:propfind>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    '<d:propfind xmlns:d="DAV:"><d:prop><d:x>&a;</d:x></d:prop></d:propfind>'
)
ODD_ENCODING = '<?xml version="1.0" encoding="x-none"?><a/>'


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS,
        OUTSIDE,
        "not xml",
        "<a>",
        b"\xff\xfe\x00",
        b"\x00",
        '<?xml version="1.0" encoding="x-none"?><a/>',
        "<d/>",
    ],
)
def test_what_is_no_request_is_said_to_be_none(dav: Dav, body: str | bytes) -> None:
    for method in ("PROPFIND", "REPORT"):
        answer = dav.ask(method, OWN, body, DEPTH_0)
        assert answer.status_code in (400, 403), method
        assert b"root:" not in answer.data


def test_bodies_have_an_end(dav: Dav) -> None:
    for path in ("/dav/", OWN, ONE):
        answer = dav.ask("PROPFIND", path, b"<x>" + b" " * 2_000_000, DEPTH_0)
        assert answer.status_code == 413
        assert b"1024 KiB" in answer.data
    deep = "<d:a>" * 150_000
    assert dav.ask("PROPFIND", OWN, body_of("d:propfind", deep), DEPTH_0).status_code == 400
    many = "".join(f"<d:p{number}/>" for number in range(201))
    assert (
        dav.ask("PROPFIND", OWN, body_of("d:propfind", f"<d:prop>{many}</d:prop>"), DEPTH_0).status_code
        == 403
    )


def test_other_reports_are_said_to_be_unknown(dav: Dav) -> None:
    for path in (OWN, ONE, "/dav/", "/dav/principals/1/"):
        answer = dav.ask("REPORT", path, body_of("d:expand-property", ""), DEPTH_0)
        assert (answer.status_code, b"supported-report" in answer.data) == (403, True), path


def test_dates_outside_the_window_are_empty(desk: DavDesk, dav: Dav) -> None:
    desk.now = NOW.replace(year=NOW.year + 2)
    assert dav.sync()[0] == set()
    assert dav.ask("GET", ONE).status_code == 404
