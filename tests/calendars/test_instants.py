"""The same instants in three readers: twelve zones, each around eight changes of its clock up to 2045.

ts-ics and ics.py are not asked here: ts-ics gives a whole day the offset of one of its ends when a clock changes, and
ics.py knows no change after 2037. Both read every calendar of an ordinary week right (test_readers).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduler.calendars.collections import object_bytes
from scheduler.calendars.event import event_bytes
from tests.calendars.conftest import Node
from tests.calendars.test_readers import Seen, by_icalendar, by_javascript, by_libical
from tests.unit.calendars.desk import facts

ZONES = (
    "Europe/Madrid",
    "Atlantic/Canary",
    "Europe/Dublin",  # its legal standard time is the summer's
    "Africa/Casablanca",  # follows Ramadan
    "Africa/Cairo",
    "America/New_York",
    "America/Nuuk",
    "America/Havana",
    "Asia/Kathmandu",  # never changes
    "Asia/Gaza",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Chatham",  # 12:45 and 13:45 ahead
)
YEARS = (2026, 2031, 2038, 2045)
HOUR = timedelta(hours=1)


def around_changes(key: str) -> Iterator[datetime]:
    """Starts in UTC: shortly before and after each change of these years; where none is, midsummer and midwinter."""
    zone = ZoneInfo(key)
    for year in YEARS:
        day, found = datetime(year, 1, 1, tzinfo=UTC), []
        while day.year == year:
            if day.astimezone(zone).utcoffset() != (day + timedelta(days=1)).astimezone(zone).utcoffset():
                found.append(_change(zone, day))
            day += timedelta(days=1)
        for change in found[:2] or [datetime(year, 1, 5, tzinfo=UTC), datetime(year, 7, 5, tzinfo=UTC)]:
            yield from (change - 2 * HOUR, change - HOUR / 2, change, change + HOUR)


def _change(zone: ZoneInfo, day: datetime) -> datetime:
    minute = timedelta(minutes=15)
    while day.astimezone(zone).utcoffset() == (day + minute).astimezone(zone).utcoffset():
        day += minute
    return day + minute


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[Seen]]:
    """A calendar for each zone, and what it must be read as."""
    folder, wanted = tmp_path_factory.mktemp("zones"), {}
    for key in ZONES:
        starts = list(around_changes(key))
        assert len(starts) >= 8 * 4
        events = [
            event_bytes(facts(uid=f"{number:03}@x", starts_at=start, ends_at=start + HOUR, zone=key))
            for number, start in enumerate(starts)
        ]
        path = folder / f"{key.replace('/', '-')}.ics"
        path.write_bytes(object_bytes(key, b"".join(events)))
        wanted[path] = [
            Seen(f"{number:03}@x", int(start.timestamp()), int((start + HOUR).timestamp()))
            for number, start in enumerate(starts)
        ]
    return wanted


def test_icalendar_and_libical(files: dict[Path, list[Seen]]) -> None:
    for path, seen in zip(files, by_libical(list(files)), strict=True):
        assert seen == files[path], path.name
    for path, wanted in files.items():
        assert by_icalendar(path) == wanted, path.name


def test_ical_js(files: dict[Path, list[Seen]], node_clients: Node) -> None:
    for path, seen in zip(files, by_javascript(node_clients, list(files), "ical.js"), strict=True):
        assert seen == files[path], path.name
