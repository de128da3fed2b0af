"""A desk with many interventions in the window that calendars show: forty in one week, as many as wished around it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, sessionmaker

from scheduler.actor import Actor
from scheduler.calendars.app_passwords import create
from scheduler.calendars.feed import Sources
from scheduler.calendars.secrets import create_feed, feed_secret, feed_url
from scheduler.calendars.writing import write_event
from scheduler.context import DeskContext, Installation, load_desk
from scheduler.rules.secret import Secret
from scheduler.settings import Settings
from scheduler.store.engines import open_engine, sessions, write
from scheduler.store.migrations import migrate
from scheduler.store.models import Booking, CalendarObject, Technician
from tests.unit.calendars.desk import ANA, BASE, NOW, add_booking, add_desk, context

KEY = Secret("f0" * 32)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0)
WEEK = (MIDNIGHT + 3 * DAY, MIDNIGHT + 10 * DAY)
IN_THE_WEEK = 40
LENGTH = timedelta(minutes=20)


@dataclass
class Desk:
    """A desk of one technician whose clock stands still; what the application needs of a service."""

    database: str
    sessions: sessionmaker[Session]
    installation: Installation
    settings: Settings = field(default_factory=Settings)
    feed: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    def clock(self) -> datetime:
        """Always the same moment, so that every poll finds the same calendar."""
        return NOW

    def desk(self, session: Session) -> DeskContext:
        """The desk as pages need it."""
        return load_desk(session, self.installation)

    @property
    def calendar_sources(self) -> Sources:
        """No open slots: these calendars show interventions."""
        return Sources(BASE, b"l" * 32, lambda *_: (), lambda *_: ())


@contextmanager
def desk_with(events: int) -> Iterator[Desk]:
    """A desk on SQLite with a feed and an app password."""
    with tempfile.TemporaryDirectory(prefix="ventana-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'ventana.db'}"
        engine = open_engine(url)
        migrate(engine)
        factory = sessions(engine)
        with write(factory) as session:
            add_desk(session)
            desk = Desk(url, factory, context(session).installation)
            _book(session, events)
            row = create_feed(session, KEY, ANA, "interventions", NOW)
            desk.feed = feed_url(BASE, feed_secret(KEY, row)).removeprefix(BASE)
            actor = Actor("technician", ANA, "Ana")
            desk.password = create(session, context(session), NOW, actor, "bench")[1].reveal()
            desk.user = session.get_one(Technician, ANA).email
        yield desk
        engine.dispose()


def starts(events: int) -> list[datetime]:
    """Forty in the week; the others every twenty minutes before and after it, the nearest first."""
    week = [WEEK[0] + number * 4 * HOUR for number in range(IN_THE_WEEK)]
    before = [WEEK[0] - (number + 1) * LENGTH for number in range(32 * 72)]
    after = [WEEK[1] + number * LENGTH for number in range(170 * 72)]
    pairs = [start for pair in zip(before, after, strict=False) for start in pair] + after[len(before) :]
    return [*week, *pairs[: events - IN_THE_WEEK]]


def _book(session: Session, events: int) -> None:
    """One event serialised, and copied to as many bookings with their own times and UIDs."""
    first, *others = starts(events)
    booking = add_booking(session, id=1, starts_at=first, ends_at=first + LENGTH)
    write_event(session, context(session), booking, NOW)
    model = session.scalars(select(CalendarObject)).one()
    rows = [_rows(booking, model, number, start) for number, start in enumerate(others, 2)]
    session.execute(insert(Booking), [row for row, _ in rows])
    session.execute(insert(CalendarObject), [row for _, row in rows])


def _rows(
    booking: Booking, model: CalendarObject, number: int, start: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    copied = {column.key: getattr(booking, column.key) for column in Booking.__table__.columns}
    times = {"starts_at": start, "ends_at": start + LENGTH}
    row = copied | times | {"id": number, "uid": _uid(number), "link_hash": f"link-{number}"}
    stored = {column.key: getattr(model, column.key) for column in CalendarObject.__table__.columns}
    bodies = {name: _renamed(body, number, start) for name, body in stored.items() if isinstance(body, bytes)}
    return row, stored | times | bodies | {"booking_id": number}


def _uid(number: int) -> str:
    return f"{number:08d}-8c1e-4f6e-9a44-0d2f5ad1c001@citas.example.es"


def _renamed(body: bytes, number: int, start: datetime) -> bytes:
    """The event of another booking: its UID and its local times."""
    lines = []
    for line in body.split(b"\r\n"):
        name, _, _ = line.partition(b":")
        moment = {b"DTSTART": start, b"DTEND": start + LENGTH}.get(name.partition(b";")[0])
        if moment is not None:
            lines.append(name + b":" + f"{moment + HOUR:%Y%m%dT%H%M%S}".encode())
        else:
            lines.append(line.replace(b"00000001-", f"{number:08d}-".encode()))
    return b"\r\n".join(lines)
