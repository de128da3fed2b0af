"""Read a calendar as programs do that use python-caldav: arguments are address, user, password and a sync token."""

import json
import sys

from caldav import DAVClient  # type: ignore[import-not-found]  # it is in an environment of its own
from caldav.lib.error import AuthorizationError  # type: ignore[import-not-found]


def main(url: str, user: str, password: str, token: str = "") -> None:
    """Print what was found as JSON."""
    with DAVClient(url, username=user, password=password) as client:
        calendars = client.principal().calendars()
        own = next(calendar for calendar in calendars if str(calendar.url).endswith("/interventions/"))
        changes = own.get_objects_by_sync_token(token or None, load_objects=True, disable_fallback=True)
        found = {
            "calendars": sorted(calendar.get_display_name() for calendar in calendars),
            "token": changes.sync_token,
            "changed": {_name(it): it.icalendar_component.to_ical().decode() for it in changes if it.data},
            "gone": sorted(_name(it) for it in changes if not it.data),
        }
        if not token:
            found["all"] = sorted(str(event.icalendar_component["UID"]) for event in own.get_events())
            uid = found["all"][0]
            found["by_uid"] = str(own.get_event_by_uid(uid).icalendar_component["UID"])
            found["written"] = _try_to_write(own)
    json.dump(found, sys.stdout)


def _name(event: object) -> str:
    return str(event.url).rpartition("/")[2]  # type: ignore[attr-defined]  # the library is not in this environment


def _try_to_write(calendar: object) -> str:
    """What happens to one who tries."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:x",
        "BEGIN:VEVENT",
        "UID:x",
        "DTSTAMP:20260101T000000Z",
    )
    ends = ("DTSTART:20261125T090000Z", "SUMMARY:x", "END:VEVENT", "END:VCALENDAR", "")
    try:
        calendar.add_event("\r\n".join((*lines, *ends)))  # type: ignore[attr-defined]
    except AuthorizationError as error:
        return type(error).__name__
    return "written"


if __name__ == "__main__":
    main(*sys.argv[1:])
