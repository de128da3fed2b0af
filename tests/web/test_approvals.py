"""Approvals at the browser: asked for, decided by the dispatcher, and told to the customer on every page."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

import scheduler
from scheduler.bookings import approving
from scheduler.bootstrap import read_conditions
from scheduler.links import booking_token
from scheduler.store.engines import read
from scheduler.store.models import Booking

Submit = Callable[..., TestResponse]
SHIPPED = Path(scheduler.__file__).parent / "conditions.toml"


@pytest.fixture(autouse=True)
def approving_desk(service: Any, tmp_path: Path) -> None:
    """The desk approves sessions from hour bundles, by its own conditions file."""
    file = tmp_path / "conditions.toml"
    file.write_text(SHIPPED.read_text().replace("needed_for = []", 'needed_for = ["hours"]'))
    object.__setattr__(service.installation, "conditions", read_conditions(file))


def ask(sol: Any, submit: Submit) -> str:
    """Book as a customer does; the address of the booking's page."""
    fields = {"entitlement": str(sol.right), "door": str(sol.door), "minutes": "60"}
    answer = submit(sol.browser, "/book/time", start="2026-11-25T10:00Z", description="Sin tono", **fields)
    assert answer.status_code == 303
    return str(answer.location)


def status(service: Any) -> str:
    with read(service.sessions) as session:
        return session.scalars(select(Booking.status).order_by(Booking.id.desc())).first() or ""


def test_the_customer_knows_before_and_after_that_the_desk_decides(
    sol: Any, service: Any, submit: Submit
) -> None:
    page = sol.browser.get(f"/book/time?{sol.query}").text
    assert "Pedir esta hora" in page
    assert "aprueba esta sesión" in page
    assert "aprueba cada sesión antes de confirmarla (Bono de horas)" in sol.browser.get("/conditions").text
    link = ask(sol, submit)
    said = sol.browser.get(link).text
    assert "Pendiente de aprobación" in said
    assert "miércoles 25 de noviembre, 09:00" in said
    assert status(service) == "pending"
    assert ask(sol, submit) == link, "a second click leads to what the first one booked"


def test_the_dispatcher_approves_from_the_list(
    sol: Any, elena: FlaskClient, service: Any, submit: Submit
) -> None:
    link = ask(sol, submit)
    assert "Por aprobar <b>1</b>" in elena.get("/team").text
    page = elena.get("/approvals").text
    for said in ("Clínica Sol", "mié 25 nov, 11:00–12:00", "Sin tono", "mié 25 nov, 09:00"):
        assert said in page, said
    assert submit(elena, "/approvals/1/approve", rev="1").location == "/approvals"
    assert status(service) == "confirmed"
    assert "Reserva confirmada" in sol.browser.get(link).text
    assert "aprobada" in elena.get("/approvals").text
    again = submit(elena, "/approvals/1/approve", rev="1")
    assert (again.status_code, 'data-refused="transition_not_allowed"' in again.text) == (409, True)


def test_a_refusal_needs_its_reason_and_the_customer_reads_it(
    sol: Any, elena: FlaskClient, service: Any, submit: Submit
) -> None:
    link = ask(sol, submit)
    empty = submit(elena, "/approvals/1/refuse", rev="1", reason=" ")
    assert (empty.status_code, 'data-refused="invalid_input:required"' in empty.text) == (422, True)
    assert status(service) == "pending"
    stale = submit(elena, "/approvals/1/refuse", rev="9", reason="Estamos de feria")
    assert (stale.status_code, 'data-refused="stale_revision"' in stale.text) == (409, True)
    assert 'value="Estamos de feria"' in stale.text
    assert submit(elena, "/approvals/1/refuse", rev="1", reason="Estamos de feria").status_code == 303
    assert status(service) == "cancelled"
    assert "Estamos de feria" in sol.browser.get(link).text
    assert "Estamos de feria" in elena.get("/approvals").text
    assert submit(elena, "/approvals/99/refuse", rev="1", reason="Estamos de feria").status_code == 404


def test_what_nobody_decided_on_is_said_to_the_customer(sol: Any, service: Any, submit: Submit) -> None:
    link = ask(sol, submit)
    service.clock.advance(timedelta(hours=23))
    approving.decide_overdue(service.sessions, service.clock, service.installation)
    assert status(service) == "expired"
    assert "Nadie del soporte la confirmó a tiempo" in sol.browser.get(link).text


def test_the_technician_sees_that_it_is_not_settled_and_cannot_start(
    app: Flask, sol: Any, elena: FlaskClient, service: Any, submit: Submit
) -> None:
    ask(sol, submit)
    assert "Pendiente de aprobación" in elena.get("/s/1").text
    assert submit(elena, "/s/1/start", rev="1").status_code == 409
    assert status(service) == "pending"


def test_a_desk_without_approvals_says_nothing_of_them(sol: Any, service: Any, submit: Submit) -> None:
    enforced = service.installation.conditions
    none = replace(enforced, approval=replace(enforced.approval, needed_for=()))
    object.__setattr__(service.installation, "conditions", none)
    assert "Confirmar reserva" in sol.browser.get(f"/book/time?{sol.query}").text
    assert "Aprobación" not in sol.browser.get("/conditions").text
    ask(sol, submit)
    assert status(service) == "confirmed"
    with read(service.sessions) as session:
        assert booking_token(service.installation.keys.link, session.scalars(select(Booking.uid)).one())
