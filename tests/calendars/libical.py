"""libical, the C library behind GNOME, KDE and others, asked directly."""

import ctypes
import ctypes.util
from collections.abc import Iterator

import pytest

VEVENT = 4
"""ICAL_VEVENT_COMPONENT of its icalenums.h."""


class Time(ctypes.Structure):
    """icaltimetype."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        ("is_date", ctypes.c_int),
        ("is_daylight", ctypes.c_int),
        ("zone", ctypes.c_void_p),
    )


def library() -> ctypes.CDLL:
    """The library; skips the test where there is none."""
    name = ctypes.util.find_library("ical")
    if name is None:
        pytest.skip("libical is not installed (Debian: libical3)")
    found = ctypes.CDLL(name)
    for function, result, arguments in (
        ("icalparser_parse_string", ctypes.c_void_p, [ctypes.c_char_p]),
        ("icalcomponent_free", None, [ctypes.c_void_p]),
        ("icalcomponent_count_errors", ctypes.c_int, [ctypes.c_void_p]),
        ("icalcomponent_get_first_component", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        ("icalcomponent_get_next_component", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        ("icalcomponent_get_uid", ctypes.c_char_p, [ctypes.c_void_p]),
        ("icalcomponent_get_dtstart", Time, [ctypes.c_void_p]),
        ("icalcomponent_get_dtend", Time, [ctypes.c_void_p]),
        ("icaltime_as_timet_with_zone", ctypes.c_long, [Time, ctypes.c_void_p]),
    ):
        getattr(found, function).restype = result
        getattr(found, function).argtypes = arguments
    return found


def events(ical: ctypes.CDLL, body: bytes) -> list[tuple[str, int, int]]:
    """UID, start and end in seconds since 1970 of each event. Raises AssertionError for what it calls an error."""
    root = ical.icalparser_parse_string(body)
    assert root, "libical cannot read it"
    try:
        assert ical.icalcomponent_count_errors(root) == 0
        return [
            (
                ical.icalcomponent_get_uid(event).decode(),
                _seconds(ical, ical.icalcomponent_get_dtstart(event)),
                _seconds(ical, ical.icalcomponent_get_dtend(event)),
            )
            for event in _each(ical, root)
        ]
    finally:
        ical.icalcomponent_free(root)


def _each(ical: ctypes.CDLL, root: int) -> Iterator[int]:
    event = ical.icalcomponent_get_first_component(root, VEVENT)
    while event:
        yield event
        event = ical.icalcomponent_get_next_component(root, VEVENT)


def _seconds(ical: ctypes.CDLL, moment: Time) -> int:
    return int(ical.icaltime_as_timet_with_zone(moment, moment.zone))
