"""What calendars cost, against programs that do the same: icalendar, Radicale and Xandikos from their packages.

All are called as WSGI applications in one process each, and CPU is measured, so that the ratios hold on a busy machine.
The peers are put into an environment of their own from benchmarks/peers.lock; without network they are left out.
"""

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from werkzeug.test import EnvironBuilder, run_wsgi_app

from benchmarks.calendar_desk import IN_THE_WEEK, WEEK, Desk, desk_with
from benchmarks.feed import build_with_icalendar, cpu_ms
from benchmarks.table import Line
from fixtures.environments import Unavailable, python_of
from scheduler.calendars.collections import object_bytes
from scheduler.calendars.event import event_bytes
from scheduler.calendars.writing import event_facts, write_event
from scheduler.store.engines import read
from scheduler.store.models import Booking, CalendarObject, Technician
from tests.unit.calendars.desk import ANA, BASE, NOW, context
from web.app import create_app

HERE = Path(__file__).parent
FEW, MANY = 1_000, 10_000
OWN = f"/dav/calendars/{ANA}/interventions/"
XML = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
QUERY = f"""<c:calendar-query {XML}><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter>
<c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">
<c:time-range start="{WEEK[0]:%Y%m%dT%H%M%SZ}" end="{WEEK[1]:%Y%m%dT%H%M%SZ}"/>
</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"""
SYNC = f"""<d:sync-collection {XML}><d:sync-token/><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop>
</d:sync-collection>"""


@dataclass(frozen=True)
class Answer:
    """Status, body and tag of one request."""

    status: int
    body: bytes
    etag: str


@dataclass
class Ours:
    """Our application over one desk."""

    desk: Desk

    def __post_init__(self) -> None:
        self._app = create_app(self.desk)
        token = base64.b64encode(f"{self.desk.user}:{self.desk.password}".encode()).decode()
        self._signed = ("Authorization", f"Basic {token}")

    def feed(self, *headers: tuple[str, str]) -> Answer:
        """A poll of the feed."""
        return self._ask("GET", self.desk.feed, "", headers)

    def report(self, body: str) -> Answer:
        """A REPORT on the technician's calendar, signed in with an app password as each request is."""
        return self._ask("REPORT", OWN, body, (self._signed, ("Depth", "1")))

    def _ask(self, method: str, path: str, body: str, headers: tuple[tuple[str, str], ...]) -> Answer:
        environ = EnvironBuilder(
            path=path, base_url=BASE, method=method, data=body.encode(), headers=list(headers)
        ).get_environ()
        sent, status, heads = run_wsgi_app(self._app, environ, buffered=True)
        return Answer(int(status[:3]), b"".join(sent), heads.get("ETag", ""))


def measure() -> Iterator[Line]:
    """Ours first, then the ratios to those peers that can be had."""
    with desk_with(FEW) as few, desk_with(MANY) as many:
        own = {FEW: _ours(Ours(few)), MANY: _ours(Ours(many))}
        yield from _alone(own, few, many)
        built = cpu_ms(lambda: build_with_icalendar(FEW), 1)
        yield Line("icalendar builds 1,000 events", built, "ms")
        yield Line("feed of 1,000 against icalendar, 1/…", built / own[FEW]["feed"], "", at_least=100)
        try:
            interpreter = python_of(HERE / "peers.lock", "calendar-peers")
        except Unavailable as missing:
            print(f"  without peers: {missing}", file=sys.stderr)
            return
        for peer in ("radicale", "xandikos"):
            theirs = {count: _peer(interpreter, peer, desk) for count, desk in ((FEW, few), (MANY, many))}
            yield from _against(peer, own, theirs)


def _ours(ours: Ours) -> dict[str, float]:
    """CPU milliseconds of each request, after a look at what it answers."""
    whole = ours.feed()
    unchanged = ("If-None-Match", whole.etag)
    week, sync = ours.report(QUERY), ours.report(SYNC)
    assert (whole.status, ours.feed(unchanged).status, week.status, sync.status) == (200, 304, 207, 207)
    assert week.body.count(b"BEGIN:VEVENT") == IN_THE_WEEK
    return {
        "feed": cpu_ms(ours.feed, 20),
        "304": cpu_ms(lambda: ours.feed(unchanged), 300),
        "week": cpu_ms(lambda: ours.report(QUERY), 50),
        "sync": cpu_ms(lambda: ours.report(SYNC), 5),
        "events": sync.body.count(b".ics<"),
    }


def _alone(own: dict[int, dict[str, float]], few: Desk, many: Desk) -> Iterator[Line]:
    yield Line("feed of 1,000 events", own[FEW]["feed"], "ms")
    yield Line("304, 1,000 events", own[FEW]["304"], "ms", at_most=1.5)
    yield Line("304, 10,000 events against 1,000", own[MANY]["304"] / own[FEW]["304"], "×", at_most=1.3)
    yield Line("a week of 40 events by calendar-query, among 1,000", own[FEW]["week"], "ms")
    yield Line("the same among 10,000 against 1,000", own[MANY]["week"] / own[FEW]["week"], "×", at_most=1.3)
    assert own[MANY]["events"] == MANY
    yield Line("first sync of 10,000 events", own[MANY]["sync"], "ms", at_most=100)
    yield Line("one VEVENT serialised and stored", _store_ms(few), "ms", at_most=2)
    yield Line("all that a change writes: four variants, three counters", _write_ms(few), "ms")
    yield Line("memory at the peak of a feed of 10,000", _memory(many), "MB", at_most=25)


def _store_ms(desk: Desk) -> float:
    """What the plainest calendar server does at a PUT, without the fsync that all of a transaction share."""
    with desk.sessions() as session:
        technician = session.get_one(Technician, ANA)
        booking = session.get_one(Booking, 1)
        told = event_facts(session, context(session), booking, technician)
        stored = update(CalendarObject).where(CalendarObject.booking_id == 1)
        spent = cpu_ms(lambda: session.execute(stored.values(vevent=event_bytes(told))), 100)
        session.rollback()
    return spent


def _write_ms(desk: Desk) -> float:
    """Everything that calendars add to the transaction of a booking."""
    with desk.sessions() as session:
        desk_now = context(session)
        bookings = list(session.scalars(select(Booking).order_by(Booking.id).limit(100)))
        order: Iterator[Booking] = iter(bookings * 5)
        spent = cpu_ms(lambda: write_event(session, desk_now, next(order), NOW), 100)
        session.rollback()
    return spent


def _memory(desk: Desk) -> float:
    command = [sys.executable, "-m", "benchmarks.calendar_memory", desk.database, desk.feed]
    root = HERE.parent
    return float(subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout)


def _peer(interpreter: Path, name: str, desk: Desk) -> dict[str, dict[str, float]]:
    """What a peer spends on the same events."""
    with tempfile.TemporaryDirectory(prefix="ventana-bench-") as folder:
        with read(desk.sessions) as session:
            for row in session.scalars(select(CalendarObject)):
                (Path(folder) / f"{row.booking_id}.ics").write_bytes(object_bytes(row.zone, row.vevent))
        run = subprocess.run(
            [interpreter, HERE / "calendar_peers.py", name, folder],
            input=json.dumps(_requests(name)),
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode != 0:
        raise SystemExit(f"{name}: {run.stderr[-3000:]}")
    answers: dict[str, dict[str, float]] = json.loads(run.stdout)
    # More are allowed: by its index Xandikos gives events of the hour before the week, too.
    assert answers["week"]["events"] >= IN_THE_WEEK, answers
    return answers


def _requests(name: str) -> list[dict[str, Any]]:
    query = {"name": "week", "method": "REPORT", "headers": {"Depth": "1"}, "body": QUERY}
    sync = {"name": "sync", "method": "REPORT", "headers": {"Depth": "1"}, "body": SYNC}
    asks: list[dict[str, Any]] = [query, sync]
    if name == "radicale":  # Xandikos gives no calendar as one file
        asks.append({"name": "feed", "method": "GET", "headers": {}, "body": ""})
        tag = {"If-None-Match": '"any"'}  # it looks at no tag of a whole calendar
        asks.append({"name": "304", "method": "GET", "headers": tag, "body": ""})
    # Xandikos begins an index of its own after five searches.
    first = {"week": 8} if name == "xandikos" else {}
    return [ask | {"times": 1, "first": first.get(ask["name"], 1)} for ask in asks]


def _against(
    peer: str, own: dict[int, dict[str, float]], theirs: dict[int, dict[str, dict[str, float]]]
) -> Iterator[Line]:
    name = peer.capitalize()
    if "feed" in theirs[FEW]:
        yield Line(f"{name}: calendar of 1,000 as one file", theirs[FEW]["feed"]["ms"], "ms")
        yield Line(
            f"feed of 1,000 against {name}, 1/…",
            theirs[FEW]["feed"]["ms"] / own[FEW]["feed"],
            "",
            at_least=25,
        )
        yield Line(
            f"304 against {name}'s conditional GET, 1/…",
            theirs[FEW]["304"]["ms"] / own[FEW]["304"],
            "",
            at_least=100,
        )
    yield Line(f"{name}: a week among 10,000", theirs[MANY]["week"]["ms"], "ms")
    yield Line(
        f"a week among 10,000 against {name}, 1/…",
        theirs[MANY]["week"]["ms"] / own[MANY]["week"],
        "",
        at_least=20,
    )
    yield Line(f"{name}: first sync of 10,000", theirs[MANY]["sync"]["ms"], "ms")
