"""Calendar feeds as clients get them over HTTP."""

import gzip
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import icalendar
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from fixtures.databases import Database
from scheduler.calendars.feed import Sources
from scheduler.calendars.secrets import Owner, create_feed, feed_secret, feed_url, hash_secret, revoke_feed
from scheduler.calendars.writing import write_event
from scheduler.context import Installation
from scheduler.rules.intervals import Interval
from scheduler.rules.secret import Secret
from scheduler.store.engines import read, write
from scheduler.store.models import FeedSecret, Technician
from tests.unit.calendars.desk import ANA, BASE, NOW, add_booking, add_desk, context
from web.calendars import calendars
from web.kept_bodies import KeptBodies, KeptBody
from web.log_lines import HideFeedSecrets

KEY = Secret("f0" * 32)


@dataclass
class Desk:
    """A running desk, as far as calendars see one."""

    database: Database
    installation: Installation
    now: datetime = NOW
    open: list[Interval] = field(default_factory=list)

    @property
    def sessions(self) -> sessionmaker[Session]:
        return self.database.sessions

    @property
    def clock(self) -> Callable[[], datetime]:
        return lambda: self.now

    @property
    def calendar_sources(self) -> Sources:
        return Sources(BASE, b"l" * 32, self._open_slots, lambda *_: [])

    def _open_slots(self, session: Session, technician: Technician, now: datetime) -> Sequence[Interval]:
        return self.open


@pytest.fixture
def desk(sqlite_database: Database) -> Desk:
    with write(sqlite_database.sessions) as session:
        add_desk(session)
        desk = context(session)
        write_event(session, desk, add_booking(session, id=1), NOW)
    return Desk(sqlite_database, desk.installation)


@pytest.fixture
def client(desk: Desk) -> Iterator[FlaskClient]:
    app = Flask(__name__)
    app.extensions["ventana"] = desk
    app.register_blueprint(calendars)
    with app.test_client() as client:
        yield client


@pytest.fixture
def path(desk: Desk) -> str:
    return subscribe(desk)


def subscribe(desk: Desk, scope: str = "interventions") -> str:
    with write(desk.sessions) as session:
        row = create_feed(session, KEY, ANA, scope, NOW)
        return feed_url(BASE, feed_secret(KEY, row)).removeprefix(BASE)


def test_a_client_reads_the_calendar(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, max-age=0, must-revalidate"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Last-Modified"] == "Tue, 24 Nov 2026 09:10:00 GMT"
    assert "Set-Cookie" not in answer.headers
    assert not answer.headers["ETag"].startswith("W/")
    assert len(icalendar.Calendar.from_ical(answer.data).walk("VEVENT")) == 1


def test_head_says_the_same_without_the_body(client: FlaskClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Type", "Last-Modified"):
        assert head.headers[name] == whole.headers[name]


def test_an_unchanged_calendar_is_not_sent_again(client: FlaskClient, path: str) -> None:
    tag = client.get(path).headers["ETag"]
    answer = client.get(path, headers={"If-None-Match": f'W/"x", {tag}'})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == tag
    assert answer.headers["Cache-Control"] == "private, max-age=0, must-revalidate"
    stale = {"If-None-Match": '"x"', "If-Modified-Since": "Wed, 25 Nov 2026 00:00:00 GMT"}
    assert client.get(path, headers=stale).status_code == 200
    fresh = {"If-Modified-Since": "Wed, 25 Nov 2026 00:00:00 GMT"}
    assert client.get(path, headers=fresh).status_code == 304


def test_compressed_where_accepted(client: FlaskClient, path: str) -> None:
    plain = client.get(path)
    squeezed = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed.data) == plain.data
    assert squeezed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert squeezed.headers["ETag"] != plain.headers["ETag"]
    for tag in (squeezed.headers["ETag"], plain.headers["ETag"]):
        answer = client.get(path, headers={"If-None-Match": tag, "Accept-Encoding": "gzip"})
        assert answer.status_code == 304
        assert answer.headers["ETag"] == squeezed.headers["ETag"]
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_revoked_is_gone_and_unknown_is_not_found(desk: Desk, client: FlaskClient, path: str) -> None:
    with write(desk.sessions) as session:
        revoke_feed(session, Owner(technician_id=ANA), 1, NOW)
    gone, unknown = client.get(path), client.get(f"/cal/{'x' * 24}/intervenciones.ics")
    assert (gone.status_code, unknown.status_code) == (410, 404)
    for answer in (gone, unknown):
        assert b"VCALENDAR" not in answer.data
        assert answer.headers["X-Robots-Tag"] == "noindex"
    assert client.get(path, headers={"If-None-Match": "*"}).status_code == 410


@pytest.mark.parametrize("secret", ["%00", "%ED%A0%80", "%0d%0aX: y", "..", "x" * 5000, "%2F%2F"])
def test_odd_secrets_are_not_found(client: FlaskClient, secret: str) -> None:
    assert client.get(f"/cal/{secret}/intervenciones.ics").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(client: FlaskClient, path: str, method: str) -> None:
    assert client.open(path, method=method).status_code == 405


def test_open_slots_are_offered(desk: Desk, client: FlaskClient) -> None:
    start = NOW + timedelta(days=2)
    desk.open.append(Interval(start, start + timedelta(hours=1)))
    body = client.get(subscribe(desk, "slots")).data
    assert body.count(b"TRANSP:TRANSPARENT") == 1
    assert b"/agenda/book?" in body.replace(b"\r\n ", b"")


def test_the_reader_is_noted(desk: Desk, client: FlaskClient, path: str) -> None:
    client.get(path, headers={"User-Agent": "Mozilla/5.0 Gecko/20100101 Thunderbird/128.5.0"})
    with read(desk.sessions) as session:
        row = session.get_one(FeedSecret, 1)
        assert (row.last_reader, row.last_read_at) == ("Thunderbird", NOW)


def test_a_locked_database_costs_no_client_its_calendar(
    desk: Desk, client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr("web.calendars.note_reader", locked)
    assert client.get(path).status_code == 200


def break_the_store(desk: Desk) -> None:
    with write(desk.sessions) as session:
        session.execute(text("ALTER TABLE feed_secret RENAME TO elsewhere"))


def test_a_failing_database_costs_no_client_its_calendar(
    desk: Desk, client: FlaskClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole, unread = client.get(path), subscribe(desk, "slots")
    break_the_store(desk)
    assert client.get(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    again = client.get(path)
    assert (again.status_code, again.data, again.headers["ETag"]) == (200, whole.data, whole.headers["ETag"])
    assert client.get(path, headers={"If-None-Match": '"older"'}).data == whole.data
    assert "the database failed" in caplog.text
    # Whoever has a copy that we do not know keeps it; who has none gets the error and not an empty calendar.
    assert client.get(unread, headers={"If-None-Match": '"theirs"'}).status_code == 304
    assert client.get(unread).status_code == 500


def test_an_unchanged_calendar_is_built_and_compressed_once(
    desk: Desk, client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get(path, headers={"Accept-Encoding": "gzip"})

    def unwanted(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr("scheduler.calendars.feed.stored_events", unwanted)
    assert client.get(path, headers={"Accept-Encoding": "gzip"}).data == first.data
    assert client.get(path).data == gzip.decompress(first.data)


def test_kept_bodies_stay_within_their_room() -> None:
    bodies = KeptBodies(100)
    for name in ("a", "b"):
        bodies.keep(name, KeptBody(f'"{name}"', None, b"x" * 40))
    assert bodies.packed("a", '"a"') == b"x" * 40
    assert bodies.packed("a", '"other"') is None
    bodies.keep("c", KeptBody('"c"', None, b"x" * 40))
    assert [bodies.last(name) is not None for name in "abc"] == [True, False, True]
    bodies.keep("huge", KeptBody('"h"', None, b"x" * 101))
    assert [bodies.last(name) for name in ("a", "c", "huge")] == [None, None, None]


def test_no_log_line_tells_the_secret(
    desk: Desk, client: FlaskClient, path: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = path.split("/")[2]
    for kind in ("200", "304", "500"):
        if kind == "500":
            client.application.extensions["ventana.kept_bodies"].forget(hash_secret(secret))
            break_the_store(desk)
        headers = {"If-Modified-Since": "Wed, 25 Nov 2026 00:00:00 GMT"} if kind == "304" else {}
        assert client.get(path, headers=headers).status_code == int(kind)
    assert "Exception on /cal/***/intervenciones.ics" in caplog.text
    assert secret not in caplog.text


def test_the_filter_hides_secrets_of_other_loggers() -> None:
    record = logging.LogRecord(
        "gunicorn.access", logging.INFO, "", 1, '%s "GET %s"', ("::1", "/cal/s3cret/intervenciones.ics"), None
    )
    assert HideFeedSecrets().filter(record)
    assert record.getMessage() == '::1 "GET /cal/***/intervenciones.ics"'
    other = logging.LogRecord("x", logging.INFO, "", 1, "calendar of %s", ("Ana",), None)
    assert HideFeedSecrets().filter(other)
    assert other.args == ("Ana",)
