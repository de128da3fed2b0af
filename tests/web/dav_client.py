"""A desk with calendars, and a client that speaks CalDAV to it by hand: for what no real client would send."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from fixtures.databases import Database
from scheduler.actor import Actor
from scheduler.calendars.app_passwords import create
from scheduler.calendars.feed import Sources
from scheduler.calendars.writing import write_event
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.rules.intervals import Interval
from scheduler.settings import Settings
from scheduler.store.engines import write
from scheduler.store.models import Booking, Technician
from tests.unit.calendars.desk import ANA, BASE, NOW, add_booking, add_desk, context
from web.app import create_app

NAMES = {"d": "DAV:", "c": "urn:ietf:params:xml:ns:caldav", "cs": "http://calendarserver.org/ns/"}
HOUR = timedelta(hours=1)
DEPTH_0, DEPTH_1 = {"Depth": "0"}, {"Depth": "1"}


@dataclass
class DavDesk:
    """A running desk, as far as calendars see one."""

    database: Database
    installation: Installation
    settings: Settings
    now: datetime = NOW
    vault: object = None

    @property
    def sessions(self):  # type: ignore[no-untyped-def]
        return self.database.sessions

    def clock(self) -> datetime:
        return self.now

    def desk(self, session: Session) -> DeskContext:
        return load_desk(session, self.installation)

    @property
    def calendar_sources(self) -> Sources:
        """Two free hours of the next day, and one in which the technician is busy elsewhere."""
        start = NOW + timedelta(days=1, hours=5)
        free = [Interval(start + n * HOUR, start + (n + 1) * HOUR) for n in range(2)]
        return Sources(BASE, b"l" * 32, lambda *_: free, lambda *_: [])

    def change(self, number: int, **values: object) -> None:
        """Change a booking as its service does, and write its event."""
        with write(self.sessions) as session:
            booking = session.get_one(Booking, number)
            before = booking.technician_id
            for name, value in values.items():
                setattr(booking, name, value)
            if "starts_at" in values:
                booking.changed_at += timedelta(seconds=1)
            booking.rev += 1
            session.flush()
            left = before if before != booking.technician_id else None
            write_event(session, context(session), booking, self.now, left_technician_id=left)

    def book(self, number: int, **values: object) -> None:
        """One more intervention, of Ana's unless said otherwise."""
        with write(self.sessions) as session:
            write_event(
                session, context(session), add_booking(session, number, id=number, **values), self.now
            )

    def password(self, technician_id: int = ANA, label: str = "Portátil") -> tuple[str, str]:
        """User name and a new app password."""
        with write(self.sessions) as session:
            person = session.get_one(Technician, technician_id)
            actor = Actor("technician", person.id, person.name)
            _, secret = create(session, context(session), self.now, actor, label)
            return person.email, secret.reveal()


def make_desk(database: Database) -> DavDesk:
    """Ana with one intervention, and Luis."""
    with write(database.sessions) as session:
        add_desk(session)
        installation = context(session).installation
        write_event(session, context(session), add_booking(session, id=1), NOW)
    return DavDesk(database, installation, Settings(base_url="http://localhost/"))  # type: ignore[arg-type]


@dataclass
class Dav:
    """Requests in the name of one device."""

    client: FlaskClient
    user: str
    password: str = field(repr=False)
    technician_id: int = ANA

    @property
    def calendar(self) -> str:
        """The path of one's own calendar."""
        return f"/dav/calendars/{self.technician_id}/interventions/"

    def ask(
        self, method: str, path: str, body: str | bytes = b"", headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        sent = {"Authorization": f"Basic {token}", **(headers or {})}
        return self.client.open(path, method=method, data=body, headers=sent)

    def propfind(self, path: str, *names: str, depth: str = "0", **headers: str) -> Element:
        """The multistatus of a PROPFIND for properties such as "d:getetag"."""
        wanted = "".join(f"<{name}/>" for name in names)
        body = body_of("d:propfind", f"<d:prop>{wanted}</d:prop>")
        answer = self.ask("PROPFIND", path, body, {"Depth": depth, **headers})
        assert answer.status_code == 207, answer.data
        root: Element = fromstring(answer.data)
        return root

    def report(self, body: str, path: str | None = None) -> Element:
        """The multistatus of a REPORT."""
        answer = self.ask("REPORT", path or self.calendar, body, DEPTH_1)
        assert answer.status_code == 207, answer.data
        root: Element = fromstring(answer.data)
        return root

    def sync(self, token: str = "") -> tuple[set[int], set[int], str]:
        """Changed and gone bookings since the token, and the next token."""
        found = self.report(sync_body(token))
        changed: set[int] = set()
        gone: set[int] = set()
        for response in found.iterfind("d:response", NAMES):
            number = int(response.findtext("d:href", "", NAMES).rpartition("/")[2].removesuffix(".ics"))
            status = response.findtext("d:status", None, NAMES)
            (changed if status is None else gone).add(number)
        return changed, gone, found.findtext("d:sync-token", "", NAMES)


def body_of(name: str, inner: str) -> str:
    """A document with this root and our prefixes."""
    uris = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
    return f'<?xml version="1.0"?><{name} {uris}>{inner}</{name}>'


def sync_body(token: str, more: str = "<d:sync-level>1</d:sync-level>") -> str:
    """A sync-collection request."""
    inner = f"<d:sync-token>{token}</d:sync-token>{more}<d:prop><d:getetag/></d:prop>"
    return body_of("d:sync-collection", inner)


def query_body(filters: str, wanted: str = "<d:getetag/>") -> str:
    """A calendar-query for events that pass these filters."""
    event = f'<c:comp-filter name="VEVENT">{filters}</c:comp-filter>'
    outer = f'<c:filter><c:comp-filter name="VCALENDAR">{event}</c:comp-filter></c:filter>'
    return body_of("c:calendar-query", f"<d:prop>{wanted}</d:prop>{outer}")


def open_dav(desk: DavDesk, technician_id: int = ANA) -> Dav:
    """A device of this technician's, on this machine."""
    user, password = desk.password(technician_id)
    return Dav(create_app(desk).test_client(), user, password, technician_id)
