"""Twenty customers want one free slot at the same moment, over HTTP: one gets it, and the others learn what is free.

The same rounds against a server that checks first and inserts then must double-book, or this test sees nothing.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from fixtures.databases import Database
from fixtures.served import Answer, Browser, Client, Installed
from tests.faults.sizes import size

CLIENTS = 20
ROUNDS = size(25, 100)
NAIVE_ROUNDS = 5
NAIVE = ("-m", "tests.faults.programs.naive_server")

OVERLAPS = """
SELECT count(*) FROM booking one JOIN booking other
    ON one.technician_id = other.technician_id AND one.id < other.id
    AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
WHERE one.status = 'confirmed' AND other.status = 'confirmed'
"""


@dataclass
class Crowd:
    """Clients with a connection each, who all press the button at once."""

    people: list[tuple[Client, Browser]]
    pool: ThreadPoolExecutor

    def book(self, start: str, **headers: str) -> list[Answer]:
        """Everybody asks for the same start; their answers."""
        barrier = threading.Barrier(len(self.people))

        def ask(person: tuple[Client, Browser]) -> Answer:
            client, browser = person
            barrier.wait(30)
            return browser.post("/api/v1/bookings", wish(client, start), **headers)

        return list(self.pool.map(ask, self.people))

    def starts(self) -> list[str]:
        """Free starts, two hours apart, so that no round touches another; not the first, whose notice may run out."""
        found = self.people[0][1].get("/api/v1/slots?kind=maintenance&days=31").body["slots"]
        return [slot["start_at"] for slot in found][4::4]


def wish(client: Client, start: str) -> dict[str, Any]:
    return {
        "access_point": client.access_point,
        "entitlement": client.entitlement,
        "start_at": start,
        "minutes": 60,
    }


@pytest.fixture
def installed(database: Database, tmp_path: Path) -> Installed:
    """A desk of one technician and twenty customers, on each database."""
    database.close()
    made = Installed(tmp_path, url=database.url)
    made.fill(CLIENTS)
    return made


@contextmanager
def crowd_at(installed: Installed, same: Client | None = None) -> Iterator[Crowd]:
    """Twenty customers, or one customer in twenty places."""
    people = [(client, installed.browser(client.token)) for client in [same] * CLIENTS if client] or [
        (client, installed.browser(client.token)) for client in installed.clients
    ]
    with ThreadPoolExecutor(CLIENTS) as pool:
        yield Crowd(people, pool)
    for _, browser in people:
        browser.close()


def test_one_of_twenty_gets_the_slot(installed: Installed, database: Database) -> None:
    with installed.serving("--no-work") as server, crowd_at(installed) as crowd:
        for start in crowd.starts()[:ROUNDS]:
            answers = crowd.book(start)
            assert Counter(answer.status for answer in answers) == {201: 1, 409: CLIENTS - 1}, server.log()
            for answer in answers:
                assert answer.status == 201 or _offers_others(answer, start)
        assert "Traceback" not in server.log()
    assert overlaps(database) == 0
    assert confirmed(database) == ROUNDS


def _offers_others(answer: Answer, start: str) -> bool:
    offered = answer.body["facts"]["alternatives"]
    return answer.body["code"] == "slot_taken" and len(offered) == 3 and start not in offered


def test_a_server_that_checks_first_books_twice(installed: Installed, database: Database) -> None:
    with installed.serving(program=NAIVE), crowd_at(installed) as crowd:
        won = [
            sum(answer.status == 201 for answer in crowd.book(start))
            for start in crowd.starts()[:NAIVE_ROUNDS]
        ]
    assert max(won) > 1, "the control never double-booked: this race proves nothing"
    assert overlaps(database) > 0


def test_one_key_books_once_however_often_it_is_sent(installed: Installed, database: Database) -> None:
    client = installed.clients[0]
    with installed.serving("--no-work"), crowd_at(installed, same=client) as crowd:
        start, other = crowd.starts()[:2]
        answers = crowd.book(start, Idempotency_Key="a1")
        assert {answer.status for answer in answers} == {201}
        assert len({answer.body["id"] for answer in answers}) == 1
        assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == CLIENTS - 1
        conflict = crowd.people[0][1].post("/api/v1/bookings", wish(client, other), Idempotency_Key="a1")
        assert conflict.body["code"] == "idempotency_conflict"
    assert confirmed(database) == 1


def overlaps(database: Database) -> int:
    return _count(database, OVERLAPS)


def confirmed(database: Database) -> int:
    return _count(database, "SELECT count(*) FROM booking WHERE status = 'confirmed'")


def _count(database: Database, query: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())
