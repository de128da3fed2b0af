"""Server CPU of a week's availability for one technician, over HTTP, with 100 and with 10,000 bookings.

The desk has ordinary hours, Monday to Friday 9–14 and 15–18; the API's answer is measured and the customer's page.
"""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

from benchmarks.desks import add_bookings, installed
from benchmarks.table import Line, best
from fixtures.served import OFFICE, Browser, Installed, Process
from scheduler.links import token_hash
from scheduler.store.engines import write
from scheduler.store.models import Contact, WebSession

FEW, MANY = 100, 10_000
MOST_MS = 5.0
FLAT = 1.3
"""How much dearer the same answer may be among a hundred times as many bookings; the rest is noise."""
REQUESTS = 100
ROUNDS = 5


def measure() -> Iterator[Line]:
    """CPU of the API's answer and of the customer's page."""
    few, many = _cpu_ms(FEW), _cpu_ms(MANY)
    for name in few:
        yield Line(f"{name}, {FEW} bookings", few[name], "ms CPU")
        yield Line(f"{name}, {MANY:,} bookings", many[name], "ms CPU", at_most=MOST_MS)
        yield Line(f"{name}, {MANY:,} against {FEW}", many[name] / few[name], "times", at_most=FLAT)


def _cpu_ms(bookings: int) -> dict[str, float]:
    with installed("sqlite", customers=1, hours=OFFICE) as desk:
        add_bookings(desk, bookings)
        cookie = signed_in(desk)
        with desk.serving("--no-work") as server:
            browser = desk.browser(desk.clients[0].token)
            page = f"/book/time?entitlement={desk.clients[0].entitlement}&door={desk.clients[0].access_point}"
            asks: dict[str, Callable[[], int]] = {
                "GET /api/v1/slots": lambda: (
                    browser.get("/api/v1/slots?technician=1&kind=maintenance").status
                ),
                "GET /book/time": lambda: browser.get(page, Cookie=cookie).status,
            }
            spent = {name: _one(server, ask) for name, ask in asks.items()}
            _same_answer(browser)
            browser.close()
        return spent


def _one(server: Process, ask: Callable[[], int]) -> float:
    """CPU milliseconds of one request: the best round, since noise only ever adds."""
    assert {ask() for _ in range(20)} == {200}
    rounds = []
    for _ in range(ROUNDS):
        before = server.cpu_seconds()
        for _ in range(REQUESTS):
            ask()
        rounds.append((server.cpu_seconds() - before) * 1000 / REQUESTS)
    return best(rounds)


def _same_answer(browser: Browser) -> None:
    found = browser.get("/api/v1/slots?technician=1&kind=maintenance").body["slots"]
    assert 10 < len(found) < 100, len(found)


def signed_in(desk: Installed) -> str:
    """The cookie of the customer's signed-in browser."""
    service = desk.service()
    token = secrets.token_urlsafe(32)
    try:
        now = service.clock()
        with write(service.sessions) as session:
            contact = session.query(Contact).first()
            assert contact is not None
            row = WebSession(token_hash=token_hash(token), contact_id=contact.id, generation=1)
            row.created_at = row.authenticated_at = now
            row.expires_at = now + timedelta(hours=8)
            session.add(row)
    finally:
        service.close()
    return f"ventana_session={token}"
