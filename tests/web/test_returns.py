"""A faulty device goes back: asked for by the customer, led by the dispatcher, mailed at every step."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from scheduler.intake import rma
from scheduler.store.engines import read
from scheduler.store.models import AuditEntry, Notice, Rma

Submit = Callable[..., TestResponse]
DEVICE = {"serial": "gx-2045 18", "symptoms": "No enciende desde la tormenta.", "invoice": "F-118"}
LONG_WAY = ["document_sent", "verified", "code_issued", "received", "closed"]


def asked(sol: Any, submit: Submit) -> str:
    """The address of a new return."""
    answer = submit(sol.browser, "/book/rma", **DEVICE)
    assert answer.status_code == 303
    return str(answer.location)


def mails(service: Any, kind: str) -> list[Notice]:
    with read(service.sessions) as session:
        return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))


def test_the_whole_way(sol: Any, service: Any, submit: Submit, elena: FlaskClient) -> None:
    page = asked(sol, submit)
    number = page.rsplit("/", 1)[1]
    assert sol.browser.get(f"{page}/document").status_code == 404, "not before the desk has sent it"
    assert "Clínica Sol" in elena.get("/rma").text
    for step in LONG_WAY:
        assert f'value="{step}"' in elena.get(f"/rma/{number}").text
        assert submit(elena, f"/rma/{number}", step=step, note=f"Nota de {step}.").status_code == 303
        assert f"Nota de {step}." in sol.browser.get(page).text
    code = re.search(r"RMA(?:-[2-9A-Z]{4}){4}", sol.browser.get(page).text)
    assert code
    document = sol.browser.get(f"{page}/document").text
    for said in (code.group(), "GX-204518", "F-118", "No enciende", "B46000220", "data-print"):
        assert said in document
    told = mails(service, "rma")
    assert len(told) == 6
    assert [code.group() in mail.text for mail in told] == [False, False, False, True, False, False]
    assert "Nota de verified." in told[2].text
    assert [mail.to_address for mail in mails(service, "rma_asked")] == ["soporte@levantia.example"]
    with read(service.sessions) as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"rma:{number}")).all()
    assert [entry.action for entry in entries] == [f"rma.{step}" for step in ["requested", *LONG_WAY]]
    assert code.group() not in str([entry.facts for entry in entries])


def test_what_is_solved_remotely_gets_no_code(
    sol: Any, service: Any, submit: Submit, elena: FlaskClient
) -> None:
    number = asked(sol, submit).rsplit("/", 1)[1]
    for step in ("document_sent", "resolved_remotely"):
        submit(elena, f"/rma/{number}", step=step)
    refused = submit(elena, f"/rma/{number}", step="code_issued")
    assert refused.status_code == 422
    assert 'data-refused="invalid_input:step_not_now"' in refused.text
    assert submit(elena, f"/rma/{number}", step="closed").status_code == 303
    with read(service.sessions) as session:
        assert session.get_one(Rma, int(number)).code is None
    assert submit(sol.browser, "/book/rma", **DEVICE).status_code == 303, "closed: it may be asked for again"


@pytest.mark.parametrize("before", [[], ["document_sent"], ["document_sent", "verified"]])
def test_a_rejected_one_is_told_why_and_is_over(
    sol: Any, service: Any, submit: Submit, elena: FlaskClient, before: list[str]
) -> None:
    page = asked(sol, submit)
    number = page.rsplit("/", 1)[1]
    for step in before:
        submit(elena, f"/rma/{number}", step=step)
    for note, code in (("", "required"), ("no", "too_short")):
        refused = submit(elena, f"/rma/{number}", step="rejected", note=note)
        assert (refused.status_code, f'data-refused="invalid_input:{code}"' in refused.text) == (422, True)
    reason = "La garantía terminó en marzo de 2025."
    assert submit(elena, f"/rma/{number}", step="rejected", note=reason).status_code == 303
    for browser, path in ((sol.browser, page), (elena, f"/rma/{number}")):
        shown = browser.get(path).text
        assert reason in shown
        assert 'class="pill is-fail"' in shown
        assert 'name="step"' not in shown
    assert sol.browser.get(f"{page}/document").status_code == 404
    told = mails(service, "rma")[-1]
    assert reason in told.text
    assert "No lo envíe" in told.text
    with read(service.sessions) as session:
        row = session.get_one(Rma, int(number))
        assert (row.state, row.code, rma.count_open(session)) == ("closed", None, 0)
        noted = select(AuditEntry).where(AuditEntry.action == "rma.rejected")
        assert len(session.scalars(noted).all()) == 1
    assert submit(sol.browser, "/book/rma", **DEVICE).status_code == 303, "it may be asked for again"


def test_what_has_a_code_is_not_rejected(sol: Any, submit: Submit, elena: FlaskClient) -> None:
    number = asked(sol, submit).rsplit("/", 1)[1]
    for step in ("document_sent", "verified", "code_issued"):
        submit(elena, f"/rma/{number}", step=step)
    answer = submit(elena, f"/rma/{number}", step="rejected", note="Ya no puede ser, lo sentimos.")
    assert 'data-refused="invalid_input:step_not_now"' in answer.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"serial": ""}, "invalid_input:required"),
        ({"serial": "sin cifras"}, "invalid_input:not_a_serial"),
        ({"symptoms": "mal"}, "invalid_input:too_short"),
        ({"symptoms": "x" * 2001}, "invalid_input:too_long"),
        ({"symptoms": "no \u202e enciende nada"}, "invalid_input:control_characters"),
        ({"invoice": "a\x00b"}, "invalid_input:control_characters"),
    ],
)
def test_what_cannot_be_taken_is_said_and_not_written(
    sol: Any, service: Any, submit: Submit, changed: dict[str, str], code: str
) -> None:
    answer = submit(sol.browser, "/book/rma", **DEVICE | changed)
    assert answer.status_code == 422
    assert f'data-refused="{code}"' in answer.text
    assert mails(service, "rma") == []


def test_one_device_is_returned_once_at_a_time(sol: Any, submit: Submit) -> None:
    asked(sol, submit)
    assert 'data-refused="invalid_input:return_open"' in submit(sol.browser, "/book/rma", **DEVICE).text


def test_customers_are_walls_to_each_other(
    sol: Any, submit: Submit, stranger: FlaskClient, elena: FlaskClient
) -> None:
    page = asked(sol, submit)
    submit(elena, f"/rma/{page.rsplit('/', 1)[1]}", step="document_sent")
    for path in (page, f"{page}/document", "/book/rma/999"):
        assert stranger.get(path).status_code == 404
    assert "GX-204518" not in stranger.get("/book/rma").text
    assert submit(stranger, "/book/rma", **DEVICE).status_code == 303, "nothing tells that another has it"


def test_codes_are_not_guessed() -> None:
    codes = {rma.new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(re.fullmatch(r"RMA(-[2-9A-HJKMNP-TV-Z]{4}){4}", code) for code in codes)
