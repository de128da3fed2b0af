"""Server CPU of a whole team's availability over HTTP: fifty technicians, four weeks, 100,000 bookings in the table.

Measured on a team that is booked to 60 % and on one that is all but full, where nearly everybody has to be asked.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from benchmarks.desks import HOUR, booking_row, installed
from benchmarks.table import Line, best
from fixtures.served import OFFICE, Browser, Installed, Process
from scheduler.store.engines import write
from scheduler.store.models import Booking

TECHNICIANS, DAYS, BOOKINGS = 50, 28, 100_000
MOST_MS = 40.0
BOOKED = {"booked to 60 %": 0.6, "all but full": 0.97}
HOURS = (9, 10, 11, 12, 13, 15, 16, 17)
REQUESTS, ROUNDS = 20, 5
ZONE = ZoneInfo("Europe/Madrid")


def measure() -> Iterator[Line]:
    """CPU of the API's answer for the team, and what a single technician costs beside it."""
    for name, share in BOOKED.items():
        with installed("sqlite", customers=1, technicians=TECHNICIANS, hours=OFFICE) as desk:
            _fill(desk, share)
            with desk.serving("--no-work") as server:
                browser = desk.browser(desk.clients[0].token)
                query = f"/api/v1/slots?days={DAYS}&kind=maintenance"
                team, starts = _one(server, browser, query)
                one, _ = _one(server, browser, f"{query}&technician=1")
                browser.close()
        yield Line(f"team of {TECHNICIANS}, four weeks, {name}", team, "ms CPU", at_most=MOST_MS)
        yield Line("  starts in the answer", starts, "")
        yield Line("  one of them, four weeks", one, "ms CPU")


def _one(server: Process, browser: Browser, query: str) -> tuple[float, int]:
    """CPU milliseconds of one answer, the best round; and how many starts it holds."""
    answers = [browser.get(query) for _ in range(5)]
    assert {answer.status for answer in answers} == {200}, answers[0].body
    rounds = []
    for _ in range(ROUNDS):
        before = server.cpu_seconds()
        for _ in range(REQUESTS):
            browser.get(query)
        rounds.append((server.cpu_seconds() - before) * 1000 / REQUESTS)
    return best(rounds), len(answers[0].body["slots"])


def _fill(desk: Installed, share: float) -> None:
    chance = random.Random(4)
    rows = [
        booking_row(desk, start, technician)
        for technician in range(1, TECHNICIANS + 1)
        for start in _coming()
        if chance.random() < share
    ]
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    past = (BOOKINGS - len(rows)) // TECHNICIANS + 1
    rows += [
        booking_row(desk, hour - (number + 1) * HOUR, technician)
        for technician in range(1, TECHNICIANS + 1)
        for number in range(past)
    ]
    service = desk.service()
    try:
        with write(service.sessions) as session:
            for first in range(0, BOOKINGS, 500):
                session.execute(insert(Booking), rows[first:BOOKINGS][:500])
    finally:
        service.close()


def _coming() -> Iterator[datetime]:
    """Every full hour in which the desk is open, from tomorrow on."""
    today = datetime.now(ZONE).date()
    for ahead in range(1, DAYS):
        day = today + timedelta(days=ahead)
        if day.isoweekday() <= 5:
            for hour in HOURS:
                yield datetime.combine(day, time(hour), ZONE).astimezone(UTC)
