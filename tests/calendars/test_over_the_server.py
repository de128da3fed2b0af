"""CalDAV through the server that the product runs on: methods, large bodies and passwords pass it as they pass us."""

import base64
import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.served import Installed
from scheduler.actor import Actor
from scheduler.calendars.app_passwords import create
from scheduler.store.engines import write
from scheduler.store.models import Technician


class Line:
    """One kept-open connection that signs in."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._token = base64.b64encode(f"{user}:{password}".encode()).decode()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        sent = {"Authorization": f"Basic {self._token}", **headers}
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Line, Path]]:
    """`ventana serve` with a debug log, and a line to it."""
    desk = Installed(tmp_path_factory.mktemp("dav"), settings={"VENTANA_LOG_LEVEL": "DEBUG"})
    desk.fill(1)
    service = desk.service()
    with write(service.sessions) as session:
        person = session.get_one(Technician, 1)
        actor = Actor("technician", person.id, person.name)
        _, secret = create(session, service.desk(session), service.clock(), actor, "test")
        user = person.email
    service.close()
    with desk.serving():
        line = Line(desk.port, user, secret.reveal())
        yield line, desk.folder
        line.connection.close()


def test_a_client_gets_through(served: tuple[Line, Path]) -> None:
    line, _ = served
    assert line.ask("PROPFIND", "/.well-known/caldav", Depth="0")[0] == 301
    status, body = line.ask("PROPFIND", "/dav/", Depth="0")
    assert (status, b"current-user-principal" in body) == (207, True)
    status, body = line.ask("PROPFIND", "/dav/calendars/1/", Depth="1")
    assert re.findall(rb"<d:response><d:href>([^<]+)", body) == [
        b"/dav/calendars/1/",
        b"/dav/calendars/1/interventions/",
    ]
    for method in ("MKCALENDAR", "PROPPATCH", "PUT", "LOCK"):
        assert line.ask(method, "/dav/calendars/1/interventions/x.ics", b"x")[0] == 403


def test_two_megabytes_are_refused_and_the_line_stays_usable(served: tuple[Line, Path]) -> None:
    line, _ = served
    assert line.ask("PROPFIND", "/dav/", b"<x>" + b" " * 2_000_000, Depth="0")[0] == 413
    large = b"<d:propfind xmlns:d='DAV:'><d:prop><d:getetag/></d:prop>" + b" " * 900_000 + b"</d:propfind>"
    assert line.ask("PROPFIND", "/dav/", large, Depth="0")[0] == 207
    assert line.ask("PROPFIND", "/dav/", Depth="0")[0] == 207


def test_the_servers_log_tells_no_password(served: tuple[Line, Path]) -> None:
    line, folder = served
    line.ask("PROPFIND", "/dav/", Depth="0")
    stranger = Line(line.connection.port, "x", "canary-in-the-mine")
    assert stranger.ask("PROPFIND", "/dav/", Depth="0")[0] == 401
    stranger.connection.close()
    logs = "".join(path.read_text("utf-8", "replace") for path in folder.glob("log-*"))
    assert "wrong app password from" in logs, "nothing was logged, so nothing is proved"
    for secret in ("canary-in-the-mine", line._token, stranger._token):
        assert secret not in logs
