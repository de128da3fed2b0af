"""One intervention as a VEVENT: the bytes, the words, and what must not be in it."""

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import ics  # type: ignore[import-untyped]  # it has no types
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st
from icalendar.parser import Contentline

from scheduler.calendars.event import EventFacts, FailedStep, busy_bytes, event_bodies, event_bytes
from scheduler.calendars.faces import with_alarm, with_name
from scheduler.calendars.lines import clean, folded, many_lines, one_line, shortened
from scheduler.calendars.lines import unfolded as lines_unfolded
from scheduler.calendars.timezone import vtimezone
from scheduler.calendars.words import ENGLISH, SPANISH, short_customer
from tests.unit.calendars.desk import BASE, NOW, facts

AWKWARD = (
    "Pérez; Hijos, S.L.\\ Ñandú",
    "C:\\Nueva carpeta\\nombre",
    "línea uno\nlínea dos\r\nlínea tres\rcuatro",
    "nulo\x00, campana\x07, borrado\x7f, C1\x9b",
    "separador\u2028de\u2029línea y \u0085siguiente",
    "derecha\u202eadreuqzi\u202c y \u2066aislado\u2069",
    "שלום \u200fעולם",
    "☎️📞👩‍👩‍👧‍👦" * 30,
    "ñ" * 500,
    "\ud800 solo",
    '"comillas": & < > = ^ \\; \\, \\\\n',
    "BEGIN:VEVENT\r\nSUMMARY:falso\r\nEND:VEVENT",
)


def unfolded(body: bytes) -> list[str]:
    return body.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def value(body: bytes, name: str) -> str:
    return next(line.partition(":")[2] for line in unfolded(body) if re.match(rf"{name}[;:]", line))


def parsed(body: bytes) -> Any:
    event = icalendar.Event.from_ical(body)
    assert event.errors == []
    return event


def whole(body: bytes, zone: str = "Europe/Madrid") -> bytes:
    head = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//ES\r\n"
    return head + vtimezone(zone) + body + b"END:VCALENDAR\r\n"


def assert_well_formed(body: bytes) -> None:
    assert body.endswith(b"\r\n")
    for line in body[:-2].split(b"\r\n"):
        assert len(line) <= 75, line
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode()  # a fold inside a character would not decode
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line)


def test_every_property_of_a_confirmed_intervention() -> None:
    assert unfolded(event_bytes(facts())) == [
        "BEGIN:VEVENT",
        "SUMMARY:✔ Asterisk · Clínica Sol",
        "DTSTART;TZID=Europe/Madrid:20261125T103000",
        "DTEND;TZID=Europe/Madrid:20261125T113000",
        "DTSTAMP:20261124T091000Z",
        "UID:6f1f9f3a-8c1e-4f6e-9a44-0d2f5ad1c001@citas.example.es",
        "SEQUENCE:2",
        "CATEGORIES:Asterisk,SSH",
        "DESCRIPTION:Acceso: ✔ (comprobado el 24/11/2026 10:10)\\n\\n"
        "Sistema: Asterisk · Centralita principal\\nDerecho: bolsa de horas\\nAsunto: Instalación\\n"
        "Contacto: Marta Gil\\, +34 600 000 000\\, marta@clinicasol.example\\n\\n"
        "El cliente escribió:\\nNo salen llamadas.",
        "LAST-MODIFIED:20261124T091000Z",
        "LOCATION:Acceso remoto (SSH)",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "URL:https://citas.example.es/s/7",
        "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
        "END:VEVENT",
    ]


def test_english_technicians_read_english() -> None:
    body = event_bytes(facts(locale="en", verdict="unknown", checked_at=None))
    assert value(body, "SUMMARY") == "… not tested · Asterisk · Clínica Sol"
    assert value(body, "DESCRIPTION").startswith("Access: … not tested (not checked yet)\\n")
    assert value(body, "LOCATION") == "Remote access (SSH)"


@pytest.mark.parametrize(
    ("changes", "summary", "status", "transparency", "busy"),
    [
        ({}, "✔ Asterisk · Clínica Sol", "CONFIRMED", "OPAQUE", "BUSY"),
        ({"verdict": "at_risk"}, "▲ CON AVISO · Asterisk · Clínica Sol", "CONFIRMED", "OPAQUE", "BUSY"),
        (
            {"verdict": "not_ready"},
            "✖ SIN ACCESO · Asterisk · Clínica Sol",
            "TENTATIVE",
            "OPAQUE",
            "TENTATIVE",
        ),
        ({"verdict": "unknown"}, "… sin probar · Asterisk · Clínica Sol", "CONFIRMED", "OPAQUE", "BUSY"),
        ({"status": "pending"}, "✔ Asterisk · Clínica Sol", "TENTATIVE", "OPAQUE", "TENTATIVE"),
        (
            {"status": "in_session", "verdict": "not_ready"},
            "✖ SIN ACCESO · Asterisk · Clínica Sol",
            "CONFIRMED",
            "OPAQUE",
            "BUSY",
        ),
        ({"status": "done"}, "Hecha · Asterisk · Clínica Sol", "CONFIRMED", "OPAQUE", "BUSY"),
        ({"status": "no_show"}, "No atendió · Asterisk · Clínica Sol", "CONFIRMED", "OPAQUE", "BUSY"),
        ({"status": "cancelled"}, "[CANCELADA] Asterisk · Clínica Sol", "CANCELLED", "TRANSPARENT", "FREE"),
        ({"status": "expired"}, "[CANCELADA] Asterisk · Clínica Sol", "CANCELLED", "TRANSPARENT", "FREE"),
        ({"platform": "3cx", "method": "rdp"}, "✔ 3CX · Clínica Sol", "CONFIRMED", "OPAQUE", "BUSY"),
    ],
)
def test_light_word_and_state(
    changes: dict[str, Any], summary: str, status: str, transparency: str, busy: str
) -> None:
    body = event_bytes(facts(**changes))
    found = [value(body, name) for name in ("SUMMARY", "STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS")]
    assert found == [summary, status, transparency, busy]


def test_the_failing_step_comes_with_its_fix() -> None:
    step = FailedStep("Puerto", "tcp_refused", "Abra el puerto 22022 de pbx.clinicasol.example a 192.0.2.10.")
    failing = facts(verdict="not_ready", failed_step=step)
    told = value(event_bodies(failing)[1], "DESCRIPTION")
    assert "Falla: Puerto (tcp_refused)\\nQué hacer: Abra el puerto 22022 de pbx.clinicasol.example a" in told
    assert "Dirección: pbx.clinicasol.example:22022" in told


@pytest.mark.parametrize("host", ["pbx.clinicasol.example", "203.0.113.7", "2001:db8::7", "pbx"])
def test_host_and_port_only_where_the_feed_may_say_them(host: str) -> None:
    step = FailedStep("Puerto", "tcp_refused", f"Pruebe: nc -vz {host} 22022; ({host}) {host.upper()}:22022")
    secretive = facts(
        host=host, failed_step=step, description=f"Entren por {host}. Gracias.", contact="Marta"
    )
    told = " ".join(unfolded(event_bytes(secretive)))
    assert not re.search(rf"(?<!\w){re.escape(host)}(?!\w)", told, re.IGNORECASE)
    assert host in " ".join(unfolded(event_bodies(secretive)[1]))


def test_hiding_a_host_leaves_longer_names_alone() -> None:
    body = event_bytes(facts(host="pbx", description="pbx-2 y mipbx y pbx.otra.es y el pbx"))
    assert value(body, "DESCRIPTION").endswith("pbx-2 y mipbx y pbx.otra.es y el …")


def test_facts_have_no_place_for_a_credential() -> None:
    names = {field.name for field in dataclasses.fields(EventFacts)}
    assert not {name for name in names if re.search("credential|password|username|key|secret|token", name)}


def test_an_alarm_is_put_into_what_is_stored() -> None:
    stored = event_bytes(facts())
    body = with_alarm(stored, 15, "es")
    assert "TRIGGER:-PT15M" in unfolded(body)
    event = parsed(body)
    (alarm,) = event.walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(minutes=-15)
    assert event.to_ical() == body
    alarm_lines = len(body.split(b"\r\n")) - len(stored.split(b"\r\n"))
    assert alarm_lines == len(alarm.to_ical().split(b"\r\n")) - 1


@pytest.mark.parametrize("text", AWKWARD, ids=range(len(AWKWARD)))
def test_a_name_is_added_to_a_summary_and_nothing_else_changes(text: str) -> None:
    stored = event_bytes(facts(customer=text, description=text))
    body = with_name(stored, text)
    assert_well_formed(body)
    assert value(body, "SUMMARY") == f"{value(stored, 'SUMMARY')} · {one_line(text).to_ical().decode()}"
    assert unfolded(body)[2:] == unfolded(stored)[2:]


@pytest.mark.parametrize("gone", [True, False])
def test_busy_says_when_and_nothing_else(gone: bool) -> None:
    lines = unfolded(busy_bytes(facts(status="cancelled" if gone else "confirmed")))
    assert lines == [
        "BEGIN:VEVENT",
        "SUMMARY:[CANCELADA] Ocupado" if gone else "SUMMARY:Ocupado",
        "DTSTART;TZID=Europe/Madrid:20261125T103000",
        "DTEND;TZID=Europe/Madrid:20261125T113000",
        "DTSTAMP:20261124T091000Z",
        "UID:6f1f9f3a-8c1e-4f6e-9a44-0d2f5ad1c001@citas.example.es",
        "SEQUENCE:2",
        "LAST-MODIFIED:20261124T091000Z",
        "STATUS:CANCELLED" if gone else "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT" if gone else "TRANSP:OPAQUE",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE" if gone else "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
        "END:VEVENT",
    ]


@given(st.text(max_size=300))
def test_folding_is_undone_by_unfolding_and_tears_nothing(text: str) -> None:
    line = b"SUMMARY:" + one_line(text).to_ical()
    body = folded(line)
    assert_well_formed(body)
    assert lines_unfolded(body) == line + b"\r\n"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=300))
def test_folds_fall_where_icalendar_has_them(text: str) -> None:
    line: Any = Contentline
    assert folded(text.encode()) == line(text).to_ical() + b"\r\n"


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("write", [event_bytes, busy_bytes, lambda all_: event_bodies(all_)[1]])
def test_the_bytes_are_those_of_icalendar(write: Callable[[EventFacts], bytes], text: str) -> None:
    body = write(facts(customer=text.replace("\\N", "\\M"), description=text.replace("\\N", "\\M")))
    assert icalendar.Event.from_ical(body).to_ical() == body


@pytest.mark.parametrize("before", range(60, 80))
@pytest.mark.parametrize("letter", ["a", "ñ", "€", "😀"])
def test_a_fold_falls_before_a_character_and_not_in_it(before: int, letter: str) -> None:
    line = b"X" * before + letter.encode() * 40
    assert_well_formed(folded(line))
    assert lines_unfolded(folded(line)) == line + b"\r\n"


def test_the_same_facts_give_the_same_bytes() -> None:
    assert event_bytes(facts()) == event_bytes(facts())


@pytest.mark.parametrize("text", AWKWARD, ids=range(len(AWKWARD)))
def test_awkward_text_keeps_the_file_whole(text: str) -> None:
    body = event_bytes(facts(customer=text, description=text, contact=text, system_name=text, topic=text))
    assert_well_formed(body)
    lines = unfolded(body)
    assert [line for line in lines if line.startswith("BEGIN:")] == ["BEGIN:VEVENT"]
    assert len([line for line in lines if line.startswith("SUMMARY")]) == 1
    assert len(list(parsed(body).property_items())) == len(lines)


@given(st.text(max_size=200))
def test_any_text_keeps_the_file_whole(text: str) -> None:
    body = event_bytes(facts(customer=text, description=text))
    assert_well_formed(body)
    parsed(body)


@pytest.mark.parametrize("text", [t for t in AWKWARD if "\\" not in t], ids=lambda t: t[:8])
def test_text_survives_the_way_through_a_client(text: str) -> None:
    read = parsed(event_bytes(facts(description=text, contact="", topic="")))["DESCRIPTION"]
    assert read.endswith(shortened(clean(text), 500))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("nulo\x00 campana\x07 borrado\x7f C1\x9b\ufeff", "nulo campana borrado C1"),
        ("al\u202erevés\u202c \u2066aislado\u2069 \u202aa\u202bb", "alrevés aislado ab"),
        ("שלום \u200fעולם\u200e", "שלום \u200fעולם\u200e"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\r\ng\rh\ni", "a\nb\nc\nd\ne\nf\ng\nh\ni"),
        ("\ud800 solo", "? solo"),
    ],
)
def test_cleaning(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
    assert one_line(text) == " ".join(cleaned.split())


def test_backslashes_are_not_line_breaks() -> None:
    # icalendar's own escaping makes a line break of "\N"; ours must not.
    assert one_line("C:\\Nueva\\nombre").to_ical() == b"C:\\\\Nueva\\\\nombre"
    assert many_lines("a\\;b,c\nd").to_ical() == b"a\\\\\\;b\\,c\\nd"


@pytest.mark.parametrize("at", range(55, 76))
def test_emoji_at_the_fold_are_not_torn(at: int) -> None:
    body = event_bytes(facts(customer="x" * (at - 40) + "👩‍🚀ñ€" * 3))
    assert_well_formed(body)


@pytest.mark.parametrize(
    ("company", "short"),
    [
        ("Clínica Sol S.L.", "Clínica Sol"),
        ("Clínica Sol, SLU", "Clínica Sol"),
        ("Talleres Ebro S. A.", "Talleres Ebro"),
        ("Cooperativa Valle S.Coop.", "Cooperativa Valle"),
        ("SL", "SL"),
        ("Salsa", "Salsa"),
        (
            "Comunicaciones Internacionales del Mediterráneo Occidental",
            "Comunicaciones Internacionales del Medi…",
        ),
    ],
)
def test_customers_are_called_as_people_call_them(company: str, short: str) -> None:
    assert short_customer(company) == short


def test_both_languages_say_the_same_things() -> None:
    for field in ("light", "prefix", "entitlement"):
        assert getattr(SPANISH, field).keys() == getattr(ENGLISH, field).keys()


NIGHTS = (
    (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), timedelta(hours=1)),  # before the clock goes back
    (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), timedelta(hours=1)),  # 02:30 the first time, 02:30 the second
    (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), timedelta(hours=1)),  # 02:30 the second time
    (datetime(2026, 10, 25, 23, 30, tzinfo=UTC), timedelta(minutes=30)),
    (datetime(2026, 10, 26, 9, 0, tzinfo=UTC), timedelta(hours=2)),
    (datetime(2027, 3, 27, 9, 0, tzinfo=UTC), timedelta(hours=1)),
    (datetime(2027, 3, 28, 0, 30, tzinfo=UTC), timedelta(hours=1)),  # over the gap
    (datetime(2027, 3, 29, 9, 0, tzinfo=UTC), timedelta(hours=1)),
)


@pytest.mark.parametrize("zone", ["Europe/Madrid", "Atlantic/Canary", "America/Santiago", "UTC"])
@pytest.mark.parametrize(("start", "length"), NIGHTS)
def test_clients_read_the_same_instants_around_the_change_of_the_clock(
    zone: str, start: datetime, length: timedelta
) -> None:
    body = event_bytes(facts(starts_at=start, ends_at=start + length, zone=zone))
    calendar = whole(body, zone)
    read: Any = icalendar.Calendar.from_ical(calendar)
    (event,) = read.walk("VEVENT")
    assert (event.start.astimezone(UTC), event.end.astimezone(UTC)) == (start, start + length)
    occurrence = recurring_ical_events.of(read).between(start - timedelta(hours=1), start + length)
    assert [found.start.astimezone(UTC) for found in occurrence] == [start]
    (other,) = ics.Calendar(calendar.decode()).events
    assert (other.begin.datetime.astimezone(UTC), other.end.datetime.astimezone(UTC)) == (
        start,
        start + length,
    )


def test_the_hour_that_comes_twice_is_written_in_utc() -> None:
    start = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert start.astimezone(ZoneInfo("Europe/Madrid")).fold == 1
    body = event_bytes(facts(starts_at=start, ends_at=start + timedelta(hours=1)))
    assert "DTSTART:20261025T011500Z" in unfolded(body)


def test_a_move_keeps_the_uid_and_raises_the_sequence() -> None:
    before, after = facts(), facts(sequence=3, changed_at=NOW + timedelta(seconds=1))
    assert value(event_bytes(before), "UID") == value(event_bytes(after), "UID")
    assert value(event_bytes(after), "SEQUENCE") == "3"
    assert value(event_bytes(after), "URL") == f"{BASE}/s/7"
