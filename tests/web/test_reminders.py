"""The page that ends reminders: a look changes nothing, a button or the mail program's one click does."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from scheduler.mailing.unsubscribing import stop_url
from scheduler.store.engines import read
from scheduler.store.models import AuditEntry, Contact
from tests.web.conftest import People, WebService
from web.app import create_app


@pytest.fixture
def client(service: WebService, people: People) -> FlaskClient:
    """A browser that nobody has signed in at."""
    app: Flask = create_app(service)
    return app.test_client()


@pytest.fixture
def path(service: WebService, people: People) -> str:
    """Where the contact's link leads."""
    return stop_url(service.installation, people.contact).removeprefix(service.installation.link_base)


def wanted(service: WebService, people: People) -> bool:
    with read(service.sessions) as session:
        return session.get_one(Contact, people.contact).reminders


def test_looking_changes_nothing(client: FlaskClient, service: WebService, people: People, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert "pablo@clinica-sol.example" in page.text
    assert wanted(service, people)


def test_the_button_ends_them_and_takes_them_up_again(
    client: FlaskClient, service: WebService, people: People, path: str
) -> None:
    assert "ya no recibe" in client.post(path).text
    assert not wanted(service, people)
    assert "recibe un recordatorio" in client.post(path, data={"wanted": "1"}).text
    assert wanted(service, people)
    with read(service.sessions) as session:
        actions = session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "contact.reminders"))
        assert [entry["wanted"] for entry in actions] == [False, True]


def test_the_mail_programs_click_is_enough(
    client: FlaskClient, service: WebService, people: People, path: str
) -> None:
    answer = client.post(path, data={"List-Unsubscribe": "One-Click"}, headers={"Origin": "null"})
    assert answer.status_code == 200
    assert not wanted(service, people)


@pytest.mark.parametrize("token", ["1-x", "1", "-", "0-", "x-y", "99999999999999999999-x", "٣-x"])
def test_another_link_does_nothing(
    client: FlaskClient, service: WebService, people: People, token: str
) -> None:
    assert client.get(f"/reminders/{token}").status_code == 404
    assert client.post(f"/reminders/{token}").status_code == 404
    assert wanted(service, people)


def test_one_persons_seal_opens_no_other(client: FlaskClient, people: People, path: str) -> None:
    seal = path.partition("-")[2]
    assert client.post(f"/reminders/{people.contact + 1}-{seal}").status_code == 404
