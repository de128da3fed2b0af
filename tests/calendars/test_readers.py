"""Every calendar that we give out, read by libraries that share no code: they see the same events, and no fault.

None of them minds bare line feeds, long lines or naked commas, on which Google drops a whole feed: the bytes are
looked at too.
"""

import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import icalendar
import pytest

from scheduler.calendars import secrets
from tests.calendars import libical
from tests.calendars.conftest import Node, Python
from tests.calendars.every_kind import CANCELLED, COMPANIES
from tests.calendars.serving import Served
from tests.web.dav_client import NAMES, Dav, query_body
from web.app import create_app

CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
TEXTS = ("SUMMARY", "DESCRIPTION", "LOCATION", "NAME", "X-WR-CALNAME")


@dataclass(frozen=True)
class Seen:
    """What a reader makes of one event: its UID and its instants in seconds since 1970."""

    uid: str
    start: int
    end: int


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - an address of our own server
        body: bytes = answer.read()
    return body


@pytest.fixture
def files(served: Served, tmp_path: Path) -> list[Path]:
    """Each scope's feed in every detail, and each object of the CalDAV calendars, in a file of its own."""
    bodies = {f"feed-{scope}": fetched(served.feed(scope)) for scope in (*secrets.SCOPES, "customer")}
    for detail in ("busy", "host"):
        for scope in ("interventions", "slots", "team"):
            settings = secrets.FeedSettings(detail, alarm_minutes=30)
            bodies[f"feed-{scope}-{detail}"] = fetched(served.feed(scope, settings))
    dav = Dav(create_app(served.desk).test_client(), served.user, served.password)
    for name in ("interventions", "team"):
        found = dav.report(query_body("", "<c:calendar-data/>"), f"/dav/calendars/1/{name}/")
        for number, data in enumerate(found.iterfind(".//c:calendar-data", NAMES)):
            bodies[f"object-{name}-{number:02}"] = (data.text or "").encode()
    assert len(bodies) == len(secrets.SCOPES) + 1 + 6 + 2 * CANCELLED
    for name, body in bodies.items():
        (tmp_path / f"{name}.ics").write_bytes(body)
    return sorted(tmp_path.glob("*.ics"))


def test_bytes(files: list[Path]) -> None:
    for path in files:
        body = path.read_bytes()
        assert body.endswith(b"END:VCALENDAR\r\n")
        lines = body[:-2].split(b"\r\n")
        assert not any(b"\n" in line or b"\r" in line for line in lines), path.name
        assert max(map(len, lines)) <= 75, path.name
        for line in lines:
            line.decode()  # no character is cut by a fold
            assert not CONTROL.search(line), (path.name, line)
        for text in body.replace(b"\r\n ", b"").decode().split("\r\n"):
            name, _, value = text.partition(":")
            if name.partition(";")[0] in TEXTS:
                assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,n])*", value), (path.name, text)
        assert (b"METHOD" in body) is path.name.startswith("feed-")
        assert b"BEGIN:VCALENDAR" in body.split(b"\r\n")[0]
        assert (lines.count(b"BEGIN:VCALENDAR"), lines.count(b"END:VCALENDAR")) == (1, 1)


def by_icalendar(path: Path) -> list[Seen]:
    calendar = icalendar.Calendar.from_ical(path.read_bytes())
    assert [part.errors for part in calendar.walk() if part.errors] == []
    return [
        Seen(str(event["UID"]), _seconds(event.decoded("DTSTART")), _seconds(event.decoded("DTEND")))
        for event in calendar.walk("VEVENT")
    ]


def _seconds(moment: Any) -> int:
    return int(moment.timestamp())


def by_javascript(node: Node, paths: list[Path], reader: str) -> list[list[Seen]]:
    answers: list[dict[str, list[dict[str, Any]]]] = node.run("read_files.mjs", *map(str, paths))
    return [
        [Seen(it["uid"], round(it["start"]), round(it["end"])) for it in answer[reader]] for answer in answers
    ]


def by_ics_py(python: Python, paths: list[Path]) -> list[list[Seen]]:
    return [[Seen(*event) for event in events] for events in python.run("with_ics.py", *map(str, paths))]


def by_libical(paths: list[Path]) -> list[list[Seen]]:
    library = libical.library()
    return [[Seen(*event) for event in libical.events(library, path.read_bytes())] for path in paths]


def test_all_readers_see_the_same_events(
    files: list[Path], node_clients: Node, python_clients: Python
) -> None:
    expected = [sorted(by_icalendar(path), key=repr) for path in files]
    assert sum(map(len, expected)) > 8 * CANCELLED
    readers: dict[str, list[list[Seen]]] = {
        "ical.js": by_javascript(node_clients, files, "ical.js"),
        "ts-ics": by_javascript(node_clients, files, "ts-ics"),
        "ics.py": by_ics_py(python_clients, files),
        "libical": by_libical(files),
    }
    for name, seen in readers.items():
        for path, wanted, got in zip(files, expected, seen, strict=True):
            assert sorted(got, key=repr) == wanted, (name, path.name)


def test_texts_survive(files: list[Path], node_clients: Node) -> None:
    """What people wrote arrives letter for letter in two readers; nothing of it became a property."""
    path = next(path for path in files if path.name == "feed-interventions.ics")
    (answer,) = node_clients.run("read_files.mjs", str(path))
    ours = {
        str(event["UID"]): (str(event["SUMMARY"]), str(event["DESCRIPTION"]))
        for event in icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT")
    }
    theirs = {it["uid"]: (it["summary"], it["description"]) for it in answer["ical.js"]}
    assert theirs == ours
    assert len(ours) == CANCELLED
    shown = json.dumps(sorted(ours.values()), ensure_ascii=False)
    assert "a;b,c\\\\d\\nline two\\nBEGIN:VEVENT\\nEND:VCALENDAR" in shown
    assert "C:\\\\Nueva\\\\nombre \\\\, \\\\; \\\\N" in shown
    assert "A;B,C" in shown
    assert "\u202e" not in shown
    assert sum(company[:3] in shown for company in COMPANIES) >= len(COMPANIES) - 2


@pytest.mark.parametrize(
    "break_it", [lambda body: body.replace(b"DTEND", b"DTND", 1), lambda body: body[:-40]]
)
def test_a_broken_file_would_be_seen(
    files: list[Path], tmp_path: Path, break_it: Callable[[bytes], bytes]
) -> None:
    """The control: a reader that swallows anything proves nothing."""
    broken = tmp_path / "broken.ics"
    broken.write_bytes(break_it(files[-1].read_bytes()))
    try:
        whole = by_icalendar(broken) == by_icalendar(files[-1])
    except (ValueError, KeyError):
        whole = False
    assert not whole
