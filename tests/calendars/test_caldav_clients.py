"""CalDAV by clients that nobody here wrote: they find the calendar, read it, and see just what changed."""

import re
from datetime import timedelta
from pathlib import Path

import icalendar
import pytest

from tests.calendars.conftest import Node, Python
from tests.calendars.every_kind import CANCELLED
from tests.calendars.serving import Served
from tests.unit.calendars.desk import LUIS, NOW

ALL = {f"{number}.ics" for number in range(1, CANCELLED + 1)}
MOVED, LIT, LOST = "2.ics", "5.ics", "6.ics"


def change_four(served: Served) -> None:
    """Move 2, cancel 3, change the light of 5, give 6 to Luis."""
    start = NOW + timedelta(days=9)
    served.desk.change(2, starts_at=start, ends_at=start + timedelta(hours=1), sequence=1)
    served.desk.change(3, status="cancelled", sequence=1)
    served.desk.change(5, verdict="not_ready", verdict_code="port_refused", checked_at=NOW)
    served.desk.change(6, technician_id=LUIS)


def test_python_caldav(python_clients: Python, served: Served) -> None:
    first = python_clients.run("with_caldav.py", *served.credentials)
    assert first["calendars"] == ["Equipo", "Intervenciones · Ana Ruiz"]
    assert set(first["changed"]) == ALL
    assert len(first["all"]) == len(ALL)
    assert first["by_uid"] == first["all"][0]
    assert first["written"] == "AuthorizationError"
    change_four(served)
    second = python_clients.run("with_caldav.py", *served.credentials, first["token"])
    assert (set(second["changed"]), second["gone"]) == ({"2.ics", "3.ics", "5.ics"}, [LOST])
    moved, cancelled = (icalendar.Event.from_ical(second["changed"][name]) for name in ("2.ics", "3.ics"))
    assert (moved.decoded("DTSTART"), moved["SEQUENCE"]) == (NOW + timedelta(days=9), 1)
    assert (cancelled["STATUS"], cancelled["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
    third = python_clients.run("with_caldav.py", *served.credentials, second["token"])
    assert (third["changed"], third["gone"]) == ({}, [])


def test_tsdav(node_clients: Node, served: Served) -> None:
    _, user, password = served.credentials
    arguments = ("with_tsdav.mjs", served.url, user, password)
    first = node_clients.run(*arguments)
    assert first["calendars"] == ["Equipo", "Intervenciones · Ana Ruiz"]
    assert set(first["events"]) == ALL
    assert all("\r\n" in text and text.count("\n") == text.count("\r\n") for text in first["events"].values())
    assert first["inRange"] == ["1.ics"]
    change_four(served)
    second = node_clients.run(*arguments, first["token"])
    assert (set(second["changed"]), second["gone"]) == ({"2.ics", "3.ics", "5.ics"}, [LOST])


class Synced:
    """vdirsyncer with one remote calendar and a folder of files."""

    def __init__(self, python: Python, folder: Path, storage: str) -> None:
        self._python, self._folder = python, folder
        self.files = folder / "files"
        (folder / "config").write_text(
            f"""
[general]
status_path = "{folder}/status/"
[pair cal]
a = "remote"
b = "local"
collections = {'["interventions"]' if "caldav" in storage else "null"}
conflict_resolution = "a wins"
[storage local]
type = "filesystem"
path = "{self.files}"
fileext = ".ics"
[storage remote]
read_only = true
{storage}
"""
        )
        self._tool("discover", input="y\n" * 5)

    def _tool(self, *arguments: str, **options: str) -> str:
        return self._python.tool("vdirsyncer", "-c", str(self._folder / "config"), *arguments, **options)

    def sync(self) -> tuple[set[str], set[str], set[str]]:
        """Events whose files are new, written again, and gone."""
        before = self._stamps()
        self._tool("sync")
        after = self._stamps()
        written = {name for name in before.keys() & after.keys() if before[name] != after[name]}
        return after.keys() - before.keys(), written, before.keys() - after.keys()

    def _stamps(self) -> dict[str, int]:
        return {named(path.read_text("utf-8")): path.stat().st_mtime_ns for path in self.files.rglob("*.ics")}


def named(text: str) -> str:
    """The name that an event has by CalDAV: vdirsyncer gives files names of its own, and events of feeds other UIDs."""
    found = re.search(r"^URL:.*/s/(\d+)$", text, re.MULTILINE)
    assert found, text
    return f"{found.group(1)}.ics"


def test_vdirsyncer_by_caldav_and_khal(python_clients: Python, served: Served, tmp_path: Path) -> None:
    url, user, password = served.credentials
    storage = f'type = "caldav"\nurl = "{url}"\nusername = "{user}"\npassword = "{password}"'
    synced = Synced(python_clients, tmp_path, storage)
    assert synced.sync()[0] == ALL
    assert synced.sync() == (set(), set(), set())
    change_four(served)
    assert synced.sync() == (set(), {MOVED, "3.ics", LIT}, {LOST})
    assert synced.sync() == (set(), set(), set())
    (tmp_path / "khal").write_text(
        f"""
[calendars]
[[ana]]
path = {next(path.parent for path in synced.files.rglob("*.ics"))}
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = Europe/Madrid
default_timezone = Europe/Madrid
[sqlite]
path = {tmp_path}/khal.db
"""
    )
    listed = python_clients.tool(
        "khal",
        "-c",
        str(tmp_path / "khal"),
        "list",
        "--format",
        "{start} {title} {status}",
        "2026-11-20",
        "30d",
    )
    assert "2026-12-03 10:10 ✔ Asterisk · Clínica Sol CONFIRMED" in listed
    assert "[CANCELADA] Asterisk · Clínica Sol CANCELLED" in listed
    assert "Hecha · Asterisk · Clínica Sol" in listed


def test_vdirsyncer_by_feed(python_clients: Python, served: Served, tmp_path: Path) -> None:
    synced = Synced(python_clients, tmp_path, f'type = "http"\nurl = "{served.feed()}"')
    assert synced.sync()[0] == ALL
    assert synced.sync() == (set(), set(), set())
    change_four(served)
    assert synced.sync() == (set(), {MOVED, "3.ics", LIT}, {LOST})
    assert synced.sync() == (set(), set(), set())


@pytest.mark.parametrize("name", ["python", "node"])
def test_a_wrong_password_is_a_clear_refusal(
    request: pytest.FixtureRequest, name: str, served: Served
) -> None:
    client = request.getfixturevalue(f"{name}_clients")
    script = {"python": "with_caldav.py", "node": "with_tsdav.mjs"}[name]
    with pytest.raises(AssertionError, match=r"Unauthorized|cannot find principalUrl"):
        client.run(script, f"{served.url}/dav/", served.user, "wrong")
