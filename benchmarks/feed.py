"""What a calendar poll costs: CPU of a 304 and of a whole feed, against icalendar building the same calendar.

Run: python -m benchmarks.feed [--events 1000]. Times are CPU of this process, measured in one run, so that the
ratios hold on a busy machine. Requests go through the whole application as WSGI calls, without sockets.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from sqlalchemy import insert, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import EnvironBuilder, run_wsgi_app

from scheduler.calendars.event import event_bytes
from scheduler.calendars.feed import Sources, calendar_component
from scheduler.calendars.secrets import create_feed, feed_secret, feed_url
from scheduler.calendars.timezone import timezone_component
from scheduler.calendars.writing import write_event
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.rules.secret import Secret
from scheduler.settings import Settings
from scheduler.store.engines import open_engine, sessions, write
from scheduler.store.migrations import migrate
from scheduler.store.models import CalendarObject
from tests.unit.calendars.desk import ANA, BASE, NOW, add_booking, add_desk, context, facts
from web.app import create_app

KEY = Secret("f0" * 32)
TARGET_304_MS = 1.5
TARGET_RATIO = 100
HOUR = timedelta(hours=1)
MADRID = ZoneInfo("Europe/Madrid")


@dataclass
class Desk:
    """A desk of one technician with many interventions."""

    sessions: sessionmaker[Session]
    installation: Installation
    settings: Settings = field(default_factory=Settings)

    def clock(self) -> datetime:
        """Always the same moment, so that every poll finds the same feed."""
        return NOW

    def desk(self, session: Session) -> DeskContext:
        """The desk as pages need it."""
        return load_desk(session, self.installation)

    @property
    def calendar_sources(self) -> Sources:
        """No slots: this feed shows interventions."""
        return Sources(BASE, b"l" * 32, lambda *_: (), lambda *_: ())


@contextmanager
def desk_with(events: int) -> Iterator[tuple[Desk, str]]:
    """A desk on SQLite and the path of its technician's feed."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'ventana.db'}")
        migrate(engine)
        factory = sessions(engine)
        with write(factory) as session:
            add_desk(session)
            installation = context(session).installation
            _book(session, events)
            row = create_feed(session, KEY, ANA, "interventions", NOW)
            path = feed_url(BASE, feed_secret(KEY, row)).removeprefix(BASE)
        yield Desk(factory, installation), path
        engine.dispose()


def _book(session: Session, events: int) -> None:
    """One serialised event, copied to as many bookings with their own times and UIDs."""
    desk = context(session)
    write_event(session, desk, add_booking(session, id=1, starts_at=_start(1), ends_at=_start(1) + HOUR), NOW)
    model = session.scalars(select(CalendarObject)).one()
    copies = []
    for number in range(2, events + 1):
        start = _start(number)
        booking = add_booking(session, number, id=number, starts_at=start, ends_at=start + HOUR)
        body = model.vevent.replace(b"00000001-", f"{number:08d}-".encode())
        copies.append(
            {
                "booking_id": number,
                "technician_id": ANA,
                "starts_at": booking.starts_at,
                "ends_at": booking.ends_at,
                "zone": model.zone,
                "rev": 1,
                "vevent": body,
                "vevent_with_host": body,
            }
        )
    session.execute(insert(CalendarObject), copies)


def _start(number: int) -> datetime:
    """Inside the feed's window for up to 2,400 events."""
    return NOW - timedelta(days=20) + number * 2 * HOUR


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """CPU milliseconds of one call: the best of three rounds of `times` calls."""
    work()
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - start) * 1000 / times)
    return min(rounds)


def build_with_icalendar(events: int) -> bytes:
    """The same calendar, built as programs without stored events do: each event anew, at each poll."""
    calendar: Calendar = calendar_component("Ana Ruiz", "es", "Europe/Madrid", "interventions")
    calendar.add_component(timezone_component("Europe/Madrid"))
    text = str(Event.from_ical(event_bytes(facts()))["description"])
    for number in range(events):
        uid = f"{number:08d}-8c1e-4f6e-9a44-0d2f5ad1c001@citas.example.es"
        calendar.add_component(_event(uid, text))
    body: bytes = calendar.to_ical()
    return body


def _event(uid: str, text: str) -> Event:
    """One of our events, property by property as the library's users write it."""
    event, of = Event(), facts()
    for name, value in (
        ("uid", uid),
        ("sequence", of.sequence),
        ("dtstamp", of.changed_at),
        ("last-modified", of.changed_at),
        ("dtstart", of.starts_at.astimezone(MADRID)),
        ("dtend", of.ends_at.astimezone(MADRID)),
        ("summary", "✔ Asterisk · Clínica Sol"),
        ("description", text),
        ("location", "Acceso remoto (SSH)"),
        ("categories", ["Asterisk", "SSH"]),
        ("url", of.session_url),
        ("status", "CONFIRMED"),
        ("transp", "OPAQUE"),
        ("x-microsoft-cdo-busystatus", "BUSY"),
    ):
        event.add(name, value)
    return event


def main() -> None:
    """Measure and print; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    events = parser.parse_args().events
    with desk_with(events) as (desk, path):
        app = create_app(desk)

        def poll(*headers: tuple[str, str]) -> tuple[str, int, str]:
            environ = EnvironBuilder(path=path, base_url=BASE, headers=list(headers)).get_environ()
            body, status, sent = run_wsgi_app(app, environ, buffered=True)
            return status[:3], len(b"".join(body)), sent.get("ETag", "")

        status, size, tag = poll()
        shown = (status, poll(("If-None-Match", tag))[0])
        if shown != ("200", "304"):
            raise SystemExit(f"expected 200 and 304, got {shown}")
        unchanged = cpu_ms(lambda: poll(("If-None-Match", tag)), 300)
        whole = cpu_ms(poll, 30)
        squeezed = cpu_ms(lambda: poll(("Accept-Encoding", "gzip")), 10)
        peer = cpu_ms(lambda: build_with_icalendar(events), 1)
    ratio = peer / whole
    print(f"{events} events, {size / 1024:.0f} KiB; CPU per poll over WSGI, whole application")
    print(f"304 unchanged          {unchanged:8.2f} ms   target ≤ {TARGET_304_MS} ms")
    print(f"200 whole feed         {whole:8.2f} ms   1/{ratio:.0f} of icalendar; target ≤ 1/{TARGET_RATIO}")
    print(f"200 compressed         {squeezed:8.2f} ms")
    print(f"icalendar, the same    {peer:8.2f} ms")
    if unchanged > TARGET_304_MS or ratio < TARGET_RATIO:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
