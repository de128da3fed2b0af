"""Webhooks against a real receiver: told once what happened, signed; bad receivers cost little and lose nothing."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from fixtures.webhook_receiver import WebhookReceiver
from probes.addresses import AddressAllowance
from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.fetching import Fetcher, Limits
from scheduler.rules.refusals import InvalidInput, NotAllowed, NotFound, SlotTaken
from scheduler.rules.secret import Secret
from scheduler.store.models import AuditEntry, Webhook, WebhookDelivery
from scheduler.webhooks import endpoints
from scheduler.webhooks.delivering import BACK_OFF, Courier
from scheduler.webhooks.signing import signed_headers
from scheduler.webhooks.turns import overdue
from tests.services.conftest import NOW, SOL, Bench, at

ELENA = Actor("dispatcher", 3, "Elena Campos")


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """Takes everything."""
    made = WebhookReceiver()
    yield made
    made.stop()


def add(bench: Bench, receiver: WebhookReceiver, *events: str) -> Secret:
    """A webhook to the receiver. Its address is put in past the rule that asks for https: loopback has none."""
    with bench.writing() as (session, desk):
        row, secret = endpoints.add(session, desk, NOW, ELENA, bench.vault, "https://x.example/", events)
        row.url = receiver.url
        return secret


def book(bench: Bench) -> int:
    with bench.writing() as (session, desk):
        marta = bench.technician(session).id
        wish = bench.request(session, SOL, at(25, 10, 30), technician_id=marta)
        return bookings.book(session, desk, NOW, bench.customer(session, SOL), wish).id


def deliver(bench: Bench, receiver: WebhookReceiver, moment: datetime = NOW, port: int = 0) -> list[str]:
    """Try all that is due at this moment; the states of all deliveries afterwards."""
    allow = AddressAllowance.parse((), [("127.0.0.1", port or receiver.port)])
    fetcher = Fetcher(allow, Limits(seconds=1.0))
    courier = Courier(bench.database.sessions, lambda: moment, bench.vault, fetcher)
    with bench.writing() as (session, _):
        due = [id_ for id_, _, _ in overdue(session, moment)]
    for delivery_id in due:
        courier.run(delivery_id, 0)
    with bench.writing() as (session, _):
        return list(session.scalars(select(WebhookDelivery.state).order_by(WebhookDelivery.id)))


def test_a_booking_is_told_once_and_signed(bench: Bench, receiver: WebhookReceiver) -> None:
    secret = add(bench, receiver)
    booked = book(bench)
    assert deliver(bench, receiver) == ["sent"]
    assert deliver(bench, receiver) == ["sent"]
    [got] = receiver.received
    body = json.loads(got.body)
    assert body["type"] == "booking.confirmed"
    assert body["data"]["booking"]["id"] == booked
    assert body["data"]["booking"]["start_at"] == "2026-11-25T09:30:00Z"
    assert body["data"]["customer"]["cif"] == SOL
    expected = signed_headers(secret, got.headers["webhook-id"], NOW, got.body)
    assert got.headers["webhook-signature"] == expected["webhook-signature"]
    assert "pbx.example.com" not in got.body.decode(), "a host is nobody else's business"


def test_the_engine_is_asked_to_wake(bench: Bench, receiver: WebhookReceiver) -> None:
    add(bench, receiver)
    book(bench)
    assert [kind for kind, *_ in bench.wakes].count("webhook") == 1


def test_each_hears_only_what_it_asked_for(bench: Bench, receiver: WebhookReceiver) -> None:
    add(bench, receiver, "booking.cancelled")
    booked = book(bench)
    with bench.writing() as (session, desk):
        bookings.cancel(session, desk, NOW, bench.customer(session, SOL), booked, 1)
    deliver(bench, receiver)
    assert [json.loads(got.body)["type"] for got in receiver.received] == ["booking.cancelled"]


def test_a_refused_booking_is_not_told(bench: Bench, receiver: WebhookReceiver) -> None:
    add(bench, receiver)
    book(bench)
    with pytest.raises(SlotTaken):
        book(bench)
    assert deliver(bench, receiver) == ["sent"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, "status:500"), (401, "login:401"), (0, "timeout"), (302, "status:302")],
)
def test_a_bad_receiver_is_asked_again_for_a_day(
    bench: Bench, receiver: WebhookReceiver, status: int, error: str
) -> None:
    add(bench, receiver)
    receiver.status, receiver.location = status, "http://127.0.0.1:1/" if status == 302 else ""
    book(bench)
    assert deliver(bench, receiver) == ["waiting"]
    with bench.writing() as (session, _):
        row = session.scalars(select(WebhookDelivery)).one()
        assert (row.last_error, row.attempts, row.due_at) == (error, 1, NOW + BACK_OFF[0])
    receiver.status, receiver.location = 200, ""
    assert deliver(bench, receiver, NOW + BACK_OFF[0]) == ["sent"]
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1, (
        "told by its id that it is the same"
    )
    assert timedelta(hours=22) < sum(BACK_OFF, timedelta(0)) < timedelta(hours=26)


def test_after_the_last_try_it_is_dead_and_can_be_taken_up_again(
    bench: Bench, receiver: WebhookReceiver
) -> None:
    add(bench, receiver)
    receiver.status = 503
    book(bench)
    moment, states = NOW, [""]
    for wait in (timedelta(0), *BACK_OFF):
        moment += wait
        states = deliver(bench, receiver, moment)
    assert states == ["dead"]
    receiver.status = 204
    with bench.writing() as (session, _):
        endpoints.retry(session, moment, ELENA, session.scalars(select(WebhookDelivery.id)).one())
    assert deliver(bench, receiver, moment) == ["sent"]


def test_an_endless_answer_is_not_read(bench: Bench, receiver: WebhookReceiver) -> None:
    add(bench, receiver)
    receiver.status = -1
    book(bench)
    assert deliver(bench, receiver) == ["sent"], "its head said 200"


def test_gone_ends_the_webhook(bench: Bench, receiver: WebhookReceiver) -> None:
    add(bench, receiver)
    receiver.status = 410
    booked = book(bench)
    assert deliver(bench, receiver) == ["dead"]
    with bench.writing() as (session, desk):
        bookings.cancel(session, desk, NOW, bench.customer(session, SOL), booked, 1)
    assert deliver(bench, receiver) == ["dead"], "nothing more is written for it"


def test_an_address_inside_is_never_reached(bench: Bench, receiver: WebhookReceiver) -> None:
    add(bench, receiver)
    book(bench)
    assert deliver(bench, receiver, port=1) == ["waiting"]
    with bench.writing() as (session, _):
        assert session.scalars(select(WebhookDelivery.last_error)).one() == "address_refused"
    assert receiver.received == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://erp.example/x",
        "ftp://erp.example/x",
        "https://",
        "https://user:pass@erp.example/",
        "https://erp.example:0/",
        "https://erp.example:70000/",
        "https://erp.example/\u202e",
        "https://[::1/",
        "https://erp.example/" + "x" * 600,
    ],
)
def test_only_https_addresses_are_taken(bench: Bench, url: str) -> None:
    with bench.writing() as (session, desk), pytest.raises(InvalidInput) as refused:
        endpoints.add(session, desk, NOW, ELENA, bench.vault, url, ())
    assert refused.value.field == "url"


def test_only_dispatchers_keep_webhooks(bench: Bench, receiver: WebhookReceiver) -> None:
    add(bench, receiver)
    with bench.writing() as (session, desk):
        marta = bench.technician(session)
        with pytest.raises(NotAllowed):
            endpoints.add(session, desk, NOW, marta, bench.vault, "https://x.example/", ())
        with pytest.raises(NotAllowed):
            endpoints.end(session, desk, NOW, marta, 1)


def test_an_ended_webhook_is_told_nothing_and_its_address_is_in_no_audit_entry(
    bench: Bench, receiver: WebhookReceiver
) -> None:
    add(bench, receiver)
    book(bench)
    with bench.writing() as (session, desk):
        endpoints.end(session, desk, NOW, ELENA, 1)
        with pytest.raises(NotFound):
            endpoints.test(session, NOW, ELENA, 1)
    assert deliver(bench, receiver) == ["dead"]
    assert receiver.received == []
    with bench.writing() as (session, _):
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == "webhook:1")).all()
        assert [entry.action for entry in entries] == ["webhook.add", "webhook.end"]
        assert "canary" not in str([entry.facts for entry in entries])


def test_the_secret_is_sealed(bench: Bench, receiver: WebhookReceiver) -> None:
    secret = add(bench, receiver)
    with bench.writing() as (session, _):
        sealed = session.scalars(select(Webhook.secret)).one()
    assert secret.reveal().encode() not in sealed


def test_a_redirect_inward_is_not_followed(bench: Bench, receiver: WebhookReceiver) -> None:
    inside = WebhookReceiver()
    try:
        add(bench, receiver)
        receiver.status, receiver.location = 307, inside.url
        book(bench)
        assert deliver(bench, receiver) == ["waiting"]
        with bench.writing() as (session, _):
            assert session.scalars(select(WebhookDelivery.last_error)).one() == "status:307"
        assert len(receiver.received) == 1
        assert inside.received == [], "what was signed for one address reaches no other"
    finally:
        inside.stop()
