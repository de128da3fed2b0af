"""Answers that get lost after the COMMIT, and clients who ask again: one booking, whatever they do.

Each request carries an Idempotency-Key and names no technician, so that a server which forgets keys books another
technician with each try, and this test would see it.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from fixtures.databases import Database
from fixtures.served import PROGRAM, Answer, Browser, Client, Installed
from scheduler.store.engines import read
from scheduler.store.models import Booking, Notice
from tests.faults.answer_eater import AnswerEater, eating_answers_of
from tests.faults.conftest import Measured
from tests.faults.crowd import GONE
from tests.faults.sizes import size

TRIES = 10
ROUNDS = size(2, 90)
FORGETFUL = ("-m", "tests.faults.programs.forgetful_server")


@pytest.fixture
def installed(database: Database, tmp_path: Path) -> Installed:
    """A desk of twelve technicians: enough that a forgetful server could book one with each try."""
    database.close()
    made = Installed(tmp_path, url=database.url)
    made.fill(1, technicians=TRIES + 2)
    return made


@contextmanager
def unheard(installed: Installed, program: tuple[str, ...] = PROGRAM) -> Iterator[AnswerEater]:
    """A server whose answers nobody hears."""
    options = ("--no-work",) if program == PROGRAM else ()
    with installed.serving(*options, program=program), eating_answers_of(installed.port) as eater:
        yield eater


def starts(installed: Installed) -> list[str]:
    """Free starts, each once, two hours apart."""
    browser = installed.browser(installed.clients[0].token)
    found = browser.get("/api/v1/slots?kind=maintenance&days=31").body["slots"]
    browser.close()
    return [slot["start_at"] for slot in found][::4]


def ask(port: int, client: Client, start: str, key: str) -> Answer | None:
    """One try on a connection of its own; None when no answer came."""
    browser = Browser(port, client.token)
    wish: dict[str, Any] = {"access_point": client.access_point, "entitlement": client.entitlement}
    try:
        return browser.post("/api/v1/bookings", wish | {"start_at": start}, Idempotency_Key=key)
    except GONE:
        return None
    finally:
        browser.close()


def test_lost_answers_and_ten_retries_book_once(
    installed: Installed, database: Database, measured: Measured
) -> None:
    client = installed.clients[0]
    with unheard(installed) as eater:
        free = starts(installed)
        for number, start in enumerate(free[:ROUNDS]):
            one_after_the_other(eater, client, start, f"one-{number}")
        assert set(eater.eaten) == {201}, "no answer was lost after its work was done"
        assert booked(database) == (ROUNDS, ROUNDS)
        for number, start in enumerate(free[ROUNDS : 2 * ROUNDS]):
            all_at_once(eater, client, start, f"many-{number}")
    assert booked(database) == (2 * ROUNDS, 2 * ROUNDS)
    measured("answers lost, asked again 10×", database.kind, faults=ROUNDS * (1 + TRIES), twice=0)


def one_after_the_other(eater: AnswerEater, client: Client, start: str, key: str) -> None:
    """The answer is lost; each of ten retries gets it."""
    eater.eats = True
    assert ask(eater.port, client, start, key) is None
    eater.eats = False
    answers = [ask(eater.port, client, start, key) for _ in range(TRIES)]
    assert {answer.status for answer in answers if answer} == {201}
    assert len({answer.body["id"] for answer in answers if answer}) == 1


def all_at_once(eater: AnswerEater, client: Client, start: str, key: str) -> None:
    """Ten tries at the same moment, and all their answers are lost; the next one gets it."""
    together = threading.Barrier(TRIES)

    def press(_: int) -> Answer | None:
        together.wait(30)
        return ask(eater.port, client, start, key)

    eater.eats = True
    with ThreadPoolExecutor(TRIES) as pool:
        assert set(pool.map(press, range(TRIES))) == {None}
    eater.eats = False
    last = ask(eater.port, client, start, key)
    assert last is not None
    assert (last.status, last.headers.get("Idempotency-Replayed")) == (201, "true")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the fault is the program's
def test_a_server_that_forgets_keys_books_again(installed: Installed, database: Database) -> None:
    client = installed.clients[0]
    with unheard(installed, FORGETFUL) as eater:
        (start, *_) = starts(installed)
        for _ in range(3):
            ask(eater.port, client, start, "one")
    bookings, _ = booked(database)
    assert bookings > 1, "the control booked once: this test proves nothing"


def booked(database: Database) -> tuple[int, int]:
    """Bookings, and confirmations sent for them."""
    with read(database.sessions) as session:
        rows = session.scalar(select(func.count()).select_from(Booking))
        mails = session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == "confirmed"))
        return rows or 0, mails or 0
