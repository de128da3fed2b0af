"""Many clients who book, move, cancel and hold at random over HTTP, each noting what it asked and was told.

Where the desk approves first, its people approve and refuse among them."""

import hashlib
import hmac
import http.client
import itertools
import random
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from fixtures.databases import Database
from fixtures.served import Answer, Browser, Client, Installed
from scheduler.links import token_hash
from scheduler.store.engines import read, write
from scheduler.store.models import Booking, Contact, WebSession
from tests.faults.history import Event, Row, Span

VERBS = ("book", "move", "cancel", "hold")
WEIGHTS = (55, 20, 18, 7)
DECISIONS = ("approve", "refuse")
DECIDING_WEIGHTS = (14, 6)
MINUTES = (30, 60, 90)
NO_ANSWER = Answer(0, {}, None)
GONE = (OSError, http.client.HTTPException)


@dataclass
class Place:
    """What they compete for: technicians' windows within one half of a day."""

    technicians: int
    number: int = 0
    """Places of different numbers share no moment; a hundred of them fit into the desk's horizon."""
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    starts: int = 22
    """On how many half hours a window may begin: the fewer, the more want the same."""

    @property
    def first_at(self) -> datetime:
        """Where it begins; far enough ahead for any lead time of this desk."""
        hours = timedelta(hours=30 + 12 * self.number)
        return (self.began_at + hours).replace(minute=0, second=0, microsecond=0)

    def holds(self, span: Span) -> bool:
        """Whether a window lies in it."""
        first = int(self.first_at.timestamp())
        return first <= span.start < first + 12 * 3600

    def any(self, chance: random.Random, minutes: int) -> Span:
        """One of the windows."""
        start = self.first_at + chance.randrange(self.starts) * timedelta(minutes=30)
        begin = int(start.timestamp())
        return Span(chance.randint(1, self.technicians), begin, begin + minutes * 60)


@dataclass
class Crowd:
    """Clients of one server; two of them act for each customer and so get into each other's way."""

    installed: Installed
    place: Place
    clients: int
    seed: int = 0
    events: list[Event] = field(default_factory=list)
    cookies: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    deciding: str = ""
    """A dispatcher's token, where bookings wait for the desk: whoever asks then also decides for it."""
    keep_on: Callable[[], bool] = lambda: False
    """Asked after each client has made its share: whether they go on regardless."""

    @property
    def verbs(self) -> tuple[Sequence[str], Sequence[int]]:
        """What is asked, and how often beside the others."""
        if not self.deciding:
            return VERBS, WEIGHTS
        return (*VERBS, *DECISIONS), (*WEIGHTS, *DECIDING_WEIGHTS)

    def run(self, attempts: int) -> list[Event]:
        """About so many requests, all clients together; every event."""
        self.cookies = self.cookies or sessions_for(self.installed)
        share = -(-attempts // self.clients)
        pairs = [
            Pair(self.installed.clients[number % len(self.installed.clients)])
            for number in range(self.clients)
        ]
        shared = {pair.client.customer: pair for pair in pairs}
        threads = [
            threading.Thread(target=self._act, args=(number, shared[pair.client.customer], share))
            for number, pair in enumerate(pairs)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.events

    def _act(self, number: int, pair: "Pair", share: int) -> None:
        chance = random.Random(self.seed * 1000 + number)  # noqa: S311 - a repeatable test
        person = Person(self, pair, chance, number)
        for turn in itertools.count():
            if turn >= share and not self.keep_on():
                break
            self.events.append(person.ask(turn))
        person.hang_up()


@dataclass
class Pair:
    """A customer and the bookings that its people believe to have: id → (rev, length in minutes)."""

    client: Client
    bookings: dict[int, tuple[int, int]] = field(default_factory=dict)


class Person:
    """One of the two at a customer."""

    def __init__(self, crowd: Crowd, pair: Pair, chance: random.Random, number: int) -> None:
        self._crowd, self._pair, self._chance, self._number = crowd, pair, chance, number
        self._browser: Browser | None = None
        self._desk: Browser | None = None

    def ask(self, turn: int) -> Event:
        """One request at random."""
        (verb,) = self._chance.choices(*self._crowd.verbs)
        mine = list(self._pair.bookings.items())
        if verb not in ("book", "hold") and not mine:
            verb = "book"
        tag = f"{self._crowd.seed}/{self._number}/{turn}"
        if verb == "book":
            return self._book(tag)
        if verb == "hold":
            return self._hold(tag)
        booking, (rev, minutes) = self._chance.choice(mine)
        return self._change(tag, verb, booking, rev, minutes)

    def hang_up(self) -> None:
        """Close the connection."""
        for browser in (self._browser, self._desk):
            if browser is not None:
                browser.close()
        self._browser = self._desk = None

    def _book(self, tag: str) -> Event:
        minutes = self._chance.choice(MINUTES)
        wanted = self._crowd.place.any(self._chance, minutes)
        client = self._pair.client
        body: dict[str, Any] = {"access_point": client.access_point, "entitlement": client.entitlement}
        body |= {
            "minutes": minutes,
            "start_at": iso(wanted.start),
            "technician": wanted.technician,
            "description": tag,
        }
        event = self._tell("book", tag, "/api/v1/bookings", body, wanted=wanted)
        if event.got is not None:
            self._pair.bookings[event.got.id] = (event.got.rev, minutes)
        return event

    def _change(self, tag: str, verb: str, booking: int, rev: int, minutes: int) -> Event:
        body: dict[str, Any] = {"rev": rev}
        wanted = None
        if verb == "move":
            wanted = self._crowd.place.any(self._chance, minutes)
            body |= {"start_at": iso(wanted.start), "technician": wanted.technician}
        if verb == "refuse":
            body["reason"] = "No longer offered"
        address = f"/api/v1/bookings/{booking}/{verb}"
        event = self._tell(verb, tag, address, body, wanted=wanted, booking=booking, seen_rev=rev)
        if event.got is not None and verb in ("move", "approve"):
            self._pair.bookings[booking] = (event.got.rev, minutes)
        elif verb in ("cancel", "refuse") and event.status == 200:
            self._pair.bookings.pop(booking, None)
        elif event.unknown or event.code in ("stale_revision", "transition_not_allowed"):
            self._look_again(booking, minutes)
        return event

    def _look_again(self, booking: int, minutes: int) -> None:
        answer = self._send(lambda browser: browser.get(f"/api/v1/bookings/{booking}"))
        if answer.status == 200 and answer.body["status"] in ("pending", "confirmed"):
            self._pair.bookings[booking] = (answer.body["rev"], minutes)
        else:
            self._pair.bookings.pop(booking, None)

    def _hold(self, tag: str) -> Event:
        minutes = self._chance.choice(MINUTES)
        wanted = self._crowd.place.any(self._chance, minutes)
        client, (cookie, token) = self._pair.client, self._crowd.cookies[self._pair.client.customer]
        form = {
            "entitlement": client.entitlement,
            "door": client.access_point,
            "minutes": minutes,
            "technician": "any",
            "start": iso(wanted.start),
        }
        headers = {"Cookie": f"ventana_session={cookie}", "X-CSRF-Token": token}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        begun = time.monotonic()
        answer = self._send(
            lambda browser: browser.send("POST", "/book/time/hold", urlencode(form).encode(), headers)
        )
        return Event("hold", tag, begun, time.monotonic(), answer.status, wanted)

    def _tell(self, verb: str, tag: str, address: str, body: Mapping[str, Any], **facts: Any) -> Event:
        begun = time.monotonic()
        answer = self._send(lambda browser: browser.post(address, body), for_desk=verb in DECISIONS)
        ended = time.monotonic()
        if answer.status in (200, 201):
            return Event(verb, tag, begun, ended, answer.status, got=told(answer.body, tag), **facts)
        code = answer.body["code"] if isinstance(answer.body, dict) else ""
        return Event(verb, tag, begun, ended, answer.status, code=code, **facts)

    def _send(self, ask: Callable[[Browser], Answer], for_desk: bool = False) -> Answer:
        """The answer, or none: a client cannot know what became of a question that broke off."""
        open_ = self._crowd.installed.browser
        if for_desk:
            browser = self._desk = self._desk or open_(self._crowd.deciding)
        else:
            browser = self._browser = self._browser or open_(self._pair.client.token)
        try:
            return ask(browser)
        except GONE:
            self.hang_up()
            time.sleep(
                self._chance.uniform(0.1, 0.4)
            )  # while the server is away, asking faster only burns CPU
            return NO_ANSWER


def told(body: Mapping[str, Any], tag: str) -> Row:
    """What an answer says about a booking."""
    start, end = (int(datetime.fromisoformat(body[name]).timestamp()) for name in ("start_at", "end_at"))
    return Row(body["id"], body["rev"], body["status"], Span(body["technician"], start, end), tag)


def table(database: Database) -> list[Row]:
    """Every booking as it is stored."""
    columns = (
        Booking.id,
        Booking.rev,
        Booking.status,
        Booking.technician_id,
        Booking.starts_at,
        Booking.ends_at,
        Booking.description,
    )
    with read(database.sessions) as session:
        rows = session.execute(select(*columns)).all()
    return [
        Row(id_, rev, status, Span(who, int(start.timestamp()), int(end.timestamp())), text)
        for id_, rev, status, who, start, end, text in rows
    ]


def sessions_for(installed: Installed) -> dict[int, tuple[str, str]]:
    """Each customer signed in at a browser: session cookie and form token, by customer."""
    service = installed.service()
    try:
        now, key = service.clock(), service.installation.keys.web
        made = {}
        with write(service.sessions) as session:
            for contact in session.scalars(select(Contact)):
                cookie = secrets.token_urlsafe(32)
                session.add(_signed_in(contact, cookie, now))
                token = hmac.new(key, f"csrf:{cookie}".encode(), hashlib.sha256).hexdigest()
                made[contact.customer_id] = (cookie, token)
        return made
    finally:
        service.close()


def _signed_in(contact: Contact, cookie: str, now: datetime) -> WebSession:
    return WebSession(
        token_hash=token_hash(cookie),
        contact_id=contact.id,
        generation=contact.session_generation,
        created_at=now,
        expires_at=now + timedelta(hours=12),
        authenticated_at=now,
    )


def iso(epoch: int) -> str:
    """2026-11-25T09:30:00Z."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%FT%TZ")


def in_brief(events: Sequence[Event]) -> dict[str, int]:
    """How many were asked, were done, and never answered."""
    return {
        "attempts": len(events),
        "done": sum(event.status in (200, 201) for event in events),
        "unanswered": sum(event.unknown for event in events),
    }
