"""Signing in with an app password: who may, over which line, how often, and what the log says."""

import base64
import logging
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from fixtures.databases import Database
from scheduler.actor import Actor
from scheduler.calendars import app_passwords
from scheduler.rules.refusals import InvalidInput, NotFound
from scheduler.store.engines import read, write
from scheduler.store.models import AppPassword, AuditEntry, RateEvent, Technician
from tests.unit.calendars.desk import ANA, LUIS, NOW, context
from tests.web.dav_client import DEPTH_0, Dav, DavDesk, make_desk, open_dav
from web.app import create_app

ANA_HERSELF, LUIS_HIMSELF = Actor("technician", ANA, "Ana"), Actor("technician", LUIS, "Luis")


@pytest.fixture
def desk(sqlite_database: Database) -> DavDesk:
    return make_desk(sqlite_database)


@pytest.fixture
def dav(desk: DavDesk) -> Dav:
    return open_dav(desk)


def status(dav: Dav) -> int:
    return dav.ask("PROPFIND", "/dav/", headers=DEPTH_0).status_code


def test_who_says_nothing_is_asked_who_they_are(dav: Dav) -> None:
    for path in (
        "/dav/",
        "/dav/calendars/1/interventions/",
        "/dav/calendars/1/interventions/1.ics",
        "/dav/x",
    ):
        answer = dav.client.open(path, method="PROPFIND", headers=DEPTH_0)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Ventana", charset="UTF-8"'
        assert answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic x", "Basic ====", "Basic Og==", "Bearer vnt_x", "Digest x", "Basic /////w==", "²"],
)
def test_odd_headers_are_merely_unknown(dav: Dav, header: str) -> None:
    sent = {**DEPTH_0, "Authorization": header}
    assert dav.client.open("/dav/", method="PROPFIND", headers=sent).status_code == 401


def test_the_password_may_be_typed_as_people_do(dav: Dav) -> None:
    assert status(dav) == 207
    for typed in (dav.password.upper(), dav.password.replace("-", " "), dav.password.replace("-", "")):
        assert status(Dav(dav.client, dav.user.upper(), typed)) == 207


def test_a_wrong_password_or_another_persons_name_is_refused(desk: DavDesk, dav: Dav) -> None:
    wrong = dav.password[:-1] + ("a" if dav.password[-1] != "a" else "b")
    for user, password in (
        (dav.user, wrong), ("2@example.es", dav.password), ("", dav.password), (dav.user, "x" * 9000),
        (dav.user, "ñ"), (dav.user, "%"),
    ):  # fmt: skip
        assert status(Dav(dav.client, user, password)) == 401
    assert status(dav) == 207


def test_an_ended_device_is_out_at_once_and_the_others_stay(desk: DavDesk, dav: Dav) -> None:
    other = open_dav(desk)
    with write(desk.sessions) as session:
        app_passwords.revoke(session, context(session), NOW, ANA_HERSELF, 1)
    assert (status(dav), status(other)) == (401, 207)
    for actor, device in ((ANA_HERSELF, 1), (LUIS_HIMSELF, 2), (ANA_HERSELF, 99)):
        with pytest.raises(NotFound), write(desk.sessions) as session:
            app_passwords.revoke(session, context(session), NOW, actor, device)
    with write(desk.sessions) as session:
        session.get_one(Technician, ANA).active = False
    assert status(other) == 401


def test_labels_and_numbers_have_limits(desk: DavDesk) -> None:
    def create(label: str) -> None:
        with write(desk.sessions) as session:
            app_passwords.create(session, context(session), NOW, ANA_HERSELF, label)

    for label, problem in (
        ("", "required"),
        (" ", "required"),
        ("x" * 61, "too_long"),
        ("a\nb", "control_characters"),
    ):
        with pytest.raises(InvalidInput) as refused:
            create(label)
        assert (refused.value.field, refused.value.problem) == ("device", problem)
    for number in range(20):
        create(f"{number} 📱")
    with pytest.raises(InvalidInput) as refused:
        create("one more")
    assert refused.value.problem == "too_many"


def test_the_database_keeps_no_password(desk: DavDesk, dav: Dav) -> None:
    with read(desk.sessions) as session:
        row = session.get_one(AppPassword, 1)
        assert dav.password not in repr(vars(row))
        assert dav.password.replace("-", "") not in repr(vars(row))
        entries = session.scalars(select(AuditEntry)).all()
    assert [(entry.action, entry.facts) for entry in entries] == [("device.create", {"label": "Portátil"})]


def test_the_last_use_is_noted_by_the_programs_name(desk: DavDesk, dav: Dav) -> None:
    def noted() -> tuple[object, object]:
        with read(desk.sessions) as session:
            device = app_passwords.devices_of(session, ANA)[0]
            return device.last_used_at, device.last_client

    assert noted() == (None, None)
    dav.ask("PROPFIND", "/dav/", headers={**DEPTH_0, "User-Agent": "iOS/18.1 (22B83) dataaccessd/1.0"})
    assert noted() == (NOW, "Apple")
    desk.now = NOW + timedelta(seconds=59)
    dav.ask("PROPFIND", "/dav/", headers={**DEPTH_0, "User-Agent": "curl/8"})
    assert noted() == (NOW, "Apple")
    desk.now = NOW + timedelta(seconds=60)
    dav.ask("PROPFIND", "/dav/", headers={**DEPTH_0, "User-Agent": "DAVx5/4.4"})
    assert noted() == (desk.now, "DAVx⁵")


def test_a_locked_database_costs_no_client_its_calendar(dav: Dav, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(app_passwords, "note_use", locked)
    assert status(dav) == 207


@pytest.mark.parametrize(
    ("base_url", "address", "expected"),
    [
        ("http://localhost/", "127.0.0.1", 207),
        ("http://localhost/", "::1", 207),
        ("http://localhost/", "192.0.2.7", 403),
        ("https://localhost/", "192.0.2.7", 207),
        ("http://localhost/", "", 403),
    ],
)
def test_passwords_go_over_private_lines_only(dav: Dav, base_url: str, address: str, expected: int) -> None:
    token = base64.b64encode(f"{dav.user}:{dav.password}".encode()).decode()
    answer = dav.client.open(
        "/dav/",
        method="PROPFIND",
        base_url=base_url,
        headers={**DEPTH_0, "Authorization": f"Basic {token}"},
        environ_base={"REMOTE_ADDR": address},
    )
    assert answer.status_code == expected
    if expected == 403:
        assert b"https" in answer.data
        assert "WWW-Authenticate" not in answer.headers  # or the client would send its password all the same


def _tries(desk: DavDesk) -> int:
    with read(desk.sessions) as session:
        return session.scalars(select(func.count()).select_from(RateEvent)).one()


def test_wrong_passwords_are_counted_and_then_no_longer_heard(desk: DavDesk, dav: Dav) -> None:
    wrong = Dav(dav.client, dav.user, "wrong")
    assert {status(wrong) for _ in range(30)} == {401}
    answer = wrong.ask("PROPFIND", "/dav/", headers=DEPTH_0)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    assert _tries(desk) == 30
    assert status(dav) == 207  # a colleague's old telephone does not shut the office out
    desk.now = NOW + timedelta(minutes=15)
    assert status(wrong) == 401


def test_where_tries_cannot_be_counted_nobody_comes_in_by_them(desk: DavDesk, dav: Dav) -> None:
    with write(desk.sessions) as session:
        session.execute(text("ALTER TABLE rate_event RENAME TO elsewhere"))
    answer = Dav(dav.client, dav.user, "wrong").ask("PROPFIND", "/dav/", headers=DEPTH_0)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert status(dav) == 207


def test_no_log_line_tells_the_password(desk: DavDesk, dav: Dav, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "canary-canary-canary"
    assert status(dav) == 207
    assert status(Dav(dav.client, dav.user, canary)) == 401
    with write(desk.sessions) as session:
        session.execute(text("ALTER TABLE app_password RENAME TO elsewhere"))
    assert status(dav) == 503
    assert "the database failed" in caplog.text
    encoded = base64.b64encode(f"{dav.user}:{dav.password}".encode()).decode()
    for secret in (dav.password, dav.password.replace("-", ""), canary, encoded):
        assert secret not in caplog.text


def test_cookies_open_nothing_here(desk: DavDesk) -> None:
    client: FlaskClient = create_app(desk).test_client()
    client.set_cookie("ventana_session", "anything")
    assert client.open("/dav/", method="PROPFIND", headers=DEPTH_0).status_code == 401
