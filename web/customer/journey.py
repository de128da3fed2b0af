"""What the customer has chosen so far, as it travels in the addresses of the steps."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import request, url_for

from web.i18n import gettext as _
from web.parts.week import day_in

OWN, ANY = "own", "any"
ID = "int(max=999999999999999)"
"""Greater numbers in an address do not fit into the database's integers and would be an error there."""
_LONGEST = 120
"""Longer values in an address are nobody's choice; they are dropped, not refused."""


@dataclass(frozen=True, slots=True)
class Trip:
    """Entitlement and topic, the door into the PBX, and how the week of times is looked at.

    `minutes` 0 and an empty `technician` or `zone` mean: not chosen, take what suits the customer.
    """

    entitlement: int | None = None
    topic: str | None = None
    door: int | None = None
    minutes: int = 0
    technician: str = ""
    zone: str = ""
    first: date | None = None

    def url(self, endpoint: str, **changes: Any) -> str:
        """The address of a step with these choices, some of them changed."""
        values: dict[str, Any] = {**replace(self, **changes).query()}
        return url_for(endpoint, **values)

    def query(self) -> dict[str, str]:
        """The choices as query parameters; those not made are left out."""
        values = {
            "entitlement": self.entitlement,
            "topic": self.topic,
            "door": self.door,
            "minutes": self.minutes,
            "technician": self.technician,
            "zone": self.zone,
            "from": self.first.isoformat() if self.first else None,
        }
        return {name: str(value) for name, value in values.items() if value}


def current_trip() -> Trip:
    """The choices of this request: what the form says wins over the address. Nonsense counts as not chosen."""
    given = {**request.args.to_dict(), **request.form.to_dict()}
    values = {name: value for name, value in given.items() if len(value) <= _LONGEST}
    return Trip(
        entitlement=_number(values.get("entitlement")),
        topic=values.get("topic") or None,
        door=_number(values.get("door")),
        minutes=_number(values.get("minutes")) or 0,
        technician=values.get("technician", "") if values.get("technician") in (OWN, ANY) else "",
        zone=values.get("zone", "") if known_zone(values.get("zone", "")) else "",
        first=day_in(values.get("from")),
    )


def known_zone(name: str) -> ZoneInfo | None:
    """The time zone of this name, or None. Only region/city and UTC: "localtime" would mean our server's."""
    if "/" not in name and name != "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def steps(trip: Trip, current: int) -> list[dict[str, str]]:
    """The steps for the `journey` macro; `current` counts from 1."""
    names = (_("Company"), _("Support"), _("PBX"), _("Access and time"), _("Confirmed"))
    endpoints = ("arrival.start", "entitlement.choose", "doors.choose", "booking.choose", "")
    return [
        {
            "name": name,
            "url": trip.url(f"customer.{endpoint}") if number < current else "",
            "state": "done" if number < current else "current" if number == current else "ahead",
        }
        for number, (name, endpoint) in enumerate(zip(names, endpoints, strict=True), 1)
    ]


def _number(text: str | None) -> int | None:
    # 15 digits: more do not fit into the database's integers and would be an error there.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 15 else None
