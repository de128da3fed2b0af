"""Page, rule and refusal come from one file: a number changes all three. And whom the number of resellers is for."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

import scheduler
from scheduler.bootstrap import read_conditions
from scheduler.store.engines import read, write
from scheduler.store.models import Entitlement, Notice

Submit = Callable[..., TestResponse]
SHIPPED = Path(scheduler.__file__).parent / "conditions.toml"
NUMBER = "960 000 001"
WAYS_TO_WRITE_IT = (NUMBER, NUMBER.replace(" ", ""))


def give(service: Any, customer: int, **values: Any) -> int:
    with write(service.sessions) as session:
        usual = {"metered": False, "valid_from": date(2026, 1, 1), "created_at": service.clock()}
        row = Entitlement(customer_id=customer, **{**usual, **values})
        session.add(row)
        session.flush()
        return row.id


def change(service: Any, folder: Path, old: str, new: str) -> None:
    """The service reads a file in which the desk has changed this."""
    file, shipped = folder / "conditions.toml", SHIPPED.read_text()
    assert old in shipped
    file.write_text(shipped.replace(old, new))
    object.__setattr__(service.installation, "conditions", read_conditions(file))


@pytest.mark.parametrize(("days", "status", "end"), [(30, 303, ""), (10, 403, "viernes 20 de noviembre")])
def test_a_number_of_the_file_changes_page_rule_and_refusal(
    sol: Any, service: Any, submit: Submit, tmp_path: Path, days: int, status: int, end: str
) -> None:
    change(service, tmp_path, "purchase_days = 30", f"purchase_days = {days}")
    right = give(service, sol.customer, kind="purchase", serial="SN-77", bought_on=date(2026, 11, 10))
    assert f"da {days} días" in sol.browser.get("/conditions").text
    answer = submit(sol.browser, "/book/entitlement", entitlement=str(right), topic="dial")
    assert answer.status_code == status
    assert end in answer.text
    asked = submit(sol.browser, "/book/mail", serial="SN-77", topic="dial", text="Marca y cuelga siempre.")
    assert asked.status_code == status
    assert end in asked.text


@pytest.mark.parametrize(
    ("minutes", "said", "earliest", "before", "after"),
    [
        (480, "con 8 h", "miércoles 25 de noviembre, 10:10", "2026-11-25T09:00Z", "2026-11-25T09:30Z"),
        (240, "con 4 h", "martes 24 de noviembre, 15:10", "2026-11-24T14:00Z", "2026-11-24T14:30Z"),
    ],
)
def test_the_notice_of_the_file_changes_page_rule_and_refusal(
    sol: Any,
    service: Any,
    submit: Submit,
    tmp_path: Path,
    minutes: int,
    said: str,
    earliest: str,
    before: str,
    after: str,
) -> None:
    change(service, tmp_path, "minutes = 480", f"minutes = {minutes}")
    assert said in sol.browser.get("/conditions").text
    assert earliest in sol.browser.get(f"/book/time?{sol.query}").text
    form = {"entitlement": str(sol.right), "door": str(sol.door), "minutes": "30"}
    refused = submit(sol.browser, "/book/time", **form, start=before)
    assert 'data-refused="lead_time_too_short"' in refused.text
    assert earliest in refused.text
    assert submit(sol.browser, "/book/time", **form, start=after).status_code == 303


DOOR = {"host": "pbx.example.com", "port": "5900", "username": "soporte", "credential_kind": "password"}


@pytest.mark.parametrize(
    ("new", "on_page", "refused"), [('["ssh"]', False, True), ('["ssh", "vnc"]', True, False)]
)
def test_the_methods_of_the_file_change_page_rule_and_refusal(
    sol: Any, service: Any, submit: Submit, tmp_path: Path, new: str, on_page: bool, refused: bool
) -> None:
    change(service, tmp_path, 'asterisk = ["ssh"]', f"asterisk = {new}")
    assert ("por SSH o VNC" in sol.browser.get("/conditions").text) is on_page
    form = DOOR | {"platform": "asterisk", "method": "vnc", "password": "x1y2z3"}
    answer = submit(sol.browser, f"/book/system/new?entitlement={sol.right}", **form)
    assert ("method_not_accepted" in answer.text) is refused
    assert (answer.status_code == 303) is not refused


def test_the_tools_of_the_file_change_page_rule_and_refusal(
    sol: Any, service: Any, submit: Submit, tmp_path: Path
) -> None:
    form = DOOR | {"platform": "3cx", "method": "vnc", "password": "x1y2z3", "name": "Por RustDesk"}
    address = f"/book/system/new?entitlement={sol.right}"
    assert "RustDesk" not in sol.browser.get("/conditions").text
    assert submit(sol.browser, address, **form).status_code == 303
    change(service, tmp_path, '"TeamViewer",', '"RustDesk", "TeamViewer",')
    assert "RustDesk" in sol.browser.get("/conditions").text
    answer = submit(sol.browser, address, **form)
    assert 'data-refused="tool_not_accepted"' in answer.text
    assert "No nos conectamos con RustDesk" in answer.text


def test_the_resellers_minimum_of_the_file_changes_page_rule_and_refusal(
    sol: Any, service: Any, tmp_path: Path
) -> None:
    give(service, sol.customer, kind="reseller", purchases_cents=600_001, **CONTRACT)
    assert NUMBER in sol.browser.get("/book/entitlement").text
    change(service, tmp_path, "reseller_minimum_cents = 600_000", "reseller_minimum_cents = 700_000")
    assert "7.000" in sol.browser.get("/conditions").text
    page = sol.browser.get("/book/entitlement").text
    assert NUMBER not in page
    assert "Las compras no superan 7.000" in page


ENOUGH, CONTRACT = {"purchases_cents": 600_001}, {"contract_on": date(2026, 1, 1)}


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, False),
        (ENOUGH, False),
        (CONTRACT, False),
        ({"purchases_cents": 600_000} | CONTRACT, False),
        (ENOUGH | {"contract_on": date(2026, 11, 25)}, False),
        (ENOUGH | CONTRACT | {"valid_until": date(2026, 11, 23)}, False),
        (ENOUGH | CONTRACT, True),
    ],
)
def test_the_resellers_number_needs_both_facts(
    sol: Any, service: Any, facts: dict[str, Any], shown: bool
) -> None:
    give(service, sol.customer, kind="reseller", **facts)
    page = sol.browser.get("/book/entitlement").text
    assert (NUMBER in page) is shown


@pytest.mark.parametrize(
    "address", ["/", "/conditions", "/book", "/book/unknown", "/book/entitlement", "/book/rma"]
)
def test_nobody_else_ever_reads_the_resellers_number(sol: Any, app: Flask, address: str) -> None:
    for browser in (sol.browser, app.test_client()):
        page = browser.get(address, follow_redirects=True).text
        assert not [way for way in WAYS_TO_WRITE_IT if way in page]


def test_no_mail_tells_the_resellers_number(sol: Any, service: Any, submit: Submit) -> None:
    give(service, sol.customer, kind="reseller", **ENOUGH, **CONTRACT)
    submit(sol.browser, "/book/rma", serial="GX-1", symptoms="No enciende desde ayer.")
    with read(service.sessions) as session:
        sent = session.scalars(select(Notice)).all()
    assert sent
    assert not [mail.kind for mail in sent for way in WAYS_TO_WRITE_IT if way in mail.text + mail.html]
    folder = SHIPPED.parent / "mails"
    assert not [path for path in folder.rglob("*.txt") if "reseller_phone" in path.read_text()]


def test_another_right_than_the_proposed_one_may_be_chosen(sol: Any, service: Any, submit: Submit) -> None:
    contract = give(service, sol.customer, kind="maintenance", valid_until=date(2027, 1, 1))
    assert f'value="{contract}" required checked' in sol.browser.get("/book/entitlement").text
    answer = submit(sol.browser, "/book/entitlement", entitlement=str(sol.right))
    assert answer.location == f"/book/system?entitlement={sol.right}"


def test_every_reason_is_said_at_once(sol: Any, service: Any, submit: Submit) -> None:
    right = give(service, sol.customer, kind="reseller", valid_until=date(2026, 11, 1))
    answer = submit(sol.browser, "/book/entitlement", entitlement=str(right))
    assert 'data-refused="not_entitled"' in answer.text
    for said in ("Terminó el domingo 1 de noviembre", "6000", "contrato de distribuidor", "mantenimiento"):
        assert said in answer.text.replace(".", "").replace("\u00a0", "") or said in answer.text, said
