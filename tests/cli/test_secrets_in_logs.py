"""No secret in anything a served desk writes down: a canary is asked for in every way that fails or succeeds."""

import http.client
import socket
import time
from pathlib import Path

from sqlalchemy import select, text

from fixtures.calendar_server import calendar, meeting, serving
from fixtures.processes import free_port
from fixtures.served import Installed
from scheduler.actor import SYSTEM
from scheduler.bootstrap import Service
from scheduler.busy import calendars as busy
from scheduler.calendars import secrets
from scheduler.store.engines import read, write
from scheduler.store.models import BusyCalendar, ReplyInbox, Technician

TOKEN = "canaryTokenOfASession-24"


def ask(port: int, path: str, method: str = "GET", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def send(port: int, bytes_: bytes) -> None:
    """What no HTTP library would send; the server may answer or hang up."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(bytes_)
        line.settimeout(5)
        try:
            while line.recv(4096):
                pass
        except (TimeoutError, ConnectionError):
            return


def make_addresses(desk: Installed) -> tuple[str, str]:
    """A calendar's secret, and one that was revoked."""
    service = desk.service()
    try:
        with write(service.sessions) as session:
            person = session.scalars(select(Technician)).one()
            made = [
                secrets.create_feed(session, service.feed_key, person.id, "interventions", service.clock())
                for _ in range(2)
            ]
            secrets.revoke_feed(session, secrets.Owner(person.id), made[1].id, service.clock())
            live, ended = (secrets.feed_secret(service.feed_key, row).reveal() for row in made)
            return live, ended
    finally:
        service.close()


def break_the_store(desk: Installed) -> None:
    service = desk.service()
    try:
        with write(service.sessions) as session:
            session.execute(text("ALTER TABLE technician RENAME COLUMN calendar_rev TO elsewhere"))
    finally:
        service.close()


def test_no_secret_is_written_down(tmp_path: Path) -> None:
    desk = Installed(tmp_path, settings={"VENTANA_LOG_LEVEL": "DEBUG"})
    desk.fill(customers=1)
    live, ended = make_addresses(desk)
    with desk.serving() as process:
        path = f"/cal/{live}/intervenciones.ics"
        assert ask(desk.port, path, Accept_Encoding="gzip") == 200
        assert ask(desk.port, path, If_Modified_Since="Tue, 01 Jan 2999 00:00:00 GMT") == 304
        assert ask(desk.port, f"/cal/{ended}/intervenciones.ics") == 410
        assert ask(desk.port, path + "x") == 404
        assert ask(desk.port, path, "DELETE") in (403, 405)
        assert ask(desk.port, path, "POST", Content_Length="99999999") in (403, 405, 413)
        assert ask(desk.port, f"/a/{TOKEN}") == 404
        assert ask(desk.port, f"/a/{TOKEN}/cancel", "POST") == 403
        for odd in (
            f"GET /cal/{live}/intervenciones.ics HTTP/9.9\r\n\r\n",
            f"GET /cal/{live}/intervenciones.ics\r\n\r\n",
            f"GE T /a/{TOKEN} HTTP/1.1\r\n\r\n",
            f"GET /cal/{live}/{'x' * 9000} HTTP/1.1\r\n\r\n",
            f"GET /cal/{live}/intervenciones.ics HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
        ):
            send(desk.port, odd.encode())
        break_the_store(desk)
        assert ask(desk.port, path, User_Agent="another") in (200, 500)
        written = process.log()
    assert "***" in written, "the paths were written down, without what is secret"
    for secret in (live, ended, TOKEN):
        assert secret not in written


def test_neither_an_own_calendars_address_nor_the_mailboxs_password_is_written_down(tmp_path: Path) -> None:
    """Both are used by the engine: addresses that answer, refuse and lead astray, and a mailbox that nobody serves."""
    with serving() as calendars:
        calendars.publish(
            "/canaryOfTheCalendar.ics", calendar(meeting("a", "20300101T090000Z", "20300101T100000Z"))
        )
        calendars.answer("/canaryRefused.ics", 401)
        calendars.answer("/canaryAstray.ics", 302, Location="http://169.254.169.254/canaryInside")
        desk = Installed(
            tmp_path,
            settings={
                "VENTANA_LOG_LEVEL": "DEBUG",
                "VENTANA_LOOPBACK_PORTS": f"127.0.0.1:{calendars.port}",
                "VENTANA_IMAP_HOST": "127.0.0.1",
                "VENTANA_IMAP_PORT": str(free_port()),
                "VENTANA_IMAP_USER": "citas@levantia.example",
                "VENTANA_IMAP_PASSWORD": "canaryOfTheMailbox",
            },
        )
        desk.fill(customers=1)
        service = desk.service()
        with write(service.sessions) as session:
            person, context = session.scalars(select(Technician)).one(), service.desk(session)
            for path in list(calendars.pages):
                url = calendars.url(path)
                busy.add_calendar(session, context, service.vault, service.clock(), SYSTEM, person.id, url)
        with desk.serving() as process:
            ends = time.monotonic() + 60
            while (problems := problems_of(service)) != {None, "login", "address_refused"}:
                assert time.monotonic() < ends, problems
                time.sleep(0.1)
            written = process.log()
        service.close()
    assert "the inbox for answers cannot be read: unreachable" in written, (
        "the control: the engine writes here"
    )
    assert "canary" not in written


def problems_of(service: Service) -> set[str | None]:
    """How the readings of all calendars ended; nothing while one is to come."""
    with read(service.sessions) as session:
        rows = session.scalars(select(BusyCalendar)).all()
        inbox = session.get(ReplyInbox, 1)
        done = inbox is not None and all(row.tried_at is not None for row in rows)
        return {row.problem for row in rows} if done else set()
