"""Step 4 over HTTP: asking for a test of the access beside the week of times."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scheduler.actor import Actor
from scheduler.checks import explaining
from scheduler.doors import systems
from scheduler.rules.secret import Secret
from scheduler.store.engines import write
from scheduler.store.models import Check, Technician
from tests.web.test_customer_time import confirm, week

Submit = Callable[..., TestResponse]
WEDNESDAY_1030 = "2026-11-25T09:30Z"


def test_a_test_can_be_asked_for_and_is_shown_running(sol: Any, service: Any, submit: Submit) -> None:
    asked = submit(sol.browser, "/book/check", entitlement=str(sol.right), door=str(sol.door))
    assert asked.location == f"/book/time?{sol.query}#access"
    page = week(sol)
    assert "Probando desde nuestra red." in page
    assert re.search(r'hx-sse:connect="/book/check/\d+/events\?', page)
    assert "Actualizar el resultado" in page


def test_too_many_tests_say_when_there_may_be_more(sol: Any, service: Any, submit: Submit) -> None:
    with write(service.sessions) as session:
        for _ in range(20):
            session.add(
                Check(
                    access_point_id=sol.door,
                    rev=1,
                    stage="on_demand",
                    due_at=service.clock(),
                    state="done",
                    finished_at=service.clock(),
                )
            )
    asked = submit(sol.browser, "/book/check", entitlement=str(sol.right), door=str(sol.door))
    assert asked.status_code == 303
    assert "partir de las 11:10" in sol.browser.get(asked.location).text


def test_a_door_without_a_probe_offers_no_test_and_can_be_booked(
    sol: Any, service: Any, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "checkable", lambda _: False)
    form = systems.DoorForm("3cx", "rdp", "win.example", "3389", "admin", "password", Secret("secret"))
    actor = Actor("customer", sol.contact, "Pablo", sol.customer)
    with write(service.sessions) as session:
        session.get_one(Technician, 1).skills = ["asterisk", "3cx"]
        door = systems.add_system(
            session, service.desk(session), service.vault, service.clock(), actor, sol.customer, form
        )
        session.flush()
        sol.door = door.id
    page = week(sol)
    assert "Todavía no podemos comprobar solos este tipo de acceso." in page
    assert "/book/check" not in page
    assert confirm(sol, submit).status_code == 303
