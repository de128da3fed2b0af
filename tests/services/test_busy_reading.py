"""Reading foreign calendars in the bounded child: what is busy, what is not, and what a hostile one may cost."""

import json
import os
import re
import select
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.calendar_server import calendar, meeting
from scheduler.busy import bounded
from scheduler.busy.bounded import Answer, Question, read_calendar
from scheduler.rules.intervals import Interval

WINDOW = Interval(datetime(2026, 11, 24, tzinfo=UTC), datetime(2027, 1, 30, tzinfo=UTC))
QUESTION = Question(WINDOW, "Europe/Madrid", "levantia.example")
EACH_SECOND = (
    "UID:x\nDTSTART:20200101T000000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY;BYHOUR="
    + ",".join(map(str, range(24)))
    + ";BYMINUTE="
    + ",".join(map(str, range(60)))
    + ";BYSECOND="
    + ",".join(map(str, range(60)))
)
"""A rule that is not called SECONDLY and means it."""


def said(*events: str, head: str = "") -> list[str]:
    """The busy times as the first ones' "day hour:minute-hour:minute" in UTC."""
    answer = read_calendar(calendar(*events, head=head), QUESTION)
    assert answer.code is None
    return [f"{each.start:%d.%m %H:%M}-{each.end:%H:%M}" for each in answer.busy]


SOON = meeting("soon", "20261125T100000Z", "20261125T110000Z")


def test_events_series_days_and_moved_parts_are_busy() -> None:
    """One child for many kinds, since each costs a tenth of a second to start."""
    weekly = "UID:w\nDTSTART;TZID=Europe/Madrid:20200101T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=400"
    weekly += ";BYDAY=WE\nEXDATE;TZID=Europe/Madrid:20261209T100000"
    moved = "UID:w\nRECURRENCE-ID;TZID=Europe/Madrid:20261216T100000\nDTSTART:20261217T150000Z\nDTEND:20261217T160000Z"
    cancelled = (
        "UID:w\nRECURRENCE-ID;TZID=Europe/Madrid:20261223T100000\nDTSTART:20261223T090000Z\nSTATUS:CANCELLED"
    )
    found = said(
        weekly,
        moved,
        cancelled,
        "UID:d\nDTSTART;VALUE=DATE:20261231",
        "UID:f\nDTSTART:20261130T080000\nDTEND:20261130T083000",
    )
    assert found[:6] == [
        "25.11 09:00-10:00",
        "30.11 07:00-07:30",
        "02.12 09:00-10:00",
        "17.12 15:00-16:00",
        "30.12 09:00-10:00",
        "30.12 23:00-23:00",
    ]


def test_free_cancelled_and_our_own_events_are_not_busy() -> None:
    ours = "3f2b8a52-0a3e-4c51-9d0f-0f4f6f7a1b2c@levantia.example"
    assert said(
        meeting("free", "20261125T100000Z", "20261125T110000Z", "TRANSP:TRANSPARENT"),
        meeting("off", "20261126T100000Z", "20261126T110000Z", "STATUS:CANCELLED"),
        meeting("outlook", "20261127T100000Z", "20261127T110000Z", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"),
        meeting(ours, "20261128T100000Z", "20261128T110000Z"),
        meeting(
            "slot-1-20261129T1000-20261129T1100@levantia.example", "20261129T100000Z", "20261129T110000Z"
        ),
        "UID:point\nDTSTART:20261130T100000Z",
        meeting("colleague@levantia.example", "20261201T100000Z", "20261201T110000Z"),
    ) == ["01.12 10:00-11:00"]


def test_a_zone_of_the_whole_calendar_and_published_free_busy_are_read() -> None:
    assert said(
        "UID:g\nDTSTART:20261125T100000Z\nDTEND:20261125T110000Z",
        "UID:h\nDTSTART:20261126T100000\nDTEND:20261126T110000",
        head="X-WR-TIMEZONE:America/New_York\nBEGIN:VFREEBUSY\nUID:z\nFREEBUSY:20261127T100000Z/PT1H\nFREEBUSY;FBTYPE=FREE:"
        "20261128T100000Z/PT1H\nEND:VFREEBUSY\n",
    ) == ["25.11 10:00-11:00", "26.11 15:00-16:00", "27.11 10:00-11:00"]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<!doctype html><html><body>Sign in</body></html>", "html"),
        (bytes(range(256)) * 64, "charset"),
        (b"\x00" * 4096, "not_calendar"),
        (calendar(SOON)[:-20], "cut_short"),
        (
            calendar(SOON + "\nSUMMARY:Reunión").decode().encode("latin-1").replace(b"SUMMARY", b"X-\xf1"),
            "charset",
        ),
        (calendar("UID:m\nDTSTART:20200101T100000Z\nRRULE:FREQ=MINUTELY"), "too_frequent"),
        (calendar("UID:m", head="CALSCALE:HEBREW\n"), "invalid"),
    ],
    ids=["html", "garbage", "zeros", "no end", "latin-1", "minutely", "hebrew"],
)
def test_what_cannot_be_read_has_a_code(body: bytes, code: str) -> None:
    assert read_calendar(body, QUESTION).code == code


def test_fifty_thousand_past_events_are_read_and_as_many_to_come_are_refused() -> None:
    event = "BEGIN:VEVENT\r\nUID:{0}\r\nDTSTART:{1}T100000Z\r\nDTEND:{1}T110000Z\r\nEND:VEVENT\r\n"
    head, tail = calendar().decode().split("END:VCALENDAR")
    past = "".join(
        event.format(number, f"2020{1 + number % 12:02}{1 + number % 28:02}") for number in range(50_000)
    )
    answer = read_calendar((head + past + "END:VCALENDAR" + tail).encode(), QUESTION)
    assert answer == Answer()
    to_come = past.replace(":2020", ":2026")
    to_come = re.sub(r":2026\d\d(\d\d)T", r":202612\1T", to_come)
    refused = read_calendar((head + to_come + "END:VCALENDAR" + tail).encode(), QUESTION)
    assert refused.code in ("too_many", "too_heavy")  # by their number, or by what reading them costs before


def highest_memory(child: "subprocess.Popen[bytes]") -> int:
    """The most memory in bytes that the child held until its output ends, from its own counter.

    The kernel's sum at its end would not do: it begins with what this process had when it forked.
    """
    highest = 0
    assert child.stdout
    while not select.select([child.stdout], [], [], 0.01)[0]:
        status = Path(f"/proc/{child.pid}/status").read_text("ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        highest = max(highest, int(found[1]) * 1024 if found else 0)
    return highest


def cost_of(body: bytes, cpu_seconds: int, memory_bytes: int) -> tuple[str, float, int]:
    """Code, processor seconds and the most memory in bytes of one reading, measured by the kernel."""
    asked = {
        "from": WINDOW.start.timestamp(),
        "to": WINDOW.end.timestamp(),
        "zone": "Europe/Madrid",
        "domain": "levantia.example",
        "charset": "",
        "cpu_seconds": cpu_seconds,
        "memory_bytes": memory_bytes,
    }
    child = subprocess.Popen(
        [sys.executable, "-c", bounded._START, json.dumps(asked)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=bounded._environment(),
    )
    assert child.stdin
    assert child.stdout
    with child.stdin, child.stdout:
        child.stdin.write(body)
        child.stdin.close()
        highest = highest_memory(child)
        out = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    code = "killed" if child.returncode else json.loads(out).get("code", "")
    return code, used.ru_utime + used.ru_stime, highest


def test_a_hostile_calendar_is_bounded_and_the_same_one_unbounded_is_not() -> None:
    hostile = calendar(EACH_SECOND)
    code, seconds, memory = cost_of(hostile, bounded.CPU_SECONDS, bounded.MEMORY_BYTES)
    assert code == "killed"
    assert seconds <= bounded.CPU_SECONDS + 0.2
    assert memory <= bounded.MEMORY_BYTES
    # The control: with room, the same bytes take more than either limit allows.
    _, seconds, memory = cost_of(hostile, 3, 4_000_000_000)
    assert seconds > bounded.CPU_SECONDS + 0.5


def test_the_child_knows_no_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTANA_VAULT_KEY", "secret")
    assert set(bounded._environment()) == {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
