"""The waiting list at the browser: joining where nothing is free, the mailed link, the dispatcher's queue."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from scheduler.store.engines import read, write
from scheduler.store.models import (
    Absence,
    Booking,
    Contact,
    Customer,
    Notice,
    SlotOffer,
    Technician,
    WaitingEntry,
)
from scheduler.waiting import offering

Submit = Callable[..., TestResponse]
WEDNESDAY = {"from_on": "2026-11-25", "until_on": "2026-11-25"}
ANSWER = re.compile(r"http://localhost(/waiting/offer/\S+)")


@pytest.fixture
def full(service: Any, sol: Any) -> None:
    """Marta is away on Wednesday, and Elena knows no PBX."""
    with write(service.sessions) as session:
        for person in session.scalars(select(Technician)):
            start = datetime(2026, 11, 24, 23, tzinfo=UTC)
            session.add(
                Absence(
                    technician_id=person.id,
                    starts_at=start,
                    ends_at=start + timedelta(days=1),
                    reason="Feria",
                )
            )


def join(sol: Any, submit: Submit, **changed: str) -> TestResponse:
    fields = {"entitlement": str(sol.right), "door": str(sol.door), "minutes": "60", "technician": "any"}
    return submit(sol.browser, "/book/waiting", **{**fields, **WEDNESDAY, **changed})


def come_back(service: Any) -> None:
    """Wednesday is free again."""
    with write(service.sessions) as session:
        for row in session.scalars(select(Absence)):
            session.delete(row)


def sweep(service: Any) -> None:
    offering.sweep(service.sessions, service.clock, service.installation)


def link(service: Any) -> str:
    """The address in the last mail that offers a slot."""
    with read(service.sessions) as session:
        query = select(Notice.text).where(Notice.kind == "waiting_offer").order_by(Notice.id.desc())
        found = ANSWER.search(session.scalars(query).first() or "")
    assert found
    return found.group(1)


def offers(service: Any) -> list[str]:
    with read(service.sessions) as session:
        return list(session.scalars(select(SlotOffer.state).order_by(SlotOffer.id)))


@pytest.fixture
def offered(service: Any, sol: Any, full: None, submit: Submit) -> str:
    """Sol waits for Wednesday, a slot has come free, and this is where its link leads."""
    assert join(sol, submit).status_code == 303
    come_back(service)
    sweep(service)
    return link(service)


def test_the_page_of_times_offers_the_list_for_the_days_it_shows(sol: Any, full: None) -> None:
    page = sol.browser.get(f"/book/time?{sol.query}&minutes=90&from=2026-11-25").text
    target = re.search(r'href="(/book/waiting\?[^"]+)"', page)
    assert target
    form = sol.browser.get(target.group(1).replace("&amp;", "&")).text
    assert 'name="from_on"' in form
    assert 'value="2026-11-25"' in form
    assert re.search(r'value="90" checked', form)
    assert "30 min de horario de soporte" in form


def test_joining_shows_the_entry_and_leaving_ends_it(
    sol: Any, service: Any, full: None, submit: Submit
) -> None:
    assert join(sol, submit, description="Sin tono").location == "/book/waiting"
    page = sol.browser.get("/book/waiting").text
    assert "mié 25 nov" in page
    assert "Su lista de espera" in sol.browser.get("/book/entitlement").text
    entry = re.search(r'data-entry="(\d+)"', page)
    assert entry
    assert submit(sol.browser, f"/book/waiting/{entry.group(1)}/leave").status_code == 303
    assert "ha salido de la lista" in sol.browser.get("/book/waiting").text
    with read(service.sessions) as session:
        assert session.scalars(select(WaitingEntry.state)).all() == ["left"]


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"from_on": ""}, "invalid_input:required", "Primer día"),
        ({"from_on": "pronto"}, "invalid_input:not_a_date", "Primer día"),
        ({"from_on": "2026-11-20"}, "invalid_input:in_the_past", "Primer día"),
        ({"until_on": "2026-11-24"}, "invalid_input:before_start", "Último día"),
        ({"until_on": "2027-01-25"}, "invalid_input:range_too_long", "31 días"),
        ({"until_on": "2026-11-26"}, "range_has_free_times", "jue 26 nov"),
        ({"from_on": "2026-11-24", "until_on": "2026-11-24"}, "lead_time_too_short", "8 h"),
        ({"minutes": "45"}, "duration_not_offered", "30 min"),
        ({"description": "Por AnyDesk"}, "tool_not_accepted", "AnyDesk"),
        ({"entitlement": ""}, "invalid_input:required", "Soporte"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why(
    sol: Any, service: Any, full: None, submit: Submit, changed: dict[str, str], code: str, said: str
) -> None:
    answer = join(sol, submit, **changed)
    assert answer.status_code in (409, 422)
    assert f'data-refused="{code}"' in answer.text
    assert said in answer.text
    with read(service.sessions) as session:
        assert session.scalar(select(WaitingEntry.id)) is None


def test_the_same_days_twice_are_refused(sol: Any, full: None, submit: Submit) -> None:
    join(sol, submit)
    assert 'data-refused="invalid_input:waiting_already"' in join(sol, submit).text


def test_looking_at_the_link_changes_nothing_and_needs_no_sign_in(
    app: Flask, service: Any, offered: str
) -> None:
    looks = [app.test_client().get(offered) for _ in range(2)]
    for page in looks:
        assert page.status_code == 200
        assert "miércoles 25 de noviembre, 11:00–12:00" in page.text
        assert "Reservar este hueco" in page.text
    assert looks[0].headers["Cache-Control"] == "no-store"
    assert looks[0].headers["Referrer-Policy"] == "no-referrer"
    assert offers(service) == ["open"]


def test_the_button_books_and_the_link_works_once(app: Flask, service: Any, offered: str) -> None:
    browser = app.test_client()
    answer = browser.post(offered, data={"answer": "accept"})
    assert answer.status_code == 303
    assert "Reserva confirmada" in browser.get(answer.location).text
    for again in (browser.post(offered, data={"answer": "accept"}), browser.get(offered)):
        assert again.status_code == 410
        assert "ya se ha reservado con este enlace" in again.text
        assert answer.location not in again.text
    with read(service.sessions) as session:
        assert session.scalars(select(Booking.status).order_by(Booking.id)).all() == ["expired", "confirmed"]


def test_declining_leaves_it_to_the_next(app: Flask, service: Any, offered: str) -> None:
    browser = app.test_client()
    browser.post(offered, data={"answer": "decline"})
    assert "al siguiente de la lista" in browser.get(offered).text
    assert browser.post(offered, data={"answer": "accept"}).status_code == 410
    assert offers(service) == ["declined"]


def test_too_late_is_said_and_books_nothing(app: Flask, service: Any, offered: str) -> None:
    service.clock.advance(timedelta(minutes=30))
    answer = app.test_client().post(offered, data={"answer": "accept"})
    assert answer.status_code == 410
    assert 'data-offer="expired"' in answer.text
    with read(service.sessions) as session:
        assert session.scalar(select(Booking.id).where(Booking.status == "confirmed")) is None


@pytest.mark.parametrize("token", ["x", "a" * 24, "ñ", "%00"])
def test_another_link_opens_nothing(app: Flask, offered: str, token: str) -> None:
    browser = app.test_client()
    for address in (f"/waiting/offer/{token}", f"/waiting/leave/{token}", f"/waiting/leave/1-{token}"):
        assert browser.get(address).status_code == 404
        assert browser.post(address).status_code == 404


def test_the_mail_programs_click_leaves_the_list(app: Flask, service: Any, offered: str) -> None:
    with read(service.sessions) as session:
        stop = session.scalars(select(Notice.stop_url).where(Notice.kind == "waiting_offer")).one() or ""
    address, browser = stop.removeprefix("http://localhost"), app.test_client()
    assert "Está esperando" in browser.get(address).text
    clicked = browser.post(address, data={"List-Unsubscribe": "One-Click"}, headers={"Origin": "null"})
    assert "Ya no espera" in clicked.text
    assert offers(service) == ["withdrawn"]
    assert "Ya no está en la lista" in browser.get(offered).text


def test_the_customer_answers_from_their_own_list_too(sol: Any, offered: str) -> None:
    assert f'href="{offered}"' in sol.browser.get("/book/waiting").text


def test_another_customer_sees_and_ends_nothing(
    stranger: FlaskClient, service: Any, offered: str, submit: Submit
) -> None:
    assert "mié 25" not in stranger.get("/book/waiting").text
    assert submit(stranger, "/book/waiting/1/leave").status_code == 404
    assert offers(service) == ["open"]


def test_the_dispatcher_sees_who_was_asked_and_takes_off_the_list(
    elena: FlaskClient, service: Any, offered: str, submit: Submit
) -> None:
    assert "1 espera un hueco" in elena.get("/customers").text
    page = elena.get("/waiting").text
    assert "Clínica Sol" in page
    assert "ofrecido" in page
    assert offered not in page
    empty = submit(elena, "/waiting/1/remove", reason="")
    assert (empty.status_code, 'data-refused="invalid_input:required"' in empty.text) == (422, True)
    assert submit(elena, "/waiting/1/remove", reason="Ya lo resolvimos").status_code == 303
    assert "Ya lo resolvimos" in elena.get("/waiting").text
    with read(service.sessions) as session:
        ended = session.scalars(select(Notice).where(Notice.kind == "waiting_ended")).one()
    assert "Ya lo resolvimos" in ended.text
    assert submit(elena, "/waiting/99/remove", reason="Nada").status_code == 404


def test_the_dispatcher_puts_a_customer_on_the_list_who_calls(
    elena: FlaskClient, service: Any, sol: Any, full: None, submit: Submit
) -> None:
    form = elena.get(f"/waiting/new?door={sol.door}&minutes=90").text
    assert re.search(rf'<option value="{sol.door}" selected>Clínica Sol', form)
    assert re.search(r'value="90" checked', form)
    with write(service.sessions) as session:
        session.execute(update(Customer).values(zone="Atlantic/Canary"))
    typed = {"door": str(sol.door), "minutes": "60", **WEDNESDAY}
    assert submit(elena, "/waiting/new", **typed).location == "/waiting"
    assert "Clínica Sol" in elena.get("/waiting").text
    assert "mié 25 nov" in sol.browser.get("/book/waiting").text
    come_back(service)
    sweep(service)
    with read(service.sessions) as session:
        contacts = session.scalars(select(Contact.email).where(Contact.customer_id == 1)).all()
        told = select(Notice.to_address).where(Notice.kind == "waiting_offer")
        assert sorted(session.scalars(told)) == sorted(contacts)
        assert session.scalars(select(WaitingEntry.zone)).all() == ["Atlantic/Canary"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"door": ""}, "invalid_input:required"),
        ({"door": "999"}, "invalid_input:required"),
        ({"from_on": "pronto"}, "invalid_input:not_a_date"),
        ({"until_on": "2026-11-26"}, "range_has_free_times"),
        ({"description": "Por AnyDesk"}, "tool_not_accepted"),
    ],
)
def test_what_the_dispatcher_cannot_ask_for_is_said_and_nothing_is_lost(
    elena: FlaskClient, service: Any, sol: Any, full: None, submit: Submit, changed: dict[str, str], code: str
) -> None:
    typed = {"door": str(sol.door), "minutes": "60", **WEDNESDAY, "description": "Sin tono", **changed}
    answer = submit(elena, "/waiting/new", **typed)
    assert answer.status_code in (409, 422)
    assert f'data-refused="{code}"' in answer.text
    assert typed["description"] in answer.text
    with read(service.sessions) as session:
        assert session.scalar(select(WaitingEntry.id)) is None


def test_the_conditions_say_how_the_list_works(sol: Any, service: Any) -> None:
    assert "30 min de horario de soporte" in sol.browser.get("/conditions").text
