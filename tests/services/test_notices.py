"""Every mail of every kind in both languages: rendered, whole, and with what the reader needs."""

import re
from pathlib import Path

import pytest
from sqlalchemy import select, update

import scheduler.mails
from scheduler.bookings import booking as bookings
from scheduler.calendars.secrets import create_feed
from scheduler.links import booking_token
from scheduler.mailing import notices
from scheduler.rules.secret import Secret
from scheduler.rules.verdict import light
from scheduler.store.models import Booking, Check, Customer, Notice, Technician
from tests.services.conftest import NOW, SOL, Bench, at

FOLDER = Path(scheduler.mails.__file__).parent
KINDS = sorted(path.stem for path in (FOLDER / "es").glob("*.txt"))
SPANISH = re.compile(r"\b(Hola|usted|intervención|sesión|reserva|Teléfono)\b", re.IGNORECASE)
ENGLISH = re.compile(r"\b(Hello|Dear|session|booking|Phone|your)\b", re.IGNORECASE)
NO_SESSION = {
    "code",
    "completed",
    "claim_accepted",
    "claim_refused",
    "low_balance",
    "mail_request",
    "mail_request_received",
    "password_changed",
    "rma",
    "rma_asked",
    "set_password",
    "to_move",
    "waiting_ended",
}
"""Mails that are not about when a session takes place."""
REASON = "Centralita caída, autorizado por dirección."


class Advice:
    """A remedy as the probes give it."""

    title = "Añada nuestra clave"
    text = "Copie esta línea en ~/.ssh/authorized_keys."
    copyable = "ssh-ed25519 AAAA ventana\nsegunda línea"


def book(bench: Bench, locale: str = "es") -> int:
    with bench.writing() as (session, desk):
        session.execute(update(Customer).values(locale=locale))
        session.execute(update(Technician).values(locale=locale))
        actor = bench.customer(session, SOL)
        return bookings.book(session, desk, NOW, actor, bench.request(session, SOL, at(25, 10, 30))).id


def render(bench: Bench, kind: str, booking_id: int) -> Notice:
    """The mail of this kind for the booking, with all that any kind may say."""
    with bench.writing() as (session, desk):
        row = session.get_one(Booking, booking_id)
        locale = row.customer.locale
        row.session_note, row.minutes_used, row.override_reason = "Resuelto.\nReinicio.", 45, REASON
        facts = notices.booking_facts(desk, row, locale)
        facts |= {"code": "048213", "advice": Advice(), "what": "moved", "state": "fail", "by": "Marta Ruiz"}
        facts |= {"cif": SOL, "serial": "GX-1", "until": "31/12/2026", "reason": "No consta.", "hours": 72}
        facts |= {"who": "Pablo Sol", "sender": "otro@sol.example"}
        facts |= {"lines": ["miércoles 25 de noviembre" if locale == "es" else "Wednesday 25 November"]}
        facts |= {"topic": "sip.conf", "words": "SIP 403", "invoice": "F-1", "file_name": "log.txt"}
        facts |= {"step": "code_issued", "number": 7, "rma_code": "RMA-2345", "symptoms": "SIP 503"}
        facts |= {"from_name": "Ana López", "from_address": "ana@sol.example"}
        facts |= {"decide_by": "martes 24", "unanswered": "release"}
        facts |= {"first": "miércoles 25", "last": "viernes 27", "length": "1 h"}
        reader = notices.Reader("Ana López", "ana@sol.example", locale)
        notices.write(session, desk, NOW, f"test:{kind}", kind, reader, facts, booking_id=row.id)
        return session.scalars(select(Notice).where(Notice.key == f"test:{kind}")).one()


def test_both_languages_have_the_same_mails() -> None:
    assert sorted(path.stem for path in (FOLDER / "en").glob("*.txt")) == KINDS
    assert {"code", "confirmed", "moved", "cancelled", "released", "completed"} < set(KINDS)
    for verdict in ("ready", "at_risk", "not_ready", "unknown"):
        assert f"light_{light(verdict)}" in KINDS


@pytest.mark.parametrize("locale", ["es", "en"])
def test_every_mail_is_whole(bench: Bench, locale: str) -> None:
    booked = book(bench, locale)
    for kind in KINDS:
        mail = render(bench, kind, booked)
        everything = f"{mail.subject}\n{mail.text}\n{mail.html}"
        for broken in ("None", "{{", "{%", "}}", "Undefined", "\x00", "  \n"):
            assert broken not in everything, (kind, broken)
        assert "\n\n\n" not in mail.text, kind
        assert 10 <= len(mail.subject) <= 120, (kind, mail.subject)
        assert "\n" not in mail.subject
        assert "Ana López" in mail.text or kind == "claim_refused", "of that one nobody knows the name"
        assert "Soporte Levantia" in everything, kind
        mine, other = (SPANISH, ENGLISH) if locale == "es" else (ENGLISH, SPANISH)
        plain = mail.text.replace(REASON, "").replace(Advice.text, "").replace(Advice.title, "")
        assert mine.search(plain), kind
        assert not other.search(plain), (kind, other.search(plain))


@pytest.mark.parametrize("locale", ["es", "en"])
def test_mails_say_when_with_the_zone(bench: Bench, locale: str) -> None:
    booked = book(bench, locale)
    said = {
        "es": "miércoles 25 de noviembre, 10:30–11:30, España peninsular (UTC+1)",
        "en": "Wednesday 25 November, 10:30–11:30, mainland Spain (UTC+1)",
    }[locale]
    for kind in set(KINDS) - NO_SESSION:
        assert said in render(bench, kind, booked).text, kind


def test_the_link_manages_this_booking(bench: Bench) -> None:
    booked = book(bench)
    mail = render(bench, "confirmed", booked)
    with bench.writing() as (session, desk):
        token = booking_token(desk.installation.keys.link, session.get_one(Booking, booked).uid)
    assert f"https://soporte.example/a/{token}" in mail.text
    assert f'<a href="https://soporte.example/a/{token}">' in mail.html


def test_a_remedy_can_be_copied_line_by_line(bench: Bench) -> None:
    mail = render(bench, "light_fail", book(bench))
    assert "    ssh-ed25519 AAAA ventana\n    segunda línea\n" in mail.text
    assert ">ssh-ed25519 AAAA ventana\nsegunda línea</pre>" in mail.html


def test_what_people_wrote_is_no_markup(bench: Bench) -> None:
    booked = book(bench)
    with bench.writing() as (session, _):
        session.execute(update(Customer).values(company='<script>alert("1")</script> {{ 7*7 }} & S.L.'))
    mail = render(bench, "confirmed", booked)
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "{{ 7*7 }}" in mail.text


def test_the_same_mail_is_written_once(bench: Bench) -> None:
    booked = book(bench)
    first, second = render(bench, "moved", booked), render(bench, "moved", booked)
    assert first.id == second.id
    assert [asked for asked in bench.wakes if asked[:2] == ("notice", first.id)] == [
        ("notice", first.id, 0, NOW)
    ]


def test_each_mail_has_a_message_id_of_its_own(bench: Bench) -> None:
    booked = book(bench)
    ids = {render(bench, kind, booked).message_id for kind in KINDS}
    assert len(ids) == len(KINDS)
    assert all(re.fullmatch(r"<[0-9a-f-]{36}@levantia\.example>", one) for one in ids)


@pytest.mark.parametrize(("start", "told"), [(at(25, 10, 30), []), (at(24, 18), ["staff_confirmed"])])
def test_a_technician_with_a_calendar_is_mailed_when_it_is_too_slow(
    bench: Bench, start: object, told: list[str]
) -> None:
    with bench.writing() as (session, desk):
        from scheduler.actor import Actor

        marta = session.scalars(select(Technician).where(Technician.email == "marta@levantia.example")).one()
        create_feed(session, Secret("f0" * 32), marta.id, "interventions", NOW).last_read_at = NOW
        wish = bench.request(session, SOL, start, override_reason=REASON)  # type: ignore[arg-type]
        bookings.book(session, desk, NOW, Actor("dispatcher", 3, "Elena"), wish)
        kinds = session.scalars(select(Notice.kind).where(Notice.to_address == "marta@levantia.example"))
        assert list(kinds) == told


def test_a_light_is_told_to_every_contact_once(bench: Bench) -> None:
    booked = book(bench)
    for _ in range(2):
        with bench.writing() as (session, desk):
            row = session.get_one(Booking, booked)
            check = session.scalars(select(Check).where(Check.booking_id == booked)).first()
            assert check is not None
            row.verdict = "not_ready"
            notices.light_changed(session, desk, NOW, row, check, Advice())
    with bench.writing() as (session, _):
        told = session.scalars(select(Notice).where(Notice.kind == "light_fail")).all()
        assert [notice.to_address for notice in told] == [f"a@{SOL.lower()}.example"]
        assert "martes" not in told[0].text
        assert "08:30" in told[0].text, "two hours before, the hour is freed"
