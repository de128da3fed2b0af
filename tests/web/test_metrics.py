"""/metrics: off without a token; what it counts is what the database holds."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.orm import Session

from fixtures.databases import Database
from scheduler.settings import SettingsInvalid, read_settings
from scheduler.store.engines import write
from scheduler.store.models import Check, Notice, Worker
from tests.store.rows import NOW, add_booking, add_people
from tests.web.conftest import make_service
from web.app import create_app

TOKEN = "metrics-token-of-a-test"
SECOND = timedelta(seconds=1)


@pytest.fixture
def client(database: Database, tmp_path: Path) -> FlaskClient:
    """The desk's web at NOW."""
    settings = read_settings(folder=tmp_path, base_url="http://localhost/", metrics_token=TOKEN)
    service = make_service(settings, database)
    service.clock.now = NOW
    return create_app(service).test_client()


def metrics(client: FlaskClient) -> dict[str, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def _checks(session: Session) -> None:
    done = {"state": "done", "finished_at": NOW, "verdict": "ready"}
    for late in range(1, 101):
        began = NOW - timedelta(minutes=10)
        session.add(_check(due_at=began - late * SECOND, started_at=began, **done))
    session.add(_check(due_at=NOW - timedelta(days=1), **(done | {"finished_at": NOW - timedelta(hours=2)})))
    session.add(_check(due_at=NOW - 40 * SECOND, state="planned"))
    session.add(_check(due_at=NOW + 40 * SECOND, state="planned"))


def _check(**values: object) -> Check:
    return Check(access_point_id=1, rev=1, stage="on_demand", **values)


def _mail(number: int, state: str) -> Notice:
    words = dict.fromkeys(("kind", "to_name", "to_address", "locale", "subject", "text", "html"), "x")
    return Notice(key=f"k{number}", message_id=f"m{number}", created_at=NOW, due_at=NOW, state=state, **words)


def test_it_counts_what_there_is(client: FlaskClient, database: Database) -> None:
    with write(database.sessions) as session:
        add_people(session)
        add_booking(session)
        add_booking(session, status="cancelled")
        _checks(session)
        session.add_all(
            _mail(number, state) for number, state in enumerate(("waiting", "dead", "dead", "sent"))
        )
        session.add(Worker(executor="one", started_at=NOW, seen_at=NOW - 7 * SECOND))
        session.add(Worker(executor="dead", started_at=NOW, seen_at=NOW - 700 * SECOND))
    seen = metrics(client)
    assert (seen["ventana_bookings confirmed"], seen["ventana_bookings cancelled"]) == (1, 1)
    assert seen["ventana_bookings held"] == 0
    assert (seen["ventana_checks_recent ready"], seen["ventana_checks_recent not_ready"]) == (100, 0)
    late = [seen[f"ventana_check_lateness_seconds {quantile}"] for quantile in ("0.5", "0.99", "1.0")]
    assert late == [50, 99, 100]
    assert (seen["ventana_checks_open"], seen["ventana_checks_open_oldest_seconds"]) == (1, 40)
    assert (seen["ventana_mails waiting"], seen["ventana_mails dead"]) == (1, 2)
    assert (seen["ventana_workers"], seen["ventana_engine_heartbeat_age_seconds"]) == (2, 7)


def test_nobody_working_is_an_endless_age_and_nothing_late(client: FlaskClient) -> None:
    seen = metrics(client)
    assert seen["ventana_engine_heartbeat_age_seconds"] == float("inf")
    assert not any(name.startswith("ventana_check_lateness") for name in seen)
    assert seen["ventana_checks_open_oldest_seconds"] == 0


def test_it_is_off_without_a_token_and_closed_to_a_wrong_one(
    client: FlaskClient, sqlite_database: Database, tmp_path: Path
) -> None:
    off = make_service(read_settings(folder=tmp_path, base_url="http://localhost/"), sqlite_database)
    assert create_app(off).test_client().get("/metrics").status_code == 404
    for sent in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = client.get("/metrics", headers=sent)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "ventana_" not in answer.text


def test_a_short_token_stops_the_start() -> None:
    with pytest.raises(SettingsInvalid, match="VENTANA_METRICS_TOKEN"):
        read_settings(metrics_token="short")
