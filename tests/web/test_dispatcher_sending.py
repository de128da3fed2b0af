"""The dispatcher sees what did not get through, sends it again, and keeps webhooks."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from scheduler.store.models import AuditEntry, Notice, Webhook, WebhookDelivery
from tests.web.technician_desk import ELENA, NOW, SOL, TechnicianDesk, make_desk

PAGE = "/desk/sending"


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Iterator[TechnicianDesk]:
    made = make_desk(tmp_path, sqlite_template)
    yield made
    made.service.close()


def dead_mail(desk: TechnicianDesk) -> int:
    """A confirmation that the server refused for good."""
    desk.book(SOL, NOW + timedelta(hours=24, minutes=20))
    with desk.writing() as (session, _house):
        first = session.scalars(select(Notice).order_by(Notice.id)).first()
        assert first is not None
        first.state, first.attempts, first.last_error = "dead", 8, "SMTPRecipientsRefused: 550 no such user"
        return first.id


def test_a_dead_mail_is_shown_with_its_reason_and_sent_again(desk: TechnicianDesk) -> None:
    mail = dead_mail(desk)
    browser = desk.browser(ELENA)
    assert "550 no such user" in browser.get(PAGE).text
    answer = browser.post(f"{PAGE}/mails/{mail}/again", email="nueva@clinica-sol.example")
    assert answer.status_code == 303
    with desk.reading() as session:
        row = session.get_one(Notice, mail)
        assert (row.state, row.attempts, row.to_address) == ("waiting", 0, "nueva@clinica-sol.example")
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "notice.again")).one()
        assert entry.facts == {"mail": row.kind, "corrected": True}
    assert browser.post(f"{PAGE}/mails/{mail}/again", email="x@y.example").status_code == 404


def test_a_wrong_address_is_refused_and_the_mail_stays(desk: TechnicianDesk) -> None:
    mail = dead_mail(desk)
    answer = desk.browser(ELENA).post(f"{PAGE}/mails/{mail}/again", email="not an address")
    assert answer.status_code == 422
    with desk.reading() as session:
        assert session.get_one(Notice, mail).state == "dead"


def test_a_delayed_mail_says_when_it_is_tried_next(desk: TechnicianDesk) -> None:
    desk.book(SOL, NOW + timedelta(hours=24, minutes=20))
    with desk.writing() as (session, _house):
        session.execute(update(Notice).values(attempts=2, last_error="ConnectionRefusedError"))
    page = desk.browser(ELENA).get(PAGE).text
    assert "ConnectionRefusedError" in page
    assert "next try" in page


def test_a_webhook_is_added_with_a_secret_shown_once_tested_and_ended(desk: TechnicianDesk) -> None:
    browser = desk.browser(ELENA)
    page = browser.post(f"{PAGE}/webhooks", url="https://erp.example/hook", events="booking.moved").text
    found = re.search(r"whsec_[A-Za-z0-9+/=]{44}", page)
    assert found
    assert found[0] not in browser.get(PAGE).text
    browser.post(f"{PAGE}/webhooks/1/test")
    assert "test" in browser.get(PAGE).text
    with desk.reading() as session:
        assert session.scalars(select(WebhookDelivery.event)).all() == ["test"]
        assert session.scalars(select(Webhook.events)).one() == ["booking.moved"]
    assert browser.post(f"{PAGE}/webhooks/1/end").status_code == 303
    assert browser.post(f"{PAGE}/webhooks/1/end").status_code == 404


@pytest.mark.parametrize(("url", "events"), [("http://erp.example", "test"), ("https://erp.example", "x")])
def test_a_wrong_webhook_is_refused(desk: TechnicianDesk, url: str, events: str) -> None:
    answer = desk.browser(ELENA).post(f"{PAGE}/webhooks", url=url, events=events)
    assert answer.status_code == 422
    assert url in answer.text, "what was typed is still there"
    with desk.reading() as session:
        assert session.scalars(select(Webhook)).all() == []


def test_a_delivery_that_was_given_up_is_taken_up_again(desk: TechnicianDesk) -> None:
    browser = desk.browser(ELENA)
    browser.post(f"{PAGE}/webhooks", url="https://erp.example/hook")
    browser.post(f"{PAGE}/webhooks/1/test")
    assert browser.post(f"{PAGE}/deliveries/1/again").status_code == 404, "it still waits"
    with desk.writing() as (session, _house):
        session.execute(update(WebhookDelivery).values(state="dead", last_error="timeout"))
    assert "timeout" in browser.get(PAGE).text
    assert browser.post(f"{PAGE}/deliveries/1/again").status_code == 303
    with desk.reading() as session:
        assert session.scalars(select(WebhookDelivery.state)).one() == "waiting"
