"""Real screens, from the due check that the engine of a running `ventana serve` wakes for to the session's page."""

import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from fixtures.rdp_servers import Shadow, XServer, shadow_missing
from fixtures.rdp_servers import missing as rdp_missing
from fixtures.served import Installed
from fixtures.vnc_servers import TigerVnc, fingerprint
from fixtures.vnc_servers import missing as vnc_missing
from fixtures.x_paint import paint
from scheduler.actor import SYSTEM
from scheduler.bookings import booking as bookings
from scheduler.bootstrap import Service
from scheduler.checks import pins, planning
from scheduler.operation.loading import DeskFile, load
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint, Check, Entitlement, Technician
from scheduler.waking import wake
from tests.web.technician_desk import JORDI, MARTA, PASSWORD, _document

SECRET = "s3creto"


def desk_file(vnc_port: int, rdp_port: int | None) -> DeskFile:
    """The desk with a 3CX by VNC and, where one runs, another by RDP, both with pictures agreed to."""
    document: dict[str, Any] = _document()
    ports = {"vnc": vnc_port} | ({"rdp": rdp_port} if rdp_port else {})
    document["customers"] = document["customers"][: len(ports)]
    for customer, (method, port) in zip(document["customers"], ports.items(), strict=True):
        door = {"platform": "3cx", "method": method, "host": "127.0.0.1", "port": port, "pictures": True}
        secret = {"username": "soporte", "credential_kind": "password", "credential": SECRET}
        customer["systems"] = [{"name": f"3CX {method}", **door, **secret}]
    return DeskFile.model_validate(document)


def book_due_now(service: Service, pin: str) -> dict[str, int]:
    """A session of each door in a few hours, whose check two hours before is due already; ids by method."""
    now, made = service.clock(), {}
    with write(service.sessions) as session:
        people = {person.email: person.id for person in session.scalars(select(Technician))}
        for door in session.scalars(select(AccessPoint).order_by(AccessPoint.id)).all():
            if door.method == "vnc":
                pins.confirm_line(session, door, pin, "test", now)
            right = session.scalars(
                select(Entitlement.id).where(Entitlement.customer_id == door.system.customer_id)
            ).one()
            wish = bookings.BookingRequest(
                access_point_id=door.id,
                entitlement_id=right,
                starts_at=(now + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0),
                minutes=60,
                zone="Europe/Madrid",
                technician_id=people[MARTA if door.method == "vnc" else JORDI],
                override_reason="Centralita parada, lo pide el cliente.",
            )
            made[door.method] = bookings.book(session, service.desk(session), now, SYSTEM, wish).id
        for check in session.scalars(select(Check).where(Check.stage == "h2")):
            check.due_at = now
            wake(session, planning.KIND, check.id, check.rev, now)
    return made


def check_when_done(service: Service, booking: int) -> Check:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with read(service.sessions) as session:
            query = select(Check).where(Check.booking_id == booking, Check.stage == "h2")
            row = session.scalars(query).one()
            assert row.steps is not None
            if row.state == "done":
                return row
        time.sleep(0.1)
    raise AssertionError("the engine did not run the check")


class Pages:
    """Marta's browser, by plain HTTP."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', self.get("/sign-in")[0].decode())
        assert token
        form = {"csrf_token": token[1], "email": MARTA, "password": PASSWORD}
        with self._opener.open(f"{self._base}/sign-in", urllib.parse.urlencode(form).encode()) as answer:
            answer.read()

    def get(self, path: str) -> tuple[bytes, str]:
        """Body and content type."""
        with self._opener.open(self._base + path) as answer:
            return answer.read(), answer.headers["Content-Type"]


@dataclass(frozen=True)
class Screens:
    """A painted TigerVNC, and FreeRDP's own server where it is installed."""

    vnc: TigerVnc
    rdp: Shadow | None

    @property
    def allowed(self) -> str:
        return ",".join(f"127.0.0.1:{server.port}" for server in (self.vnc, self.rdp) if server)


@pytest.fixture
def screens(tmp_path: Path) -> Iterator[Screens]:
    if (reason := vnc_missing()) is not None:
        pytest.skip(reason)
    with ExitStack() as stack:
        vnc, rdp = stack.enter_context(TigerVnc(tmp_path / "vnc", "X509Vnc")), None
        paint(vnc.screen, [(0, 0, 640, 480, 0x2E8B57), (0, 0, 320, 240, 0xC02030)])
        if (shadow_missing() or rdp_missing("xfreerdp")) is None:
            screen = stack.enter_context(XServer(tmp_path / "screen"))
            paint(screen.display, [(0, 0, 320, 240, 0x2E8B57), (0, 0, 160, 240, 0xC02030)])
            rdp = stack.enter_context(Shadow(tmp_path / "rdp", {"soporte": SECRET}, screen.display))
        yield Screens(vnc, rdp)


def test_a_due_check_brings_the_screen_to_the_session_page(tmp_path: Path, screens: Screens) -> None:
    folder = tmp_path / "desk"
    folder.mkdir()
    desk = Installed(folder, settings={"VENTANA_LOOPBACK_PORTS": screens.allowed})
    with closing(desk.service()) as service:
        with write(service.sessions) as session:
            file = desk_file(screens.vnc.port, screens.rdp.port if screens.rdp else None)
            load(session, service.installation, service.vault, service.clock(), file)
        made = book_due_now(service, fingerprint(screens.vnc.certificate))
        with desk.serving():
            checks = {method: check_when_done(service, booking) for method, booking in made.items()}
            pages, check = Pages(desk.port), checks["vnc"]
            page = pages.get(f"/s/{made['vnc']}")[0].decode()
            body, kind = pages.get(f"/s/{made['vnc']}/picture/{check.id}")
    assert (check.verdict, check.code) == ("ready", None)
    assert f'src="/s/{made["vnc"]}/picture/{check.id}"' in page
    assert (body[:8], kind) == (b"\x89PNG\r\n\x1a\n", "image/png")
    for method, each in checks.items():
        assert each.verdict in ("ready", "at_risk"), (method, each.code)  # RDP's certificate is seen first
        assert (each.steps[-1].name, each.steps[-1].outcome) == ("picture", "ok"), each.steps[-1].facts
        assert each.steps[-1].facts["look"] == ""
