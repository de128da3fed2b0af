"""What of a foreign calendar reaches the parser."""

from datetime import date

import pytest

from fixtures.calendar_server import calendar, meeting
from scheduler.busy.charset import decoded
from scheduler.busy.sieve import Unreadable, sieve

FIRST, LAST = date(2026, 11, 24), date(2027, 1, 30)
SOON = meeting("soon", "20261125T100000Z", "20261125T110000Z")


def sieved(*events: str, head: str = "") -> str:
    return sieve(calendar(*events, head=head).decode(), FIRST, LAST)


def test_what_is_not_about_time_never_passes() -> None:
    told = sieved(SOON + "\nDESCRIPTION:Secreto que se\n  pliega\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM")
    assert "DTSTART:20261125T100000Z" in told
    assert not [word for word in ("Dentista", "Secreto", "pliega", "VALARM", "TRIGGER") if word in told]


@pytest.mark.parametrize(
    ("event", "stays"),
    [
        (SOON, True),
        (meeting("past", "20200101T100000Z", "20200101T110000Z"), False),
        (meeting("far", "20280101T100000Z", "20280101T110000Z"), False),
        (meeting("long", "20200101T100000Z", "20280101T110000Z"), True),
        (meeting("series", "20200101T100000Z", "20200101T110000Z", "RRULE:FREQ=WEEKLY"), True),
        (meeting("over", "20200101T100000Z", "20200101T110000Z", "RRULE:FREQ=DAILY;UNTIL=20210101"), False),
        (meeting("moved", "20280101T100000Z", "20280101T110000Z", "RECURRENCE-ID:20261126T100000Z"), True),
        ("UID:length\nDTSTART:20261120T100000Z\nDURATION:P9D", True),
        ("UID:timeless", False),
        ("UID:days\nDTSTART;VALUE=DATE:20261224", True),
    ],
)
def test_only_events_that_can_fall_into_the_days_stay(event: str, stays: bool) -> None:
    assert ("BEGIN:VEVENT" in sieved(event)) is stays


def test_zones_pass_whole_and_tasks_not_at_all() -> None:
    zone = "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:16010101T000000\nEND:STANDARD\nEND:VTIMEZONE\n"
    told = sieved(
        head=f"X-WR-TIMEZONE:Europe/Madrid\nX-WR-CALNAME:Mío\n{zone}BEGIN:VTODO\nUID:t\nEND:VTODO\n"
    )
    assert "BEGIN:STANDARD" in told
    assert "X-WR-TIMEZONE" in told
    assert "VTODO" not in told
    assert "CALNAME" not in told


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<!DOCTYPE html><html><title>Iniciar sesión</title>", "html"),
        ("", "not_calendar"),
        ("BEGIN:VCARD\r\nEND:VCARD", "not_calendar"),
        ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n", "cut_short"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR", "cut_short"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=MINUTELY\r\nEND:VEVENT\r\nEND:VCALENDAR", "too_frequent"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nrrule:freq=SEC\r\n ONDLY\r\nEND:VEVENT\r\nEND:VCALENDAR", "too_frequent"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_has_a_code(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        sieve(text, FIRST, LAST)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("body", "declared", "text"),
    [
        ("Reunión".encode(), "", "Reunión"),
        (b"\xef\xbb\xbfhola", "utf-8", "hola"),
        ("Reunión".encode("latin-1"), "ISO-8859-1", "Reunión"),
        ("Reunión".encode("utf-16"), "UTF-16", "Reunión"),
    ],
)
def test_a_declared_charset_is_read(body: bytes, declared: str, text: str) -> None:
    assert decoded(body, declared) == text


@pytest.mark.parametrize(
    ("body", "declared"),
    [
        ("Reunión".encode("latin-1"), ""),
        (b"x", "klingon"),
        (b"x", "rot13"),
        (b"x", "utf-7"),
        (b"\xff\xfe\xff", ""),
    ],
)
def test_a_wrong_charset_has_a_code(body: bytes, declared: str) -> None:
    with pytest.raises(Unreadable) as refused:
        decoded(body, declared)
    assert refused.value.code == "charset"
