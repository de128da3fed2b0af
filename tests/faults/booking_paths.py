"""Every way by which a booking may come to be or change its start, each as one verb of the same shape.

A way is asked for one start at one moment; what it leaves in the table is judged by who asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Table, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.actor import Actor
from scheduler.bookings import booking as bookings
from scheduler.identity.people import make_api_token
from scheduler.rules.refusals import Refusal
from scheduler.settings import Settings
from scheduler.store.engines import read, write
from scheduler.store.models import AccessPoint, Booking, Contact
from tests.services.conftest import PONS, Bench
from tests.store.rows import booking_values
from web.app import create_app

REASON = "centralita caída, lo pide dirección"
FAR = timedelta(days=58)
HOUR = timedelta(hours=1)
BOOKING: Table = Booking.__table__  # type: ignore[assignment]


@dataclass
class Clock:
    """What the desk's processes believe the time to be."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class WebService:
    """What the web needs of an assembled service."""

    settings: Settings
    bench: Bench
    clock: Clock

    def __getattr__(self, name: str) -> Any:
        return self.bench.database.sessions if name == "sessions" else getattr(self.bench, name)

    def desk(self, session: Session) -> Any:
        """The desk as it stands."""
        from scheduler.context import load_desk

        return load_desk(session, self.bench.installation)


@dataclass
class Ways:
    """One desk, one customer, and all ways in."""

    bench: Bench
    clock: Clock
    browser: FlaskClient
    token: str
    contact: Actor

    @property
    def all(self) -> Mapping[str, Callable[[datetime], bool]]:
        """Name → the way: takes the start, tells whether it was let in."""
        asking = ("hold", "book", "kept_then_booked", "for_a_customer", "moved", "api_book", "api_move")
        writing = ("sql_insert", "sql_insert_forged", "sql_start", "sql_start_restated", "sql_revived")
        return {name: getattr(self, name) for name in asking + writing}

    @property
    def forbidden(self) -> Mapping[str, Callable[[datetime], bool]]:
        """Ways that are open to nobody, whatever the start."""
        names = ("reason_missing", "reason_by_a_customer", "reason_by_a_technician", "api_reason")
        return {name: getattr(self, name) for name in names}

    def hold(self, start: datetime) -> bool:
        return self._verb(bookings.hold, self.contact, start)

    def book(self, start: datetime) -> bool:
        return self._verb(bookings.book, self.contact, start)

    def kept_then_booked(self, start: datetime) -> bool:
        """A slot that was kept in time is booked when the kept minutes are nearly over."""
        if not self.hold(start):
            return False
        self.clock.now += timedelta(minutes=4)
        return self.book(start) or self._release()

    def for_a_customer(self, start: datetime) -> bool:
        """A dispatcher without a reason."""
        return self._verb(bookings.book, Actor("dispatcher", 3, "Elena"), start)

    def reason_missing(self, start: datetime) -> bool:
        """A dispatcher whose reason says nothing."""
        elena = Actor("dispatcher", 3, "Elena")
        return any(
            self._verb(bookings.book, elena, start, override_reason=said) for said in ("", " " * 12, "ya")
        )

    def reason_by_a_customer(self, start: datetime) -> bool:
        return self._verb(bookings.book, self.contact, start, override_reason=REASON)

    def reason_by_a_technician(self, start: datetime) -> bool:
        return self._verb(bookings.book, Actor("technician", 1, "Marta"), start, override_reason=REASON)

    def moved(self, start: datetime) -> bool:
        """Booked far ahead, then moved near."""
        number, rev = self._far()

        def move(session: Session, desk: Any) -> None:
            to = bookings.Move(rev, start, "Europe/Madrid")
            bookings.move(session, desk, self.clock(), self.contact, number, to)

        return self._done(move)

    def api_book(self, start: datetime) -> bool:
        return self._post("/api/v1/bookings", self._wish(start)) == 201

    def api_move(self, start: datetime) -> bool:
        number, rev = self._far()
        return (
            self._post(f"/api/v1/bookings/{number}/move", {"rev": rev, "start_at": start.isoformat()}) == 200
        )

    def api_reason(self, start: datetime) -> bool:
        return self._post("/api/v1/bookings", self._wish(start) | {"override_reason": REASON}) == 201

    def sql_insert(self, start: datetime) -> bool:
        """A row that states its notice truly."""
        now, lead = self.clock(), self.lead
        return self._sql(insert(BOOKING).values(**self._row(start, requested_at=now, earliest_at=now + lead)))

    def sql_insert_forged(self, start: datetime) -> bool:
        """A row that calls its own start the earliest."""
        return self._sql(
            insert(BOOKING).values(**self._row(start, requested_at=self.clock(), earliest_at=start))
        )

    def sql_start(self, start: datetime) -> bool:
        """Another start for a booking of long ago, and nothing else: never allowed."""
        return self._sql(self._restart(start))

    def sql_start_restated(self, start: datetime) -> bool:
        """Another start, with the moment at which it was changed."""
        return self._sql(self._restart(start, changed_at=self.clock(), override_reason=None))

    def sql_revived(self, start: datetime) -> bool:
        """A cancelled booking comes back."""
        asked = self.clock() - 30 * timedelta(days=1)
        row = self._row(
            start, requested_at=asked, earliest_at=asked + self.lead, status="cancelled", changed_at=asked
        )
        again = update(BOOKING).where(BOOKING.c.uid == row["uid"])
        return self._sql(insert(BOOKING).values(**row)) and self._sql(
            again.values(status="confirmed", changed_at=self.clock())
        )

    @property
    def lead(self) -> timedelta:
        """The notice that the desk wants of this customer."""
        return timedelta(minutes=self.bench.installation.conditions.lead["maintenance"].minutes)

    def live(self) -> list[Booking]:
        """What stands in the calendar now without a written reason."""
        with read(self.bench.database.sessions) as session:
            here = Booking.status.in_(("held", "confirmed")), Booking.override_reason.is_(None)
            return list(session.scalars(select(Booking).where(*here)))

    def clear(self) -> None:
        """Make room for the next way."""
        with write(self.bench.database.sessions) as session:
            session.execute(update(Booking).where(Booking.status == "confirmed").values(status="cancelled"))
            session.execute(update(Booking).where(Booking.status == "held").values(status="expired"))

    def _verb(self, verb: Callable[..., Any], actor: Actor, start: datetime, **changed: Any) -> bool:
        def ask(session: Session, desk: Any) -> None:
            wish = self.bench.request(session, PONS, start, minutes=30, **changed)
            verb(session, desk, self.clock(), actor, wish)

        return self._done(ask)

    def _release(self) -> bool:
        with write(self.bench.database.sessions) as session:
            bookings.release_holds(session, self.clock(), self.contact)
        return False

    def _done(self, verb: Callable[[Session, Any], None]) -> bool:
        try:
            with self.bench.writing() as (session, desk):
                verb(session, desk)
        except Refusal:
            return False
        return True

    def _far(self) -> tuple[int, int]:
        """A booking far ahead, made with a reason that excuses nothing later; its id and rev."""
        with self.bench.writing() as (session, desk):
            wish = self.bench.request(session, PONS, self.clock() + FAR, minutes=30, override_reason=REASON)
            row = bookings.book(session, desk, self.clock(), Actor("dispatcher", 3, "Elena"), wish)
            return row.id, row.rev

    def _wish(self, start: datetime) -> dict[str, Any]:
        with read(self.bench.database.sessions) as session:
            wish = self.bench.request(session, PONS, start)
        ids = {"access_point": wish.access_point_id, "entitlement": wish.entitlement_id}
        return ids | {"start_at": start.isoformat(), "minutes": 30}

    def _post(self, address: str, body: Mapping[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.browser.post(address, json=body, headers=headers).status_code

    def _row(self, start: datetime, **changed: Any) -> dict[str, Any]:
        wish = self._wish(start)
        with read(self.bench.database.sessions) as session:
            door = session.get_one(AccessPoint, wish["access_point"])
            ids = {"system_id": door.system_id, "customer_id": door.system.customer_id}
        ids |= {"access_point_id": wish["access_point"], "entitlement_id": wish["entitlement"]}
        lead = {
            "lead_minutes": int(self.lead.total_seconds()) // 60,
            "verdict": "unknown",
            "rev": 1,
            "sequence": 0,
        }
        return booking_values(start, HOUR / 2, **(ids | lead | {"changed_at": self.clock()} | changed))

    def _restart(self, start: datetime, **changed: Any) -> Any:
        asked = self.clock() - 30 * timedelta(days=1)
        row = self._row(
            self.clock() + FAR, requested_at=asked, earliest_at=asked + self.lead, changed_at=asked
        )
        assert self._sql(insert(BOOKING).values(**row))
        changes = {"starts_at": start, "ends_at": start + HOUR / 2} | changed
        return update(BOOKING).where(BOOKING.c.uid == row["uid"]).values(**changes)

    def _sql(self, statement: Any) -> bool:
        try:
            with write(self.bench.database.sessions) as session:
                session.execute(statement)
        except IntegrityError:
            return False
        return True


def ways_of(bench: Bench, settings: Settings) -> Ways:
    """All ways into this bench's desk."""
    clock = Clock(bench.now)
    with write(bench.database.sessions) as session:
        contact = bench.customer(session, PONS)
        token = make_api_token(session, bench.now, "test", session.get_one(Contact, contact.id), None)
    application = create_app(WebService(settings, bench, clock))
    return Ways(bench, clock, application.test_client(), token, contact)
