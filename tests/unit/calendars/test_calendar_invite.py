"""The customer's own .ics."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest

from scheduler.calendars.invite import InviteFacts, invite_bytes, invite_event
from scheduler.calendars.timezone import timezone_component
from tests.unit.calendars.desk import NOW

FACTS = InviteFacts(
    uid="6f1f9f3a@citas.example.es",
    sequence=1,
    changed_at=NOW,
    starts_at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
    ends_at=datetime(2026, 11, 25, 10, 30, tzinfo=UTC),
    zone="Atlantic/Canary",
    locale="es",
    status="confirmed",
    platform="asterisk",
    system_name="Centralita",
    method="ssh",
    technician="Ana Ruiz",
    desk="Soporte Ejemplo",
    desk_phone="+34 910 000 000",
    manage_url="https://citas.example.es/a/uJ3bTJ5LXnQzGmQ2v1sWJw9y",
)


def test_it_says_what_the_customer_sees() -> None:
    calendar: Any = icalendar.Calendar.from_ical(invite_bytes(FACTS))
    assert calendar["METHOD"] == "PUBLISH"
    (event,) = calendar.walk("VEVENT")
    assert event["SUMMARY"] == "Intervención remota · Asterisk · Soporte Ejemplo"
    assert event["DESCRIPTION"] == (
        "Sistema: Asterisk · Centralita\nTécnico: Ana Ruiz\nTeléfono de soporte: +34 910 000 000\n\n"
        "Ver, mover o cancelar la intervención: https://citas.example.es/a/uJ3bTJ5LXnQzGmQ2v1sWJw9y"
    )
    assert event["URL"] == FACTS.manage_url
    assert event["STATUS"] == "CONFIRMED"
    assert (event.start.astimezone(UTC), event.end.astimezone(UTC)) == (FACTS.starts_at, FACTS.ends_at)
    assert event["DTSTART"].params["TZID"] == "Atlantic/Canary"
    assert len(calendar.walk("VTIMEZONE")) == 1


def test_english_customers_read_english() -> None:
    event: Any = icalendar.Event.from_ical(invite_event(replace(FACTS, locale="en")))
    assert event["SUMMARY"] == "Remote intervention · Asterisk · Soporte Ejemplo"
    assert event["DESCRIPTION"].startswith("System: Asterisk · Centralita\nTechnician: Ana Ruiz\n")


@pytest.mark.parametrize(
    ("status", "said"), [("pending", "TENTATIVE"), ("held", "TENTATIVE"), ("cancelled", "CANCELLED")]
)
def test_status(status: str, said: str) -> None:
    event: Any = icalendar.Event.from_ical(invite_event(replace(FACTS, status=status)))
    assert event["STATUS"] == said
    assert event["SUMMARY"].startswith("[CANCELADA]") == (status == "cancelled")


def test_the_bytes_are_those_of_icalendar() -> None:
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Ventana//Ventana//ES")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add_component(timezone_component(FACTS.zone))
    calendar.add_component(icalendar.Event.from_ical(invite_event(FACTS)))
    assert invite_bytes(FACTS) == calendar.to_ical()
