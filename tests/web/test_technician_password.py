"""People of the desk change their own password: knowing the old one, and ending whatever else is open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.actor import Actor
from scheduler.store.models import AuditEntry, Notice, PasswordLink, Technician
from scheduler.team.passwords import send_link
from tests.web.technician_desk import ELENA, MARTA, NOW, PASSWORD, Browser, TechnicianDesk, make_desk

NEW = "otra frase bien larga"
FORM = {"old_password": PASSWORD, "password": NEW, "password_again": NEW}
PAGE = "/account/password"


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def kept(desk: TechnicianDesk) -> str:
    with desk.reading() as session:
        return str(session.scalars(select(Technician.password_hash).where(Technician.email == MARTA)).one())


def comes_in(desk: TechnicianDesk, password: str) -> bool:
    answer = desk.browser().post("/sign-in", email=MARTA, password=password)
    return answer.status_code == 303


def change(browser: Browser, **changed: str) -> tuple[int, str]:
    browser.get(PAGE)
    answer = browser.post(PAGE, **(FORM | changed))
    return answer.status_code, answer.get_data(as_text=True)


def test_the_new_one_counts_the_old_one_no_more_and_other_browsers_are_out(desk: TechnicianDesk) -> None:
    here, elsewhere = desk.browser(MARTA), desk.browser(MARTA)
    assert PAGE in here.get("/account").get_data(as_text=True)
    assert change(here)[0] == 303
    assert "Your password is changed" in here.get("/account?changed=password").get_data(as_text=True)
    assert here.get("/agenda").status_code == 200
    assert elsewhere.get("/agenda").headers["Location"].startswith("/sign-in")
    assert (comes_in(desk, PASSWORD), comes_in(desk, NEW)) == (False, True)
    assert kept(desk).startswith("$argon2id$")
    with desk.reading() as session:
        mail = session.scalars(select(Notice).where(Notice.kind == "password_changed")).one()
        assert mail.to_address == MARTA
        assert NEW not in mail.text + mail.html
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "technician.password")).one()
        assert NEW not in str(noted.facts)


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"old_password": "no es esta de verdad"}, "sign_in_failed", "old_password"),
        ({"old_password": ""}, "sign_in_failed", "old_password"),
        ({"password": "corta", "password_again": "corta"}, "invalid_input:too_short", "password"),
        ({"password": "x" * 300, "password_again": "x" * 300}, "invalid_input:too_long", "password"),
        ({"password_again": "otra frase bien corta"}, "invalid_input:differs", "password_again"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_changes_nothing(
    desk: TechnicianDesk, changed: dict[str, str], code: str, field: str
) -> None:
    before, browser = kept(desk), desk.browser(MARTA)
    status, page = change(browser, **changed)
    assert (status, f'data-refused="{code}"' in page, f'id="{field}-error"' in page) == (422, True, True)
    assert kept(desk) == before
    assert browser.get("/agenda").status_code == 200
    assert PASSWORD not in page
    assert NEW not in page


def test_guessing_the_old_one_ends_as_signing_in_does(desk: TechnicianDesk) -> None:
    browser = desk.browser(MARTA)
    for _ in range(10):
        assert change(browser, old_password="adivinando sin fin")[0] == 422
    status, page = change(browser)
    assert (status, 'data-refused="too_many_tries"' in page) == (429, True)
    assert kept(desk).startswith("$argon2id$")
    assert not comes_in(desk, NEW)


def test_an_unused_link_of_a_mail_ends_with_it(desk: TechnicianDesk) -> None:
    elena = Actor("dispatcher", desk.person(ELENA), "Elena Campos")
    with desk.writing() as (session, context):
        send_link(session, context, NOW, elena, desk.person(MARTA))
    assert change(desk.browser(MARTA))[0] == 303
    with desk.reading() as session:
        assert session.scalars(select(PasswordLink)).all() == []


def test_only_people_of_the_desk_have_it(desk: TechnicianDesk) -> None:
    for browser in (desk.browser(), desk.customer_browser()):
        assert browser.get(PAGE).headers["Location"].startswith("/sign-in")
